package files

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io/fs"
	"os"
	"time"
)

// digestName begins a digest: the algorithm (FI8). Today's processors have instructions for it, and
// it is not known to be weak.
const digestName = "sha256:"

func digest(h hash.Hash) string { return digestName + hex.EncodeToString(h.Sum(nil)) }

// arrival is a file whose data comes in more than one record.
type arrival struct {
	rec  Record // its header
	path string
	got  int64 // bytes of the file, those that were there included
	p    *partial
	// there is the digest of the whole file that has the name already and is not written; then p
	// and hash are nil.
	there string
	err   error // why the rest is dropped
	hash  *hasher
}

// interrupt ends it because the sender is gone.
func (a *arrival) interrupt() {
	a.hash.end()
	if a.p == nil {
		return
	}
	defer a.p.dir.Close()
	switch {
	case a.err != nil:
		a.p.drop()
	default:
		a.p.keep()
	}
}

// file begins a file, or takes a whole one. refused says why it cannot be taken: then its bytes are
// dropped.
func (r *receiver) file(rec *Record, path string, refused error) error {
	have := r.found(rec.ID)
	if rec.Offset > 0 && (have == nil || have.size != rec.Offset) {
		have.release()
		return violate("a file from byte %d on, of which that was not told", rec.Offset)
	}
	if rec.Offset+rec.Body > rec.Size || rec.Digest != "" && rec.Offset+rec.Body != rec.Size {
		have.release()
		return errLie(rec, rec.Offset+rec.Body, rec.Size)
	}
	if rec.Offset == 0 && have != nil && have.p == nil {
		have = nil // what is there is another file
	}
	r.watch(Event{What: EventStart, ID: rec.ID, Name: string(rec.Name), Size: rec.Size})
	body, err := r.read(rec)
	if err != nil {
		have.release()
		return err
	}
	if rec.Offset == 0 || have.p != nil { // of the file itself, whole; its end will tell
		r.watch(Event{What: EventBytes, Size: rec.Body, There: rec.Offset})
	}
	if have == nil && rec.Digest != "" {
		if refused == nil {
			refused = r.whole(rec, path, body)
		}
		r.result(rec, EventStored, refused)
		return nil
	}
	r.now = &arrival{rec: *rec, path: path, got: rec.Offset + rec.Body, err: refused}
	r.begin(have)
	r.now.write(body)
	r.complain()
	if rec.Digest != "" {
		return r.finish(rec)
	}
	return nil
}

// read takes a record's body.
func (r *receiver) read(rec *Record) ([]byte, error) {
	r.buffer()
	n, err := r.in.Body(r.body[:rec.Body])
	r.sum.Bytes += int64(n)
	if err != nil && r.now != nil && r.now.err == nil {
		// the link is lost: every byte that came is one that need not come again
		r.now.write(r.body[:n])
	}
	return r.body[:n], err
}

// buffer is one for a record's body.
func (r *receiver) buffer() []byte {
	if r.body == nil {
		r.body = make([]byte, MaxBody)
	}
	return r.body
}

// whole takes a file that came in one record.
func (r *receiver) whole(rec *Record, path string, body []byte) error {
	sum := sha256.Sum256(body)
	if rec.Digest != digestName+hex.EncodeToString(sum[:]) {
		return errDigest
	}
	dir, base, err := r.folders.open(path)
	if err != nil {
		return err
	}
	mode := fs.FileMode(rec.Mode) & fs.ModePerm
	if handle := r.folders.handle; handle != nil && !r.o.Sync {
		chmod, final, mtime := mode&0o600 != 0o600, mode&^umask(), time.Time{}
		if r.o.Preserve {
			chmod, final, mtime = true, mode, rec.time()
		}
		if done, err := quickly(handle, base, path, body, mode|0o600, chmod, final, mtime,
			&r.twins); done {
			return err
		}
	}
	perm := mode | 0o600
	old, err := replaced(dir, base)
	if err != nil {
		return err
	}
	if old != nil {
		perm = 0o600 // the old file says who may read it
	}
	p, err := newPartial(dir, base, perm)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		if _, err := p.f.Write(body); err != nil {
			p.drop()
			return err
		}
	}
	return r.name(p, rec, path, mode|0o600 != perm || mode&0o600 != 0o600)
}

var errDigest = &Error{Code: CodeDigest,
	Message: "what arrived is not what was sent: the digests differ"}

// name gives a whole file its name, mode and time. chmod says that its mode is not the one that it
// was made with.
func (r *receiver) name(p *partial, rec *Record, path string, chmod bool) error {
	old, err := replaced(p.dir, p.base)
	if err == nil {
		err = r.twins.free(p.dir, p.base, path)
	}
	if err != nil {
		p.drop()
		return err
	}
	mode, keptMode := fs.FileMode(rec.Mode)&fs.ModePerm, fs.FileMode(0)
	var mtime time.Time
	if old != nil {
		keptMode = old.give(p.f)
	}
	switch {
	case r.o.Preserve:
		chmod, mtime = true, rec.time()
	case old != nil:
		chmod, mode = true, keptMode
	default:
		mode &^= umask()
	}
	err = p.finish(chmod, mode, mtime, r.o.Sync)
	if err == nil {
		r.placed(p.dir, p.base, path)
	}
	return err
}

