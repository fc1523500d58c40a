//go:build unix

package wireshark_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
)

// Names of sessions and proofs of pairing are not shown unless somebody asks for them, as `minissh
// trace` hides them.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	session, proof := strings.Repeat("5f", 32), strings.Repeat("a7", 32)
	c := newCapture()
	c.connect(plainPort).send(client, protocol.AppendFrame(nil, protocol.TypeHello, 0, 0,
		[]byte(`{"protocol":"minissh/1","session":"`+session+
			`","epoch":1,"create":true,"user":"u"}`)))
	s := c.connect(plainPort)
	s.send(client, protocol.AppendFrame(nil, protocol.TypePair, 0, 0,
		[]byte(`{"protocol":"minissh/1","user":"u","proof":"`+proof+`"}`)))
	s.send(server, protocol.AppendFrame(nil, protocol.TypePair, 0, 0,
		[]byte(`{"user":"","proof":"`+proof+`"}`)))
	file := c.write(t)
	for show, want := range map[bool]int{false: 0, true: 1} {
		out := tshark(t, file, "-V", "-o", fmt.Sprintf("minissh.secrets:%v", show))
		for _, secret := range []string{session, proof} {
			if strings.Contains(out, secret) != (want > 0) {
				t.Errorf("secrets shown: %v; a secret is in the output %d times", show,
					strings.Count(out, secret))
			}
		}
		if !strings.Contains(out, "PAIR u") || strings.Contains(out, "[Violation") {
			t.Errorf("%.3000s", out)
		}
	}
}

// record is one of the service files: length, header, body.
func record(header, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(header)))) + header + body
}

// The records of a transfer are counted and named wherever they lie in frames; their bodies are
// passed over, whatever is in them.
func TestRecordsOfFiles(t *testing.T) {
	t.Parallel()
	trap := record(`{"kind":"trap","id":9}`, "") // in a body it is not a record
	put := record(`{"kind":"dir","id":1,"name":"d","mode":493,"mtime":1,"nsec":0}`, "") +
		record(
			fmt.Sprintf(
				`{"kind":"file","id":2,"name":"d/你好.txt","size":%d,"mode":420,"mtime":1,"body":%d}`, len(trap)+3, len(trap)), trap) +
		record(`{"kind":"data","body":3}`, "\x00\x00\x00") +
		record(`{"kind":"end","digest":"sha256:00"}`, "") +
		record(`{"kind":"link","id":3,"name":{"b64":"1tA="},"target":"x"}`, "") +
		record(`{"kind":"done"}`, "")
	want := []string{`dir 1 "d"`, fmt.Sprintf(`file 2 "d/你好.txt" of %d B, body %d B`, len(trap)+3,
		len(trap)), "data, body 3 B", "end", `link 3 "\xd6\xd0"`, "done"}
	answer := record(`{"kind":"stored","id":2}`, "") +
		record(`{"kind":"error","id":3,"code":"exists","message":"m"}`, "") +
		record(`{"kind":"done"}`, "")
	wantAnswer := []string{"stored 2", "error 3 exists", "done"}
	c := newCapture()
	sizes := []int{1, 2, 3, 4, 5, 17, 100, len(put)}
	for _, size := range sizes {
		s := c.connect(plainPort)
		frames := func(kind protocol.Type, data string) (all []byte) {
			for part := range slices.Chunk([]byte(data), size) {
				all = protocol.AppendFrame(all, kind, 0, 1, part)
			}
			return all
		}
		s.send(client, protocol.AppendFrame(nil, protocol.TypeOpen, 0, 1,
			[]byte(`{"service":"files","files":{"mode":"put","target":"in"}}`)),
			frames(protocol.TypeStdin, put))
		s.send(server, protocol.AppendFrame(nil, protocol.TypeOpened, 0, 1, []byte(`{"pid":1}`)),
			frames(protocol.TypeStdout, answer))
	}
	bad := c.connect(plainPort)
	bad.send(client, protocol.AppendFrame(nil, protocol.TypeOpen, 0, 1,
		[]byte(`{"service":"files"}`)), protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1,
		[]byte("\x00\x00\x00\x01{and"+put)))
	got := map[way][]string{}
	for _, p := range fields(t, c.write(t), []string{"minissh.record"}) {
		w := way{atoi(p["tcp.stream"][0]), atoi(p["tcp.dstport"][0]) == plainPort}
		got[w] = append(got[w], p["minissh.record"]...)
	}
	for id, size := range sizes {
		same(t, fmt.Sprintf("frames of %d, put", size), got[way{id, true}], want)
		same(t, fmt.Sprintf("frames of %d, answer", size), got[way{id, false}], wantAnswer)
	}
	same(t, "no record", got[way{bad.id, true}], []string{"a header of 1 bytes"})
}
