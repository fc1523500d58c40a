package logbook

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// maxQueue is how many bytes of lines wait for a reader.
const maxQueue = 256 << 10

// Sink is where a log goes. Writing to it never waits: what the file does not take at once waits in
// a queue for a goroutine that may hang in write(2) and holds nothing while it does. Lines that no
// longer fit are dropped, and their number is told where they would have been.
//
// Where it can be had (Linux; pipes, sockets, terminals and regular files), a line is written
// before Write returns, as long as the reader keeps up: then nothing is lost by a crash.
type Sink struct {
	file io.Writer             // written to by drain alone
	try  func(p []byte) int    // writes what is taken at once, and says how much; nil: nothing is
	tell func(lost int) []byte // the line that tells of lines lost

	mu       sync.Mutex // guards the rest, and is never held while anything waits
	queue    []byte
	writing  int           // bytes that drain has taken out of the queue
	lost     int           // lines, since the queue was last added to
	draining chan struct{} // closed when the queue is empty; nil if it is
}

// New makes a log of clipped records that handler writes to file; and its Sink.
func New(file io.Writer, handler func(io.Writer) slog.Handler) (*slog.Logger, *Sink) {
	sink := &Sink{file: file, try: atOnce(file)}
	sink.tell = func(lost int) []byte {
		var line bytes.Buffer
		r := slog.NewRecord(time.Now(), slog.LevelWarn,
			"Lines of the log were dropped: nobody read it", 0)
		r.AddAttrs(slog.Int("lines", lost))
		handler(&line).Handle(context.Background(), r)
		return line.Bytes()
	}
	return slog.New(Clip(handler(sink))), sink
}

// Write takes a whole line. It never fails: a log that cannot be written stops nobody.
func (s *Sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := line
	if s.draining == nil && s.try != nil {
		rest = line[s.try(line):]
	}
	if len(rest) == 0 {
		return len(line), nil
	}
	if s.writing+len(s.queue)+len(rest) > maxQueue {
		s.lost++
		return len(line), nil
	}
	s.tellLost()
	s.queue = append(s.queue, rest...)
	if s.draining == nil {
		s.draining = make(chan struct{})
		go s.drain()
	}
	return len(line), nil
}

// tellLost puts what was lost into the queue, in its place. The caller holds mu.
func (s *Sink) tellLost() {
	if s.lost > 0 {
		s.queue = append(s.queue, s.tell(s.lost)...)
		s.lost = 0
	}
}

// drain writes the queue until it is empty.
func (s *Sink) drain() {
	for {
		s.mu.Lock()
		s.writing = 0
		if len(s.queue) == 0 {
			s.tellLost()
		}
		if len(s.queue) == 0 {
			close(s.draining)
			s.draining = nil
			s.mu.Unlock()
			return
		}
		// Some lines at a time, so that there is room as soon as the reader has taken some.
		piece := s.queue[:min(len(s.queue), 4096)]
		if end := bytes.LastIndexByte(piece, '\n') + 1; end > 0 {
			piece = piece[:end]
		}
		s.queue = s.queue[len(piece):]
		s.writing = len(piece)
		s.mu.Unlock()
		s.file.Write(piece)
	}
}

// Flush waits until all is written, or for so long.
func (s *Sink) Flush(most time.Duration) {
	s.mu.Lock()
	draining := s.draining
	s.mu.Unlock()
	if draining == nil {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-draining:
	case <-timer.C:
	}
}

// Print writes a text that is not a record, and waits for that for at most so long: a pipe that
// nobody reads keeps nobody from starting or ending.
func Print(file io.Writer, text string, most time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); io.WriteString(file, text) }()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
