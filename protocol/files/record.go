package files

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strconv"

	"minissh/protocol"
)

// Limits of the stream (FI3), in bytes unless said otherwise.
const (
	MaxHeader = 16 << 10  // JSON of one record
	MaxBody   = 256 << 10 // raw bytes after it
	MaxName   = 4096      // a name, or a link's target
	Window    = 16 << 10  // entries that may be without an answer
)

// Kind says what a record is (FI4).
type Kind string

// What a sender says.
const (
	KindTotal Kind = "total" // files, bytes: how much will come
	KindDir   Kind = "dir"   // a folder; what is inside follows
	KindLink  Kind = "link"  // a symbolic link
	KindOffer Kind = "offer" // a file that may be there already: answered by want or have
	KindFile  Kind = "file"  // a file: whole if it has a digest, else data and end follow
	KindData  Kind = "data"  // more of it
	KindEnd   Kind = "end"   // all of it, with its digest; with a code: what came is not the file
	KindFault Kind = "fault" // an entry that cannot be sent
)

// What a receiver says.
const (
	// send the file offered, from offset on if this is the digest of what comes before
	KindWant   Kind = "want"
	KindHave   Kind = "have"   // the file offered is there
	KindError  Kind = "error"  // an entry that cannot be stored
	KindStored Kind = "stored" // all entries up to this one are in place, but those with an error
)

// KindDone ends the stream in either direction.
const KindDone Kind = "done"

// Record is the header of one record: a length of 4 bytes, this as JSON, and then Body raw bytes
// (FI3).
type Record struct {
	Kind    Kind           `json:"kind"`
	ID      int64          `json:"id,omitempty"`     // number of the entry, from 1
	Name    protocol.Bytes `json:"name,omitempty"`   // relative, parts joined by /
	Size    int64          `json:"size,omitempty"`   // of the whole file, bytes
	Mode    int64          `json:"mode,omitempty"`   // permission bits
	Mtime   int64          `json:"mtime,omitempty"`  // seconds since 1970
	Nsec    int64          `json:"nsec,omitempty"`   // and nanoseconds
	Target  protocol.Bytes `json:"target,omitempty"` // of a link
	Offset  int64          `json:"offset,omitempty"` // bytes of the file that are there already
	Body    int64          `json:"body,omitempty"`   // raw bytes after this header
	Digest  string         `json:"digest,omitempty"` // "sha256:" and 64 hex digits
	Code    string         `json:"code,omitempty"`   // of a fault or error
	Message string         `json:"message,omitempty"`
	Files   int64          `json:"files,omitempty"` // total, done
	Bytes   int64          `json:"bytes,omitempty"`
}

func violate(format string, args ...any) error {
	return protocol.Violate(protocol.CodeBadRecord, format, args...)
}

// check finds what no record may hold (FI3). Names are judged where they are used.
func (r *Record) check() error {
	switch {
	case r.ID < 0 || r.Size < 0 || r.Mode < 0 || r.Offset < 0 || r.Offset > r.Size &&
		r.Kind == KindFile || r.Files < 0 || r.Bytes < 0:
		return violate("a %s record with a negative number, or an offset beyond its size",
			short(string(r.Kind)))
	case r.Body < 0 || r.Body > MaxBody:
		return violate("a %s record with a body of %d bytes; the most is %d", short(string(r.Kind)),
			r.Body, MaxBody)
	case r.Body > 0 && r.Kind != KindFile && r.Kind != KindData:
		return violate("a %s record with a body", short(string(r.Kind)))
	case r.Nsec < 0 || r.Nsec > 999_999_999:
		return violate("nsec is %d", r.Nsec)
	}
	return nil
}

// short is a word from the other side, fit for a message.
func short(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return protocol.Quote(s)
}

// Reader reads records. The body of one is read, or dropped, before the next.
type Reader struct {
	r    *bufio.Reader
	left int64 // of the body
	head [MaxHeader]byte
}

// NewReader makes a Reader.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 64<<10)} }

