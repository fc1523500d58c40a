package cp

import (
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Blocks of files that go to many hosts: how long each is, and how many are kept for those that
// come after the first.
const (
	blockSize  = 256 << 10
	mostBlocks = 256 // 64 MiB
)

// Once reads a file once for all hosts that it goes to at the same time. A host that is so slow
// that a block is not kept any more reads it again.
type Once struct {
	mu     sync.Mutex // guards the rest
	blocks map[blockID]*block
	order  []blockID // the oldest first
}

// blockID is a block of a file as it is now.
type blockID struct {
	name     string
	size     int64
	modified time.Time
	number   int64
}

// block is one that somebody reads, or has read.
type block struct {
	read sync.Once
	data []byte
	err  error
}

// Content is what files.Options wants.
func (o *Once) Content(f *os.File) io.ReadSeeker {
	info, err := f.Stat()
	if err != nil {
		return f
	}
	return io.NewSectionReader(&shared{o, f, info}, 0, 1<<62)
}

// shared is a file by its blocks.
type shared struct {
	once *Once
	file *os.File
	info fs.FileInfo
}

// ReadAt reads from one block at a time.
func (s *shared) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		b := s.once.block(s, (at+int64(n))/blockSize)
		from := int((at + int64(n)) % blockSize)
		if from >= len(b.data) {
			return n, b.err
		}
		n += copy(p[n:], b.data[from:])
		if n < len(p) && len(b.data) < blockSize {
			return n, b.err
		}
	}
	return n, nil
}

// block is one of a file's, read by whoever asks for it first.
func (o *Once) block(s *shared, number int64) *block {
	id := blockID{s.file.Name(), s.info.Size(), s.info.ModTime(), number}
	o.mu.Lock()
	b := o.blocks[id]
	if b == nil {
		if o.blocks == nil {
			o.blocks = map[blockID]*block{}
		}
		if len(o.order) == mostBlocks {
			delete(o.blocks, o.order[0])
			o.order = o.order[1:]
		}
		b = &block{}
		o.blocks[id] = b
		o.order = append(o.order, id)
	}
	o.mu.Unlock()
	b.read.Do(func() {
		b.data = make([]byte, blockSize)
		var n int
		n, b.err = s.file.ReadAt(b.data, number*blockSize)
		b.data = b.data[:n]
	})
	return b
}
