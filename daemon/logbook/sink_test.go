package logbook

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a file whose reader takes nothing until it is told to.
type stuck struct {
	mu    sync.Mutex
	there chan struct{} // closed when the reader is there
	text  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.there
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stuck) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.text.String() }

func textLog(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w,
		&slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})
}

// While the reader reads nothing, nobody who logs waits; 256 KiB of lines are kept, in order. The
// others are counted, and a line says so where they are missing.
func TestSinkNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := &stuck{there: make(chan struct{})}
		log, sink := New(file, textLog)
		began := time.Now()
		for i := range 10_000 {
			log.Info("line", "n", i, "fill", strings.Repeat("x", 70))
		}
		before := time.Now()
		sink.Flush(time.Second)
		if waited := time.Since(before); waited != time.Second || before != began {
			t.Errorf("logging took %v, a flush %v", before.Sub(began), waited)
		}
		close(file.there)
		sink.Flush(time.Hour)
		log.Info("afterwards")
		synctest.Wait()
		lines := strings.Split(strings.TrimSuffix(file.String(), "\n"), "\n")
		kept := len(lines) - 2
		for i, line := range lines[:kept] {
			if !strings.Contains(line, fmt.Sprintf(" n=%d ", i)) {
				t.Fatalf("line %d is %s", i, line)
			}
		}
		if size := len(strings.Join(lines[:kept], "\n")); size > 262_144 || size < 261_000 {
			t.Errorf("%d bytes were kept", size)
		}
		want := fmt.Sprintf(
			`level=WARN msg="Lines of the log were dropped: nobody read it" lines=%d`, 10_000-kept)
		if lines[kept] != want || lines[kept+1] != "level=INFO msg=afterwards" {
			t.Errorf("then come %q", lines[kept:])
		}
	})
}

// A full pipe makes nobody wait; what the reader takes afterwards is in order and whole.
func TestSinkFullPipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	log, sink := New(write, textLog)
	for i := range 2000 {
		log.Info("line", "n", i, "fill", strings.Repeat("x", 70))
	}
	lines := bufio.NewScanner(read)
	for i := range 2000 {
		if !lines.Scan() || !strings.Contains(lines.Text(), fmt.Sprintf(" n=%d fill=xxx", i)) {
			t.Fatalf("line %d is %q, %v", i, lines.Text(), lines.Err())
		}
	}
	sink.Flush(time.Minute)
	log.Info("last")
	if !lines.Scan() || lines.Text() != "level=INFO msg=last" {
		t.Errorf("the last line is %q", lines.Text())
	}
}

// Print gives up on a reader that is not there.
func TestPrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := &stuck{there: make(chan struct{})}
		began := time.Now()
		Print(file, "one", 2*time.Second)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
		close(file.there)
		synctest.Wait() // the first is written late
		Print(file, "two", time.Hour)
		if took := time.Since(began); took != 2*time.Second || file.String() != "onetwo" {
			t.Errorf("%q after %v", file.String(), took)
		}
	})
}
