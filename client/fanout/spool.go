package fanout

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
)

// inMemory is how many bytes of one stream are kept in memory; more goes to a file.
const inMemory = 64 << 10

// spool keeps one stream of a host until all have ended.
type spool struct {
	memory bytes.Buffer
	file   *os.File // what did not fit, after that; nil: all did
	size   int64
	sum    hash.Hash
}

func newSpool() *spool { return &spool{sum: sha256.New()} }

func (s *spool) Write(p []byte) (int, error) {
	s.sum.Write(p)
	s.size += int64(len(p))
	fits := min(len(p), max(0, inMemory-s.memory.Len()))
	if s.file == nil {
		s.memory.Write(p[:fits])
	} else {
		fits = 0
	}
	if fits == len(p) {
		return len(p), nil
	}
	if s.file == nil {
		file, err := os.CreateTemp("", "minissh-output-")
		if err != nil {
			return fits, err
		}
		os.Remove(file.Name()) // where a system cannot, close does
		s.file = file
	}
	n, err := s.file.Write(p[fits:])
	return fits + n, err
}

// reader is all of it, from the beginning.
func (s *spool) reader() io.Reader {
	memory := bytes.NewReader(s.memory.Bytes())
	if s.file == nil {
		return memory
	}
	return io.MultiReader(memory, io.NewSectionReader(s.file, 0, s.size-int64(s.memory.Len())))
}

// close forgets it.
func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
