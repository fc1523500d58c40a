package tape

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// MaxLine is the longest line of a file in bytes: the base64 of MaxPiece, and what is around it.
const MaxLine = 96 << 10

// version is the format's.
const version = 1

// Header is the first line of a file.
type Header struct {
	Lab     string    `json:"minissh-lab"` // "run"
	Version int       `json:"version"`
	Began   time.Time `json:"began"`
	Title   string    `json:"title,omitempty"` // at most MaxTitle bytes
}

// Writer writes a run, event by event.
type Writer struct {
	w   *bufio.Writer
	err error // the first; nothing is written after it
}

// NewWriter begins a file. A title that is too long is cut.
func NewWriter(w io.Writer, began time.Time, title string) *Writer {
	for len(title) > MaxTitle || !utf8.ValidString(title) {
		title = string(bytes.ToValidUTF8([]byte(title[:min(len(title), MaxTitle)]), nil))
	}
	f := &Writer{w: bufio.NewWriter(w)}
	f.line(Header{Lab: "run", Version: version, Began: began.UTC().Truncate(time.Second),
		Title: title})
	return f
}

// Write adds events; it is Follow's argument. What was written reaches the file before it returns.
func (f *Writer) Write(events []Event) {
	for _, e := range events {
		f.line(e)
	}
	if f.err == nil {
		f.err = f.w.Flush()
	}
}

// Err is the first error of the file.
func (f *Writer) Err() error { return f.err }

func (f *Writer) line(value any) {
	if f.err != nil {
		return
	}
	text, err := json.Marshal(value)
	if err == nil {
		_, err = f.w.Write(append(text, '\n'))
	}
	f.err = err
}

// ErrNotARun is a file of another kind.
var ErrNotARun = errors.New("not a recorded run")

// VersionError is a run of a version that this program does not know.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("a run of version %d, and version %d is known", e.Version, version)
}

// LineError is a line that breaks a rule of the format.
type LineError struct {
	Line int // from 1
	Why  string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// Read reads a run from anybody. Errors: ErrNotARun, *VersionError, *LineError, or the reader's.
// A file whose last line has no end is one whose writer was killed: what is whole is taken.
func Read(r io.Reader) (Header, []Event, error) {
	lines := bufio.NewReaderSize(r, MaxLine)
	h, err := readHeader(lines)
	if err != nil {
		return Header{}, nil, err
	}
	var events []Event
	check := checker{conns: []state{{}}}
	for n := 2; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return h, events, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return Header{}, nil, &LineError{n, "it is too long"}
		case err != nil:
			return Header{}, nil, err
		case len(events)-check.calls == MaxEvents || check.calls == MaxCalls:
			return Header{}, nil, &LineError{n, "there are too many events"}
		}
		var e Event
		if strict(line, &e) != nil {
			return Header{}, nil, &LineError{n, "it is not an event"}
		}
		if why := check.event(e); why != "" {
			return Header{}, nil, &LineError{n, why}
		}
		events = append(events, e)
	}
}

func readHeader(lines *bufio.Reader) (Header, error) {
	line, err := lines.ReadSlice('\n')
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return Header{}, err
	}
	var kind struct {
		Lab     string `json:"minissh-lab"`
		Version int    `json:"version"`
	}
	if err != nil || json.Unmarshal(line, &kind) != nil || kind.Lab != "run" {
		return Header{}, ErrNotARun
	}
	if kind.Version != version {
		return Header{}, &VersionError{kind.Version}
	}
	var h Header
	switch err := strict(line, &h); {
	case err != nil:
		return Header{}, &LineError{1, "it is not a header of version 1"}
	case len(h.Title) > MaxTitle:
		return Header{}, &LineError{1, "the title is too long"}
	}
	return h, nil
}

// strict decodes one object and nothing else.
func strict(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// state is what a connection has come to.
type state struct{ over, upEnded, downEnded bool }

// checker holds what the rules for the next event depend on.
type checker struct {
	conns []state // by number; 0 is not a connection
	bytes int
	at    int64
	full  bool
	calls int // a call may only be followed by another
}

// event says which rule e breaks, "" if none.
func (c *checker) event(e Event) string {
	if e.call() {
		return c.call(e)
	}
	switch {
	case c.full:
		return `nothing comes after "full"`
	case c.calls > 0:
		return "only calls come after calls"
	case e.Size != 0 || e.Ask != 0:
		return `"size" and "ask" belong to calls`
	case e.At < c.at:
		return "its time goes back"
	case e.Segments < 0 || (e.Segments > 0 && e.Kind != Data) || e.Segments > MaxPiece:
		return "its number of segments cannot be"
	case (len(e.Data) > 0) != (e.Kind == Data):
		return `"data" belongs to an event of that kind, and is not empty`
	case len(e.Data) > MaxPiece:
		return "its data is too long"
	}
	c.at = e.At
	if c.bytes += len(e.Data); c.bytes > MaxBytes {
		return "there is too much data"
	}
	if hasWay := e.Kind == Data || e.Kind == End || e.Kind == Reset; hasWay &&
		e.Way != Up && e.Way != Down || !hasWay && e.Way != "" {
		return `"way" is wrong`
	}
	if e.Kind == Full {
		c.full = true
		if e.Conn != 0 {
			return `"full" has no connection`
		}
		return ""
	}
	if e.Kind == Open {
		if e.Conn != len(c.conns) || e.Conn > MaxConns {
			return "its connection is not the next one"
		}
		c.conns = append(c.conns, state{})
		return ""
	}
	if e.Conn < 1 || e.Conn >= len(c.conns) {
		return "its connection has not begun"
	}
	return c.conns[e.Conn].event(e)
}

// call is rule 8.
func (c *checker) call(e Event) string {
	if c.calls == 0 {
		c.at = 0
	}
	c.calls++
	switch {
	case e.At < c.at:
		return "its time goes back"
	case e.Conn < 1 || e.Conn >= len(c.conns):
		return "its connection has not begun"
	case e.Way != Up && e.Way != Down:
		return `"way" is wrong`
	case e.Size < 0 || e.Size > math.MaxInt32 || e.Ask < 0 || e.Ask > math.MaxInt32:
		return "its size cannot be"
	case len(e.Data) > 0 || e.Segments != 0 || e.Ask > 0 && e.Kind == Send:
		return "it has what belongs to another kind"
	}
	c.at = e.At
	return ""
}

// event is the part of the rules that concerns one connection.
func (s *state) event(e Event) string {
	ended := &s.upEnded
	if e.Way == Down {
		ended = &s.downEnded
	}
	switch {
	case s.over:
		return "its connection is over"
	case *ended && e.Kind != Reset && e.Kind != Refused:
		return "its direction has ended"
	}
	switch e.Kind {
	case Data:
	case End:
		*ended = true
	case Reset, Refused:
		s.over = true
	default:
		return "its kind is unknown"
	}
	return ""
}
