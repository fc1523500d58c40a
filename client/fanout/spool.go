package fanout

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"sync"
)

// inMemory is how many bytes of one stream are kept in memory; more goes to a file.
const inMemory = 4 << 10

// store is the one file of all streams that do not fit into memory.
type store struct {
	mu   sync.Mutex // guards the rest
	file *os.File   // nil: it was not needed yet
	end  int64
}

// add puts bytes at the end, and says where.
func (s *store) add(p []byte) (from int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		file, err := os.CreateTemp("", "minissh-output-")
		if err != nil {
			return 0, err
		}
		os.Remove(file.Name()) // where a system cannot, close does
		s.file = file
	}
	if _, err := s.file.WriteAt(p, s.end); err != nil {
		return 0, err
	}
	from = s.end
	s.end += int64(len(p))
	return from, nil
}

// close forgets all.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
		s.file = nil
	}
}

// spool keeps one stream of a host until all have ended.
type spool struct {
	store  *store
	memory bytes.Buffer
	pieces []extent // of the store, after what is in memory
	size   int64
	sum    hash.Hash
}

// extent is a part of the store.
type extent struct{ from, size int64 }

func newSpool(s *store) *spool { return &spool{store: s, sum: sha256.New()} }

func (s *spool) Write(p []byte) (int, error) {
	s.sum.Write(p)
	fits := min(len(p), max(0, inMemory-s.memory.Len()))
	s.memory.Write(p[:fits])
	s.size += int64(fits)
	rest := p[fits:]
	if len(rest) == 0 {
		return len(p), nil
	}
	from, err := s.store.add(rest)
	if err != nil {
		return fits, err
	}
	s.size += int64(len(rest))
	if n := len(s.pieces) - 1; n >= 0 && s.pieces[n].from+s.pieces[n].size == from {
		s.pieces[n].size += int64(len(rest))
	} else {
		s.pieces = append(s.pieces, extent{from, int64(len(rest))})
	}
	return len(p), nil
}

// reader is all of it, from the beginning.
func (s *spool) reader() io.Reader {
	parts := []io.Reader{bytes.NewReader(s.memory.Bytes())}
	for _, piece := range s.pieces {
		parts = append(parts, io.NewSectionReader(s.store.file, piece.from, piece.size))
	}
	return io.MultiReader(parts...)
}
