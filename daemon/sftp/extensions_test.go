//go:build unix

package sftp

import (
	"bytes"
	"encoding/binary"
	"io"
	"os/user"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// ask has a server answer packets, one after the other; its answers come without their lengths.
func ask(t *testing.T, o Options, packets ...[]byte) (answers [][]byte) {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	served := make(chan error)
	go func() { served <- Serve(in, out, o) }()
	for _, one := range append([][]byte{packet(1, struct{ Version uint32 }{3})}, packets...) {
		_, err := toServer.Write(one)
		must(t, err)
		var length [4]byte
		_, err = io.ReadFull(fromServer, length[:])
		must(t, err)
		answer := make([]byte, binary.BigEndian.Uint32(length[:]))
		_, err = io.ReadFull(fromServer, answer)
		must(t, err)
		answers = append(answers, answer)
	}
	toServer.Close()
	must(t, <-served)
	return answers
}

func extended(id uint32, name string, rest ...byte) []byte {
	return packet(200, extendedPacket{id, name, rest})
}

// What is announced is answered, each request once, and with what the server then keeps (SU3).
func TestExtensions(t *testing.T) {
	_, folder := place(t)
	missing := packet(17, pathPacket{7, "nothing"})
	answers := ask(t, Options{Home: folder}, extended(7, "limits@openssh.com"), missing,
		extended(8, "unknown@openssh.com"), extended(9, "limits@openssh.com"), extended(10, ""))
	if len(answers) != 6 {
		t.Fatalf("%d answers", len(answers))
	}
	for _, name := range []string{"limits@openssh.com", "expand-path@openssh.com",
		"posix-rename@openssh.com", "statvfs@openssh.com", "hardlink@openssh.com"} {
		if !bytes.Contains(answers[0], ssh.Marshal(pairPacket{name, ""})[:4+len(name)]) {
			t.Errorf("%s is not announced: %q", name, answers[0])
		}
	}
	for i, kind := range map[int]byte{1: 201, 2: 101, 4: 201, 5: 101} {
		if answers[i][0] != kind {
			t.Errorf("answer %d is %x", i, answers[i])
		}
	}
	var limits limitsPacket
	must(t, ssh.Unmarshal(answers[1][1:], &limits))
	if limits != (limitsPacket{7, 262_144, 261_120, 261_120, 0}) {
		t.Error(limits)
	}

	big := strings.Repeat("x", 261_120)
	c := dial(t, Options{Home: folder})
	f, err := c.Create("big")
	must(t, err)
	_, err = f.Write([]byte(big))
	must(t, err, f.Close())
	handle := ssh.Marshal(struct{ Handle string }{"1"})
	answers = ask(t, Options{Home: folder}, packet(3, openPacket{1, "big", 1 | 2, 0, nil}),
		packet(6, struct {
			ID     uint32
			Handle string
			At     uint64
			Data   string
		}{2, "1", 0, big}),
		packet(5, struct {
			ID   uint32
			Rest []byte `ssh:"rest"`
		}{3, append(handle, attrs(0, 0, 261_120)...)}))
	if got := answers[3]; got[0] != 103 || len(got) != 1+4+4+261_120 {
		t.Errorf("of the longest read come %d bytes: %.40q", len(got), got)
	}
}

// ~ is expanded as scp wants it, and leads out of no folder (SU5).
func TestExpandPath(t *testing.T) {
	_, folder := place(t)
	me, err := user.Current()
	must(t, err)
	for path, want := range map[string]string{"~": folder, "~/": folder, "~/a/b": folder + "/a/b",
		"mine": folder + "/mine", "/etc": "/etc", "~" + me.Username + "/a": me.HomeDir + "/a",
		"~no user/a": folder + "/~no user/a"} {
		for _, o := range []Options{{Home: folder}, {Folder: folder}} {
			if o.Folder != "" && strings.HasPrefix(path, "~"+me.Username) {
				want = folder + "/" + path
			}
			answers := ask(t, o, extended(3, "expand-path@openssh.com",
				ssh.Marshal(struct{ Path string }{path})...))
			if got := answers[1]; got[0] != 104 || !bytes.Contains(got,
				ssh.Marshal(struct{ Path string }{want})) {
				t.Errorf("%s is %q, not %s", path, got, want)
			}
		}
	}
}
