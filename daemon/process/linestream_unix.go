//go:build linux || darwin

package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stream carries what the shell and its jobs write: to the line that runs, or to whoever waits
// between lines.
type stream struct {
	f        *os.File
	number   int // LineOutput's
	terminal bool
	idle     io.Writer
	settled  chan struct{} // one for each settle
	gone     chan struct{} // closed at the end of the stream

	mu       sync.Mutex
	line     LineOutput
	starting bool   // the shell starts: its last, unfinished line is its prompt
	silent   bool   // of what it says then, nothing is wanted
	prompt   []byte // that line so far
}

// maxPrompt is how much of an unfinished line is kept while the shell starts.
const maxPrompt = 16 << 10

func (s *stream) to(line LineOutput) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = line
}

// pump reads until the end.
func (s *stream) pump() {
	defer close(s.gone)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.f.Read(buf)
		s.pass(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded): // settle waits
			s.f.SetReadDeadline(time.Time{})
			s.drain(buf)
			s.to(nil)
			select {
			case s.settled <- struct{}{}:
			default: // Drain has woken us, and nobody waits
			}
		case err != nil:
			return
		}
	}
}

func (s *stream) pass(p []byte) {
	if len(p) == 0 {
		return
	}
	s.mu.Lock()
	line := s.line
	if line == nil && s.starting {
		p = append(s.prompt, p...)
		whole := bytes.LastIndexByte(p, '\n') + 1
		if s.silent {
			p, whole = nil, 0
		}
		s.prompt = bytes.Clone(p[whole:])
		s.prompt = s.prompt[max(0, len(s.prompt)-maxPrompt):]
		p = p[:whole]
	}
	s.mu.Unlock()
	if line != nil {
		line(s.number, p)
	} else if len(p) > 0 {
		s.idle.Write(p) // if it fails, nobody wants it
	}
}

// forgetPrompt ends the start.
func (s *stream) forgetPrompt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting, s.prompt = false, nil
}

// settle waits until what has been written so far was passed on. The line that runs gets no more.
func (s *stream) settle() {
	s.f.SetReadDeadline(time.Unix(1, 0))
	select {
	case <-s.settled:
	case <-s.gone:
	}
}

// drain passes on what is there now, and not what a job writes meanwhile.
func (s *stream) drain(buf []byte) {
	raw, err := s.f.SyscallConn()
	if err != nil {
		return
	}
	left := mostDrained
	if !s.terminal { // a read of a terminal first brings up what was written before
		raw.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), fionread) })
	}
	for err == nil && left > 0 {
		n := 0
		raw.Control(func(fd uintptr) {
			for {
				if n, err = unix.Read(int(fd), buf[:min(left, len(buf))]); err != unix.EINTR {
					return
				}
			}
		})
		if n <= 0 {
			return // EAGAIN, or the end
		}
		s.pass(buf[:n])
		left -= n
	}
}

// inputEnd is the Stdin of a shell that is told lines: only its end matters.
type inputEnd struct{ l *Lines }

func (inputEnd) Write(p []byte) (int, error) { return len(p), nil }
func (inputEnd) Loud()                       {}

// endTime is how long a terminal whose keys nobody reads may hold up the end of the input.
const endTime = time.Second

func (i inputEnd) Close() error {
	if i.l.shell.typed {
		i.l.tty.f.SetWriteDeadline(time.Now().Add(endTime))
		i.l.tty.Write([]byte{4}) // Ctrl-D
		return nil
	}
	return i.l.feed.Close()
}

// idle is what is written between lines. Closing it closes the stream as well.
type idle struct {
	*io.PipeReader
	from *os.File
}

func (idle) Loud() {}

func (i idle) Close() error {
	i.from.Close()
	return i.PipeReader.Close()
}

// plainEnds makes a terminal's ends of lines plain.
type plainEnds struct{ w io.Writer }

func (p plainEnds) Write(text []byte) (int, error) {
	_, err := p.w.Write(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	return len(text), err
}
