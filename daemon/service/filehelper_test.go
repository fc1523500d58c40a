//go:build unix

package service

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"minissh/daemon/process"
	"minissh/protocol"
)

// What a client had sent before it left is put in place, even by the helper process, to whose
// answers nobody listens any more (FI10).
func TestFilesHelperUnheard(t *testing.T) {
	acct, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.StartSelf(acct, filesHelper)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	dir := t.TempDir()
	var ready, told report
	if err := process.WriteMessage(p.Stdin, order{Files: &protocol.Files{Mode: protocol.FilesPut},
		Home: protocol.Bytes(dir)}); err != nil {
		t.Fatal(err)
	}
	if err := process.ReadMessage(p.Stdout, process.MaxAnswer, &ready); err != nil ||
		ready.Refused != nil {
		t.Fatalf("%v %+v", err, ready)
	}
	p.Stdout.Close()
	const many = 1000
	digest := sha256.Sum256([]byte("x"))
	for i := range many {
		header := fmt.Sprintf(
			`{"kind":"file","id":%d,"name":"f%d","size":1,"mode":420,"body":1,"digest":"sha256:%x"}`, i+1, i, digest)
		record := append(binary.BigEndian.AppendUint32(nil, uint32(len(header))), header+"x"...)
		if _, err := p.Stdin.Write(record); err != nil {
			t.Fatalf("file %d: %v", i, err)
		}
	}
	p.Stdin.Close()
	if err := process.ReadMessage(p.Stderr, process.MaxAnswer, &told); err != nil ||
		told.Sum.Stored != many {
		t.Errorf("%v %+v", err, told)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != many {
		t.Errorf("%d of %d files are there", len(entries), many)
	}
	<-p.Done()
}
