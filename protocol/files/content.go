package files

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"

	"minissh/protocol"
)

// pieceSize is how much of a file goes into one record: one body.
const pieceSize = MaxBody

// open opens a file to be sent. A device or FIFO that took its place meanwhile is not read, and
// nobody waits for it.
func openFile(dir *os.Root, path string) (*os.File, fs.FileInfo, error) {
	f, err := dir.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &Error{CodeNotCopied, "it is " + kindName(info.Mode().Type()) +
			", which is not copied"}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// propose offers a file, and puts it into the queue. Its turn comes when it has been answered and
// all before it has gone.
func (s *sender) propose(dir *os.Root, base string, at place) error {
	info, err := dir.Stat(base)
	if err == nil && !info.Mode().IsRegular() {
		err = &Error{CodeNotCopied, "it is not a file any more"}
	}
	if err == nil && len(at.name) > MaxName {
		err = &Error{CodeNameTooLong, "the path is longer than this protocol takes"}
	}
	if err != nil {
		return s.fault(0, at.name, err)
	}
	id, err := s.begin(KindFile, at.name, info.Size(), true)
	if err != nil {
		return err
	}
	rec := Record{Kind: KindOffer, ID: id, Name: protocol.Bytes(at.name), Size: info.Size(),
		Mode: int64(info.Mode().Perm())}
	rec.stamp(info.ModTime())
	if err := s.out.Write(&rec, nil); err != nil {
		return err
	}
	s.queue = append(s.queue, step{rec: rec, path: at.path, root: s.root})
	return s.settle(ahead)
}

// ahead is how many steps may wait for answers.
const ahead = Window / 2

// settle takes steps whose answers have come, and waits for answers until at most `most` steps are
// left.
func (s *sender) settle(most int) error {
	for len(s.queue) > 0 {
		next := &s.queue[0]
		answer, err := s.await(next, len(s.queue) > most)
		if err != nil {
			return err
		}
		if answer == nil {
			return nil
		}
		s.queue = s.queue[1:]
		switch {
		case next.last:
			s.roots--
			next.root.Close()
		case next.path == "":
			err = s.out.Write(&next.rec, nil)
		case answer.Kind == KindWant:
			err = s.file(next.rec.ID, next.root, next.path, string(next.rec.Name), answer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// await is the answer to a step, nil if it has not come and must not be waited for.
func (s *sender) await(next *step, wait bool) (*Record, error) {
	if next.path == "" {
		return &next.rec, nil
	}
	s.mu.Lock()
	_, there := s.answers[next.rec.ID]
	s.mu.Unlock()
	if !there && wait {
		if err := s.out.Flush(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if answer, there := s.answers[next.rec.ID]; there {
			delete(s.answers, next.rec.ID)
			return &answer, nil
		}
		if s.broken != nil || s.done != nil {
			return nil, cut(io.EOF)
		}
		if !wait {
			return nil, nil
		}
		s.change.Wait()
	}
}

// file sends one. id is 0 while it has no number yet; want is the receiver's answer, if it was
// asked. The error ends the transfer.
func (s *sender) file(id int64, dir *os.Root, path, name string, want *Record) error {
	if len(name) > MaxName {
		return s.fault(id, name, &Error{CodeNameTooLong,
			"the path is longer than this protocol takes"})
	}
	f, info, err := openFile(dir, path)
	if err != nil {
		return s.fault(id, name, err)
	}
	defer f.Close()
	if s.piece == nil {
		s.piece = make([]byte, pieceSize)
	}
	rec := &Record{Kind: KindFile, Name: protocol.Bytes(name), Size: info.Size(),
		Mode: int64(info.Mode().Perm())}
	rec.stamp(info.ModTime())
	if rec.Size < pieceSize && (want == nil || want.Offset == 0) {
		// One byte more than is expected, so that the end is seen.
		n, err := io.ReadFull(f, s.piece[:min(rec.Size+1, pieceSize)])
		if err == nil && rec.Size == 0 {
			n, err = grown(f, s.piece) // a file of /proc: it has no size, but content
		}
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			sum := sha256.Sum256(s.piece[:n])
			rec.Size, rec.Body, rec.Digest = int64(n), int64(n),
				digestName+hex.EncodeToString(sum[:])
			return s.start(id, rec, s.piece[:n])
		case err == nil:
			return s.fault(id, name, errGrew)
		default:
			return s.fault(id, name, err)
		}
	}
	var content io.ReadSeeker = f
	if s.o.Content != nil {
		content = s.o.Content(f)
	}
	return s.large(id, f, content, info, rec, want)
}

// grown reads on after the first byte of a file that has no size.
func grown(f *os.File, p []byte) (int, error) {
	n, err := io.ReadFull(f, p[1:])
	return n + 1, err
}

var (
	errGrew    = &Error{CodeChanged, "it grew while it was read"}
	errShrank  = &Error{CodeChanged, "it shrank while it was read"}
	errChanged = &Error{CodeChanged, "it changed while it was read"}
)

// start sends the first record of a file.
func (s *sender) start(id int64, rec *Record, body []byte) (err error) {
	if id == 0 {
		if id, err = s.begin(KindFile, string(rec.Name), rec.Size, false); err != nil {
			return err
		}
	}
	rec.ID = id
	s.begins(rec)
	return s.out.Write(rec, body)
}

// begins counts what the first record of a file brings. If the whole file is there already, nothing
// is counted here: that is reported when the receiver has seen its end.
func (s *sender) begins(rec *Record) {
	if rec.Offset == 0 || rec.Offset < rec.Size {
		s.went(rec.Body, rec.Offset)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(rec.ID); e != nil {
		e.whole = true
	}
}

// went counts content that was sent, and that was there already.
func (s *sender) went(sent, there int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Bytes += sent
	s.watch(Event{What: EventBytes, Size: sent, There: there})
}

// large sends a file in pieces, from where the receiver is.
func (s *sender) large(id int64, f *os.File, content io.ReadSeeker, before fs.FileInfo, rec,
	want *Record) error {
	sum := sha256.New()
	if want != nil && want.Offset > 0 && want.Offset <= rec.Size {
		if _, err := io.CopyBuffer(sum, struct{ io.Reader }{io.LimitReader(content, want.Offset)},
			s.piece); err != nil {
			return s.fault(id, string(rec.Name), err)
		}
		if digest(sum) == want.Digest {
			rec.Offset = want.Offset
		} else {
			sum.Reset()
			if _, err := content.Seek(0, io.SeekStart); err != nil {
				return s.fault(id, string(rec.Name), err)
			}
		}
	}
	if err := s.start(id, rec, nil); err != nil {
		return err
	}
	end := &Record{Kind: KindEnd}
	err := s.pieces(rec, content, newHasher(sum))
	if err == nil {
		err = unchanged(f, before)
	}
	if problemOf, ours := err.(*Error); ours {
		end.Code, end.Message = problemOf.Code, problemOf.Message
		s.mu.Lock()
		s.fail(rec.ID, problemOf, false)
		s.mu.Unlock()
	} else if err != nil {
		return err
	} else {
		end.Digest = digest(sum)
	}
	return s.out.Write(end, nil)
}

// unchanged says whether a file is as it was before it was read.
func unchanged(f *os.File, before fs.FileInfo) error {
	after, err := f.Stat()
	switch {
	case err != nil:
		return problem(err)
	case after.Size() > before.Size():
		return errGrew
	case after.Size() < before.Size():
		return errShrank
	case !after.ModTime().Equal(before.ModTime()):
		return errChanged
	}
	return nil
}

// errUnwanted is a receiver that has given up on the file.
var errUnwanted = &Error{CodeIO, "the receiver does not want it any more"}

// pieces sends the rest of a file; the next piece is read and digested meanwhile. An *Error
// concerns the file, any other the stream.
func (s *sender) pieces(rec *Record, f io.Reader, h *hasher) (err error) {
	defer h.end()
	left := rec.Size - rec.Offset
	if left == 0 {
		return nil
	}
	ready := make(chan read)
	free := make(chan []byte, 2)
	free <- s.piece
	free <- make([]byte, pieceSize)
	go func() {
		defer close(ready)
		for p := range free {
			n := int(min(left, pieceSize))
			n, err := io.ReadFull(f, p[:n])
			h.write(p[:n])
			h.wait()
			left -= int64(n)
			ready <- read{p, n, err}
			if err != nil || left == 0 {
				return
			}
		}
	}()
	defer func() {
		close(free)
		for range ready {
		}
	}()
	for r := range ready {
		if r.n > 0 && err == nil {
			s.went(int64(r.n), 0)
			if err := s.out.Write(&Record{Kind: KindData, Body: int64(r.n)},
				r.p[:r.n]); err != nil {
				return err
			}
		}
		switch {
		case r.err == io.EOF, r.err == io.ErrUnexpectedEOF:
			return errShrank
		case r.err != nil:
			return problem(r.err)
		case s.unwanted(rec.ID):
			return errUnwanted
		}
		free <- r.p
	}
	return nil
}

type read struct {
	p   []byte
	n   int
	err error
}
