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
	failed  error // why it could not be read to its end
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

// feed sends the input to a command, to its end. The error is that of reading it: what was sent is
// not the whole.
func (in *input) feed(ch *mux.Channel) error {
	switch {
	case in == nil:
	case in.whole >= 0:
		at, err := in.file.Seek(0, io.SeekCurrent) // where whoever started us has read to
		if err != nil {
			at = 0
		}
		section, buffer := io.NewSectionReader(in.file, at, in.whole-at), make([]byte, piece)
		for {
			n, err := section.Read(buffer)
			if _, gone := ch.Write(protocol.TypeStdin, buffer[:n]); gone != nil || err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	default:
		return in.take(ch)
	}
	return nil
}

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
func (in *input) take(ch *mux.Channel) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.missing--
	in.takers = append(in.takers, ch)
	in.begin()
	for in.has(ch) {
		in.changed.Wait()
	}
	return in.failed
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
	if in.begun = true; len(in.takers) > 0 {
		go in.send()
	}
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
		if in.takers = left; err != nil && err != io.EOF {
			in.failed = err
		}
		in.changed.Broadcast()
		in.mu.Unlock()
		if len(left) == 0 {
			return
		}
	}
}
