package files

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"runtime"
)

// mostRemains is how many partial files may be open, waiting for the sender's word. An interrupted
// transfer leaves one.
const mostRemains = 16

// remains is what was found of a file that was offered.
type remains struct {
	size   int64
	digest string    // of all its bytes
	hash   hash.Hash // of a partial file: the same, to continue with
	// nil: it is the file itself, not a partial one, which need not stay open; there may be many
	p *partial
}

// release lets go of it; it stays where it is. It may be nil.
func (s *remains) release() {
	if s != nil && s.p != nil {
		s.p.f.Close()
		s.p.dir.Close()
	}
}

// refuse is release for what is not a beginning of the file that comes: a partial file is removed.
func (s *remains) refuse() {
	if s != nil && s.p != nil {
		s.p.drop()
		s.p.dir.Close()
	}
}

// found takes what was found for an entry out of what waits; nil if nothing was.
func (r *receiver) found(id int64) *remains {
	s := r.offer[id]
	delete(r.offer, id)
	if s != nil && s.p != nil {
		r.partials--
	}
	return s
}

// offered answers the offer of a file: it is there, or it is wanted, perhaps without its beginning
// (FI10). What fails here will fail again, and be reported, when the file comes.
func (r *receiver) offered(rec *Record) error {
	if rec.ID <= r.last {
		return violate("entry %d is offered after %d", rec.ID, r.last)
	}
	if r.offer[rec.ID] != nil {
		return violate("entry %d is offered twice", rec.ID)
	}
	answer := &Record{Kind: KindWant, ID: rec.ID}
	found, same := r.look(rec)
	if found != nil && found.p != nil {
		r.partials++
	}
	switch {
	case same:
		answer.Kind = KindHave
		r.sum.Skipped++
		r.watch(Event{What: EventSkipped, ID: rec.ID, Kind: KindFile, Name: string(rec.Name),
			Size: rec.Size})
	case found != nil:
		r.offer[rec.ID] = found
		answer.Offset, answer.Digest = found.size, found.digest
	}
	return r.out.Write(answer, nil)
}

// look finds what is there: the same file, or a beginning of it.
func (r *receiver) look(rec *Record) (found *remains, same bool) {
	path, err := localName(string(rec.Name), runtime.GOOS)
	if err != nil {
		return nil, false
	}
	path, err = r.rename(path, KindFile)
	if err != nil {
		return nil, false
	}
	dir, base, err := r.folders.open(path)
	if err != nil || r.twins.free(dir, base, path) != nil {
		return nil, false
	}
	info, err := dir.Lstat(base)
	if err == nil && info.Mode().IsRegular() && info.Size() == rec.Size {
		if at := info.ModTime(); !r.o.Checksum && at.Unix() == rec.Mtime &&
			(int64(at.Nanosecond()) == rec.Nsec || at.Nanosecond() == 0) {
			if !r.o.Preserve || attributes(dir, base, rec) == nil {
				r.placed(dir, base, path)
				return nil, true
			}
		}
		if rec.Size > 0 && len(r.offer) < Window {
			if s := r.digestWhole(dir, base); s != nil && s.size == rec.Size {
				return s, false
			}
		}
	}
	if r.partials >= mostRemains {
		return nil, false
	}
	if p := oldPartial(dir, base); p != nil {
		if s := r.takeUp(dir, p); s != nil && s.size <= rec.Size {
			return s, false
		} else {
			s.release()
		}
	}
	return nil, false
}

// digestWhole digests a file. nil: it cannot be read.
func (r *receiver) digestWhole(dir *os.Root, base string) *remains {
	f, err := dir.OpenFile(base, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	s := &remains{}
	if s.hash, s.size, err = r.digest(f); err != nil {
		return nil
	}
	s.digest, s.hash = digest(s.hash), nil
	return s
}

// takeUp digests what is in a partial file, and is then at its end. nil: it cannot be read, and is
// closed.
func (r *receiver) takeUp(dir *os.Root, p *partial) *remains {
	own, err := dir.OpenRoot(".")
	if err != nil {
		p.f.Close()
		return nil
	}
	p.dir = own
	s := &remains{p: p}
	if s.hash, s.size, err = r.digest(p.f); err != nil {
		s.release()
		return nil
	}
	s.digest = digest(s.hash)
	return s
}

// digest reads a file to its end. It uses the buffer for records' bodies, which is free meanwhile.
func (r *receiver) digest(f *os.File) (hash.Hash, int64, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{f}, r.buffer())
	return h, n, err
}
