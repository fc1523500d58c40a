package files

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"runtime"
)

// mostStanding is how many partial files may be open, waiting for the sender's word. An interrupted transfer leaves one.
const mostStanding = 16

// standing is what was found of a file that was offered.
type standing struct {
	size int64
	hash hash.Hash // of all its bytes
	p    *partial  // base is "" when it is no partial file, but the one itself
}

// release lets go of it; it stays where it is. It may be nil.
func (s *standing) release() {
	if s != nil {
		s.p.f.Close()
		s.p.dir.Close()
	}
}

// refuse is release for what is no beginning of the file that comes: if it is a partial file, it goes.
func (s *standing) refuse() {
	if s != nil && s.p.base != "" {
		s.p.drop()
		s.p.dir.Close()
		return
	}
	s.release()
}

// forget drops what was found for an entry that will not come.
func (r *receiver) forget(id int64) {
	r.offer[id].release()
	delete(r.offer, id)
}

// offered answers the offer of a file: it is there, or it is wanted, perhaps without its beginning (P10.10). What fails here will fail again, and be
// told, when the file comes.
func (r *receiver) offered(rec *Record) error {
	if rec.ID <= r.last {
		return violate("entry %d is offered after %d", rec.ID, r.last)
	}
	if r.offer[rec.ID] != nil {
		return violate("entry %d is offered twice", rec.ID)
	}
	answer := &Record{Kind: KindWant, ID: rec.ID}
	found, same := r.look(rec)
	switch {
	case same:
		answer.Kind = KindHave
		r.sum.Skipped++
		r.watch(Event{What: EventSkipped, ID: rec.ID, Kind: KindFile, Name: string(rec.Name), Size: rec.Size})
	case found != nil:
		r.offer[rec.ID] = found
		answer.Offset, answer.Digest = found.size, digest(found.hash)
	}
	return r.out.Write(answer, nil)
}

// look finds what is there: the same file, or a beginning of it.
func (r *receiver) look(rec *Record) (found *standing, same bool) {
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
		if at := info.ModTime(); !r.o.Checksum && at.Unix() == rec.Mtime && (int64(at.Nanosecond()) == rec.Nsec || at.Nanosecond() == 0) {
			if !r.o.Preserve || attributes(dir, base, rec) == nil {
				r.placed(dir, base, path)
				return nil, true
			}
		}
		if rec.Size > 0 && len(r.offer) < mostStanding {
			if f, err := dir.OpenFile(base, os.O_RDONLY|nonblock, 0); err == nil {
				if s := stand(dir, &partial{f: f}); s != nil && s.size == rec.Size {
					return s, false
				} else {
					s.release()
				}
			}
		}
	}
	if len(r.offer) >= mostStanding {
		return nil, false
	}
	if p := oldPartial(dir, base); p != nil {
		if s := stand(dir, p); s != nil && s.size <= rec.Size {
			return s, false
		} else {
			s.release()
		}
	}
	return nil, false
}

// stand digests what is in an open file, and stays at its end. nil: it cannot be read, and is closed.
func stand(dir *os.Root, p *partial) *standing {
	own, err := dir.OpenRoot(".")
	if err != nil {
		p.f.Close()
		return nil
	}
	p.dir = own
	s := &standing{hash: sha256.New(), p: p}
	if s.size, err = io.CopyBuffer(s.hash, struct{ io.Reader }{p.f}, make([]byte, MaxBody)); err != nil {
		s.release()
		return nil
	}
	return s
}
