package cp

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Many read a file through blocks that are read once, from wherever each begins.
func TestOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, size := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 5*blockSize + 7} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(rand.Uint32())
		}
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		once := &Once{}
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				f, err := os.Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				content, from := once.Content(f), int64(size*n/8)
				content.Seek(from, io.SeekStart)
				got, err := io.ReadAll(content)
				if err != nil || !bytes.Equal(got, want[from:]) {
					t.Errorf("%d of %d bytes from %d: %v", len(got), size, from, err)
				}
			})
		}
		all.Wait()
		if most := size/blockSize + 1; len(once.blocks) > most {
			t.Errorf("%d blocks of a file with %d bytes", len(once.blocks), size)
		}
	}
	if once := (&Once{}); true { // what is kept has a bound
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.Truncate(blockSize * (mostBlocks + 50))
		n, err := io.Copy(io.Discard, once.Content(f))
		if n != blockSize*(mostBlocks+50) || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if len(once.blocks) != mostBlocks || len(once.order) != mostBlocks {
			t.Errorf("%d blocks are kept", len(once.blocks))
		}
	}
}
