//go:build unix

package wireshark_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
)

// garbage is a conversation with some of its bytes changed, taken out or put in. The same seed
// gives the same.
func garbage(random *rand.Rand, raw []byte) []byte {
	raw = slices.Clone(raw)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(raw))
		switch random.IntN(4) {
		case 0:
			raw[at] = byte(random.IntN(256))
		case 1:
			raw[at] ^= 1 << random.IntN(8)
		case 2:
			raw = slices.Delete(raw, at, min(len(raw), at+1+random.IntN(20)))
		case 3:
			noise := make([]byte, 1+random.IntN(20))
			for i := range noise {
				noise[i] = byte(random.IntN(256))
			}
			raw = slices.Insert(raw, at, noise...)
		}
		if len(raw) == 0 {
			return []byte{0}
		}
	}
	return raw
}

// Whatever comes, no dissector stumbles: no error in Lua (tshark looks for one), no hang; sound
// frames before the fault are shown.
func TestGarbage(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	fromClient, fromServer := talk()
	c := newCapture()
	var want [][2][]string
	for i := range 240 {
		port := []uint16{plainPort, simplePort, ultimatePort}[i%3]
		s := c.connect(port)
		raw := [2][]byte{garbage(random, fromClient), garbage(random, fromServer)}
		if port != plainPort {
			raw[server] = garbage(random, slices.Concat([]byte("\x05\x00\x00\x00hello"),
				[]byte("\x12\x00\x00\x00{\"total_size\": 11}hello world")))
		}
		for side, all := range raw {
			s.send(side, slices.Collect(slices.Chunk(all, 1+random.IntN(200)))...)
		}
		s.end()
		want = append(want, [2][]string{said(t, raw[client]), said(t, raw[server])})
	}
	file := c.write(t)
	tshark(t, file, append(slices.Clone(dialectArgs), "-2", "-V")...)
	got := seen(fields(t, file, frameFields, dialectArgs...), plainPort)
	for id := 0; id < len(want); id += 3 {
		for side := range want[id] {
			shown := got[way{id, side == client}]
			if len(shown) < len(want[id][side]) {
				t.Errorf("connection %d, side %d: %d frames shown, the programs read %d", id, side,
					len(shown), len(want[id][side]))
			}
		}
	}
}

// A frame that is too large is named at once, not waited for; then nothing is believed in that
// direction, and everything in the other.
func TestFrameTooLarge(t *testing.T) {
	t.Parallel()
	fromClient, fromServer := talk()
	c := newCapture()
	for _, large := range []string{"\x00\x01\x00\x01\x10\x00\x00\x00\x00\x00\x00\x01",
		"\xff\xff\xff\xff\x10\x00\x00\x00\x00\x00\x00\x01", "GET / HTTP/1.1\r\n\r\n"} {
		s := c.connect(plainPort)
		s.send(client, fromClient, []byte(large), fromClient)
		s.send(server, fromServer)
		s.end()
	}
	packets := fields(t, c.write(t), append(frameFields, "minissh.violation", "_ws.expert.message"))
	got, codes := seen(packets, plainPort), faults(packets)
	for id := range c.streams {
		shown := got[way{id, true}]
		sound := said(t, fromClient)
		if len(shown) != len(sound)+1 {
			t.Errorf("%d: %d frames shown", id, len(shown))
		}
		same(t, "before it", shown[:min(len(sound), len(shown))], sound)
		same(t, "the other direction", got[way{id, false}], said(t, fromServer))
		if !slices.Equal(codes[id], []string{"frame_too_large"}) {
			t.Errorf("%d: %q", id, codes[id])
		}
	}
}

// A capture that ends in the middle, or holds only the beginning of each packet, shows what there
// is.
func TestPartsOfACapture(t *testing.T) {
	t.Parallel()
	fromClient, fromServer := talk()
	c := newCapture()
	snaps := []int{40, 41, 45, 52, 53, 60, 100, 250}
	for _, snap := range snaps {
		c.snap = snap
		s := c.connect(plainPort)
		s.send(client, fromClient)
		s.send(server, fromServer)
		s.end()
	}
	parts := map[int]int{}
	for _, p := range fields(t, c.write(t), []string{"minissh.rest"}) {
		parts[atoi(p["tcp.stream"][0])] += len(p["minissh.rest"])
	}
	for id, snap := range snaps {
		if want := 2 * min(1, snap-40); parts[id] != want { // one each way
			t.Errorf("snap length %d: %d parts are shown, not %d", snap, parts[id], want)
		}
	}
	c = newCapture()
	s := c.connect(plainPort)
	s.send(client, each(fromClient)...)
	s.send(server, fromServer)
	whole := c.file.Bytes()
	for _, n := range []int{24, 5000, len(whole) - 1} {
		file := filepath.Join(t.TempDir(), "capture.pcap")
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := tryTshark(t, file, "-V"); code != 0 && !strings.Contains(out, "cut short") {
			t.Errorf("%d bytes: tshark ended with %d: %.300s", n, code, out)
		}
	}
	// It begins in the middle: channels that are not known are not a fault, and nothing is made up
	// about who is who.
	c = newCapture()
	s = c.connect(plainPort)
	frames := bytes.NewReader(fromServer)
	r := protocol.NewReader(frames)
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	s.send(server, fromServer[len(fromServer)-frames.Len():])
	packets := fields(t, c.write(t), append(frameFields, "minissh.violation", "minissh.from"))
	if codes := faults(packets); len(codes[0]) > 0 {
		t.Errorf("%q", codes[0])
	}
	for _, p := range packets {
		if len(p["minissh.from"]) > 0 {
			t.Errorf("from %q: who can know", p["minissh.from"])
		}
	}
	if got := seen(packets, plainPort)[way{0, false}]; len(got) != len(said(t, fromServer))-2 {
		t.Errorf("%d frames", len(got))
	}
}
