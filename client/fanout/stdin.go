package fanout

import (
	"io"
	"os"
	"sync"

	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// piece is how much of our standard input is sent at once, in bytes.
const piece = 64 << 10

// input is our standard input, for all commands. A file is read by each host for itself. A pipe is
// read once, as fast as the slowest command takes it: so all must run at the same time.
type input struct {
	file  *os.File
	whole int64 // bytes of a regular file that are left; -1: it is not one

	mu      sync.Mutex // guards the rest
	missing int        // hosts that have neither a command nor failed
	takers  []*mux.Channel
	begun   bool
	changed *sync.Cond
}

// openInput prepares --stdin.
func (f *fleet) openInput() error {
	if f.Stdin == nil {
		return nil
	}
	in := &input{file: f.Stdin, whole: -1, missing: len(f.hosts)}
	in.changed = sync.NewCond(&in.mu)
	if info, err := f.Stdin.Stat(); err == nil && info.Mode().IsRegular() {
		in.whole = info.Size()
	} else if len(f.hosts) > f.Fanout || f.Rolling != nil {
		return report.Failed(nil, "--stdin <FILE reads a file for each; --fanout N allows more at "+
			"the same time", "--stdin sends a pipe to all hosts at the same time, and %d of %d "+
			"would wait", len(f.hosts)-f.Fanout, len(f.hosts)).Of(report.ClassUsage)
	}
	f.input = in
	return nil
}

// feed sends the input to a command, to its end.
func (in *input) feed(ch *mux.Channel) {
	switch {
	case in == nil:
	case in.whole >= 0:
		at, err := in.file.Seek(0, io.SeekCurrent) // where whoever started us has read to
		if err != nil {
			at = 0
		}
		io.CopyBuffer(ch.Writer(protocol.TypeStdin), onlyReader{io.NewSectionReader(in.file, at,
			in.whole-at)}, make([]byte, piece))
	default:
		in.take(ch)
	}
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

// without notes that a host has no command that reads.
func (in *input) without() {
	if in == nil || in.whole >= 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.missing--
	in.begin()
}

// take adds a command to those that read, and waits for its end, or that of the input.
func (in *input) take(ch *mux.Channel) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.missing--
	in.takers = append(in.takers, ch)
	in.begin()
	for in.has(ch) {
		in.changed.Wait()
	}
}

func (in *input) has(ch *mux.Channel) bool {
	for _, taker := range in.takers {
		if taker == ch {
			return true
		}
	}
	return false
}

// begin sends, once all are there. The caller holds mu.
func (in *input) begin() {
	if in.missing > 0 || in.begun {
		return
	}
	in.begun = true
	go in.send()
}

// send reads, and sends each piece to all before it reads the next.
func (in *input) send() {
	buffer := make([]byte, piece)
	for {
		n, err := in.file.Read(buffer)
		in.mu.Lock()
		takers := in.takers
		in.mu.Unlock()
		alive := make([]*mux.Channel, len(takers))
		var all sync.WaitGroup
		for i, ch := range takers {
			all.Go(func() {
				if _, err := ch.Write(protocol.TypeStdin, buffer[:n]); err == nil {
					alive[i] = ch
				}
			})
		}
		all.Wait()
		var left []*mux.Channel
		for _, ch := range alive {
			if ch != nil && err == nil {
				left = append(left, ch)
			}
		}
		in.mu.Lock()
		in.takers = left
		in.changed.Broadcast()
		in.mu.Unlock()
		if len(left) == 0 {
			return
		}
	}
}
