//go:build unix

package sftp

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

func attrs(numbers ...uint32) (b []byte) {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// Packets pass unchanged in whatever pieces they come, and the modes they ask for are taken in
// their order.
func TestModes(t *testing.T) {
	const read, write, creat = 1, 2, 8
	var stream []byte
	for _, p := range [][]byte{
		packet(1, struct{ Version uint32 }{3}),
		packet(typeOpen, openPacket{1, "a", write | creat, attrMode, attrs(0o100640)}),
		packet(typeOpen, openPacket{2, "b", 0, attrMode, attrs(0o777)}), // no handler is called
		packet(6, struct{ ID, Data []byte }{make([]byte, 9), bytes.Repeat([]byte{3, 14}, 50_000)}),
		packet(typeOpen, openPacket{3, "c", read, 0, nil}),
		packet(typeMkdir, mkdirPacket{4, "d", attrMode, attrs(0o40700)}),
		packet(typeMkdir, mkdirPacket{5, "e", 0, nil}),
		packet(typeMkdir, mkdirPacket{6, "f", attrSize | attrOwner | attrMode,
			attrs(1, 2, 3, 4, 0o4711)}),
		packet(typeMkdir, mkdirPacket{7, "g", attrMode, attrs()}), // cut off
	} {
		stream = append(stream, p...)
	}
	want := []fs.FileMode{0o640, 0o666, 0o700, 0o777, 0o711, 0o777}
	for name, in := range map[string]io.Reader{"whole": bytes.NewReader(stream),
		"bytes": iotest.OneByteReader(bytes.NewReader(stream))} {
		m := &requests{in: in}
		passed, err := io.ReadAll(m)
		if err != nil || !bytes.Equal(passed, stream) {
			t.Errorf("%s: %d of %d bytes, %v", name, len(passed), len(stream), err)
		}
		if !slices.Equal(m.asked, want) {
			t.Errorf("%s: %o, not %o", name, m.asked, want)
		}
		if m.take() != 0o640 || m.take() != 0o666 {
			t.Error("they are not taken in order")
		}
	}
	for cut := range len(stream) { // what is cut off ends it, and breaks nothing
		io.Copy(io.Discard, &requests{in: bytes.NewReader(stream[:cut])})
	}
}

// Lengths that the library refuses hold nothing up, and reserve nothing.
func TestOddLengths(t *testing.T) {
	for _, length := range []uint32{0, 1, longest, longest + 1, 1 << 31, 1<<32 - 1} {
		start := append(binary.BigEndian.AppendUint32(nil, length), typeOpen)
		m := &requests{in: bytes.NewReader(append(start, 0, 0, 0))}
		passed, _ := io.ReadAll(m)
		if !bytes.HasPrefix(passed, start) && length > longest {
			t.Errorf("%d: %x", length, passed)
		}
		if len(m.asked) > 1 {
			t.Errorf("%d: %v", length, m.asked)
		}
	}
}

// What is made has the mode that was asked for from its beginning.
func TestModesFromTheBeginning(t *testing.T) {
	home := t.TempDir()
	var asked []byte
	for _, p := range [][]byte{
		packet(1, struct{ Version uint32 }{3}),
		packet(typeOpen, openPacket{1, "bad", 0, attrMode, attrs(0o644)}),
		packet(typeMkdir, mkdirPacket{2, "closed", attrMode, attrs(0o40700)}),
		packet(typeOpen, openPacket{3, "private", 2 | 8, attrMode, attrs(0o100600)}),
	} {
		asked = append(asked, p...)
	}
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		err = Serve(bytes.NewReader(asked), out, Options{Home: home})
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"closed": 0o700, "private": 0o600} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