// Next reads a record's header. The error is io.EOF at the end of the stream, io.ErrUnexpectedEOF
// within a record, a *protocol.Violation, or that of the stream.
func (r *Reader) Next(rec *Record) error {
	if err := r.Drop(); err != nil {
		return err
	}
	if _, err := io.ReadFull(r.r, r.head[:4]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(r.head[:4])
	if n < 2 || n > MaxHeader {
		return violate("a record's header of %d bytes; the most is %d", n, MaxHeader)
	}
	if _, err := io.ReadFull(r.r, r.head[:n]); err != nil {
		return cut(err)
	}
	*rec = Record{}
	if !rec.parse(r.head[:n]) {
		*rec = Record{}
		if err := protocol.DecodeJSON(r.head[:n], rec); err != nil {
			return violate("%v", err)
		}
	}
	r.left = rec.Body
	return rec.check()
}

func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Body reads as much of the body as fits in p; 0 when there is no more of it.
func (r *Reader) Body(p []byte) (int, error) {
	p = p[:min(int64(len(p)), r.left)]
	n, err := io.ReadFull(r.r, p)
	r.left -= int64(n)
	return n, cut(err)
}

// Drop skips what is left of the body.
func (r *Reader) Drop() error {
	for r.left > 0 {
		n, err := r.r.Discard(int(r.left))
		if r.left -= int64(n); err != nil {
			return cut(err)
		}
	}
	return nil
}

// Waiting says whether something can be read at once.
func (r *Reader) Waiting() bool { return r.r.Buffered() > 0 }

// gather is how much a Writer collects before it writes.
const gather = 128 << 10

// Writer writes records, and collects small ones. Only one goroutine may use it.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter makes a Writer.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// errHeader is a record that does not fit (FI3).
var errHeader = errors.New("the name is too long")

// Write adds a record; body is as long as rec.Body says.
func (w *Writer) Write(rec *Record, body []byte) error {
	at := len(w.buf)
	w.buf = rec.append(append(w.buf, 0, 0, 0, 0))
	n := len(w.buf) - at - 4
	if n > MaxHeader {
		w.buf = w.buf[:at]
		return errHeader
	}
	binary.BigEndian.PutUint32(w.buf[at:], uint32(n))
	if len(body) > gather/2 {
		if err := w.Flush(); err != nil {
			return err
		}
		_, err := w.w.Write(body)
		return err
	}
	w.buf = append(w.buf, body...)
	if len(w.buf) < gather {
		return nil
	}
	return w.Flush()
}

// Flush writes what was collected.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// append is the record as JSON, as encoding/json would write it, but without its cost: there is one
// for every file.
func (r *Record) append(b []byte) []byte {
	b = append(b, `{"kind":"`...)
	b = append(b, r.Kind...)
	b = append(b, '"')
	number := func(name string, n int64) {
		if n != 0 {
			b = append(b, name...)
			b = strconv.AppendInt(b, n, 10)
		}
	}
	number(`,"id":`, r.ID)
	b = appendBytes(b, `,"name":`, r.Name)
	number(`,"size":`, r.Size)
	number(`,"mode":`, r.Mode)
	number(`,"mtime":`, r.Mtime)
	number(`,"nsec":`, r.Nsec)
	b = appendBytes(b, `,"target":`, r.Target)
	number(`,"offset":`, r.Offset)
	number(`,"body":`, r.Body)
	b = appendBytes(b, `,"digest":`, []byte(r.Digest))
	b = appendBytes(b, `,"code":`, []byte(r.Code))
	b = appendBytes(b, `,"message":`, []byte(r.Message))
	number(`,"files":`, r.Files)
	number(`,"bytes":`, r.Bytes)
	return append(b, '}')
}

func appendBytes(b []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	b = append(b, name...)
	for _, c := range value {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			text, err := protocol.Bytes(value).MarshalJSON()
			if err != nil { // a zero byte, which no name on a disk holds
				text = []byte(`""`)
			}
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}
