//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// oneCommand bounds one client's run: what takes longer hangs.
const oneCommand = 5 * time.Minute

// finish waits for a started client and turns its end into an error that shows what it said.
func finish(cmd *exec.Cmd, stderr *bytes.Buffer) error {
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %.300q", err, stderr.String())
	}
	return nil
}

// timeCommand runs a client to its end and returns seconds from its start to its exit.
func (l *lab) timeCommand(ctx context.Context, argv []string) (seconds float64, err error) {
	_, seconds, err = l.timeCopy(ctx, argv)
	return seconds, err
}

// flow is what a bulk stream took: whole seconds, the seconds and bytes between the first and the
// last byte that came out, and the client's processor time.
type flow struct {
	seconds     float64
	cpu         float64
	steady      float64
	steadyBytes int64
}

// rate in MB/s (10^6 bytes) once bytes flowed.
func (f flow) rate() float64 { return float64(f.steadyBytes) / f.steady / 1e6 }

// timeOutput runs a client that must print exactly size bytes, and throws them away without copying
// them (splice to /dev/null), so that the sink takes the same small share of the processors from
// every peer.
func (l *lab) timeOutput(ctx context.Context, argv []string, size int64) (flow, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return flow{}, err
	}
	defer r.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		w.Close()
		return flow{}, err
	}
	defer null.Close()
	cmd := l.client(ctx, argv)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	start := time.Now()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return flow{}, err
	}
	var total, first int64
	var began, last time.Time
	// blocking from here on; the client's death ends the loop
	in, out := int(r.Fd()), int(null.Fd())
	for {
		n, err := unix.Splice(in, nil, out, nil, 1<<20, 0)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			break
		}
		last = time.Now()
		if total += n; first == 0 {
			first, began = n, last
		}
	}
	err = finish(cmd, &stderr)
	f := flow{seconds: time.Since(start).Seconds(), cpu: cpuSeconds(cmd),
		steady: last.Sub(began).Seconds(), steadyBytes: total - first}
	if err == nil && total != size {
		err = fmt.Errorf("%w: %d of %d came", errShort, total, size)
	}
	return f, err
}

// timeInput runs a client with size zero bytes on its standard input, fed through a pipe, to its
// exit.
func (l *lab) timeInput(ctx context.Context, argv []string, size int64) (flow, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return flow{}, err
	}
	source := l.client(ctx, []string{"head", "-c", strconv.FormatInt(size, 10), "/dev/zero"})
	source.Stdout = w
	sink := l.client(ctx, argv)
	var stderr bytes.Buffer
	sink.Stdin, sink.Stderr = r, &stderr
	start := time.Now()
	err = sink.Start()
	r.Close()
	if err != nil {
		w.Close()
		return flow{}, err
	}
	fed := source.Start()
	w.Close()
	err = finish(sink, &stderr)
	f := flow{seconds: time.Since(start).Seconds(), cpu: cpuSeconds(sink)}
	if fed == nil {
		fed = source.Wait()
	}
	if err == nil {
		err = fed // a sink that ended well before it had read all leaves its source with EPIPE
	}
	return f, err
}

// cpuSeconds is the processor time of a process that has ended.
func cpuSeconds(cmd *exec.Cmd) float64 {
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}

// countInput sends size bytes to `wc -c` and checks that it counted them: the timed sink throws
// bytes away unseen.
func (l *lab) countInput(ctx context.Context, argv []string, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	cmd := l.client(ctx, argv)
	cmd.Stdin = io.LimitReader(zeros{}, size)
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(string(bytes.TrimSpace(out)), 10, 64); err != nil || n != size {
		return fmt.Errorf("%w: the other end counted %.40q of %d", errShort, out, size)
	}
	return nil
}

// zeros reads as endless zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