// placed notes what is in place.
func (r *receiver) placed(dir *os.Root, base, path string) {
	if id, there := identify(dir, base); there {
		r.twins.add(id, path)
	}
}

// begin opens what the file is written into: have, or else a new one.
func (r *receiver) begin(have *remains) {
	a := r.now
	if have != nil && a.rec.Offset > 0 && a.err == nil {
		if have.p != nil {
			a.p, a.hash = have.p, newHasher(have.hash)
			return
		}
		if a.rec.Offset == a.rec.Size {
			a.there = have.digest
			return
		}
		a.err = &Error{CodeChanged, "it is not as long as it was when it was offered"}
	}
	a.hash = newHasher(sha256.New())
	have.refuse()
	if a.err != nil {
		return
	}
	dir, base, err := r.folders.open(a.path)
	if err == nil {
		// the end asks again; asking now too saves a large file from coming for nothing
		_, err = replaced(dir, base)
	}
	if err == nil {
		dir, err = dir.OpenRoot(".") // it stays open as long as the file
	}
	if err == nil {
		// Until it is whole, nobody else may read it, and its owner may write it: that may take
		// more than one transfer.
		if a.p, err = newPartial(dir, base, 0o600); err != nil {
			dir.Close()
		}
	}
	a.err = err
}

// write adds what came.
func (a *arrival) write(body []byte) {
	if a.err != nil || len(body) == 0 {
		return
	}
	a.hash.write(body)
	if _, err := a.p.f.Write(body); err != nil {
		a.err = err
	}
	a.hash.wait()
}

// complain tells the sender at once that it need not go on with this file.
func (r *receiver) complain() {
	if a := r.now; a.err != nil && a.p != nil {
		a.p.drop()
		a.p.dir.Close()
		a.p = nil
		r.tell(a)
	} else if a.err != nil && a.hash != nil {
		r.tell(a)
	}
}

func (r *receiver) tell(a *arrival) {
	a.hash.end()
	a.hash = nil
	r.result(&a.rec, EventFailed, a.err)
	r.out.Flush()
}

// data is more of the file.
func (r *receiver) data(rec *Record) error {
	a := r.now
	if a == nil {
		return violate("data outside of a file")
	}
	if rec.Body > a.rec.Size-a.got {
		return errLie(rec, a.got+rec.Body, a.rec.Size)
	}
	body, err := r.read(rec)
	if err != nil {
		return err
	}
	a.got += rec.Body
	r.watch(Event{What: EventBytes, Size: rec.Body})
	if a.err == nil {
		a.write(body)
		r.complain()
	}
	return nil
}

// finish is the end of the file.
func (r *receiver) finish(rec *Record) error {
	a := r.now
	if a == nil {
		return violate("the end of no file")
	}
	if rec.Code == "" && a.got != a.rec.Size {
		return errLie(rec, a.got, a.rec.Size)
	}
	r.now = nil
	if a.err != nil { // reported already
		return nil
	}
	got := a.there
	if a.p != nil {
		got = a.hash.end()
		defer a.p.dir.Close()
	}
	switch {
	case rec.Code != "": // the sender knows
		a.drop()
		r.sum.Failed++
		r.watch(Event{What: EventFailed, ID: a.rec.ID, Kind: KindFile, Name: string(a.rec.Name),
			Err: &Error{rec.Code, rec.Message}, Far: true})
	case got != rec.Digest:
		a.drop()
		r.result(&a.rec, EventStored, errDigest)
	case a.p == nil:
		r.result(&a.rec, EventSkipped, r.wasThere(a))
	default:
		r.result(&a.rec, EventStored, r.name(a.p, &a.rec, a.path, true))
	}
	return nil
}

// drop removes what came of it.
func (a *arrival) drop() {
	if a.p != nil {
		a.p.drop()
	}
}

// wasThere notes a file that was there already, and gives it the mode and time of its source.
func (r *receiver) wasThere(a *arrival) error {
	dir, base, err := r.folders.open(a.path)
	if err != nil {
		return err
	}
	r.placed(dir, base, a.path)
	if !r.o.Preserve {
		return nil
	}
	return attributes(dir, base, &a.rec)
}

// attributes sets mode and time by name.
func attributes(dir *os.Root, base string, rec *Record) error {
	if err := dir.Chmod(base, fs.FileMode(rec.Mode)&fs.ModePerm); err != nil {
		return err
	}
	return setTime(dir, base, rec.time())
}

// hasher digests in a goroutine of its own, while the disk is written.
type hasher struct {
	h       hash.Hash
	in      chan []byte
	out     chan struct{}
	pending bool
}

func newHasher(h hash.Hash) *hasher {
	s := &hasher{h: h, in: make(chan []byte), out: make(chan struct{})}
	go func() {
		for p := range s.in {
			s.h.Write(p)
			s.out <- struct{}{}
		}
		close(s.out)
	}()
	return s
}

// write digests p, which must not change until wait returns.
func (s *hasher) write(p []byte) { s.in <- p; s.pending = true }

func (s *hasher) wait() {
	if s.pending {
		<-s.out
		s.pending = false
	}
}

// end stops it and returns the digest. It may be nil.
func (s *hasher) end() string {
	if s == nil {
		return ""
	}
	s.wait()
	close(s.in)
	<-s.out
	return digest(s.h)
}
