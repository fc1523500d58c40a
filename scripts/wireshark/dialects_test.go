//go:build unix

package wireshark_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// simpleReply and ultimateReply are what a server of the dialects sends. cmd/minissh-lab/dialect
// has the same, checked against Python.
func simpleReply(order binary.AppendByteOrder, data string) []byte {
	return append(order.AppendUint32(nil, uint32(len(data))), data...)
}

func ultimateReply(order binary.AppendByteOrder, header, data string) []byte {
	return append(simpleReply(order, header), data...)
}

// header is the course's, as Python writes it.
func header(key string, size int) string {
	return fmt.Sprintf(`{"filename": "\u4f60\u597d.txt", "md5": "xxdxxx", "%s": %d}`, key, size)
}

const simplePort, ultimatePort = 7010, 7011

var dialectArgs = []string{"-o", fmt.Sprintf("labsimple.port:%d", simplePort), "-d",
	fmt.Sprintf("tcp.port==%d,labultimate", ultimatePort)}

// shown gives what the server said on each connection: lengths, headers and data of its messages.
func shown(t *testing.T, c *capture, args ...string) map[int][]string {
	t.Helper()
	names := []string{"labsimple.length", "labsimple.data", "labultimate.length",
		"labultimate.header", "labultimate.total_size", "labultimate.data"}
	all := map[int][]string{}
	for _, p := range fields(t, c.write(t), names, slices.Concat(dialectArgs, args)...) {
		id := atoi(p["tcp.stream"][0])
		for len(p["labsimple.length"]) > 0 {
			text := p.take("labsimple.length")
			if text != "0" {
				text += " " + p.take("labsimple.data")
			}
			all[id] = append(all[id], text)
		}
		for len(p["labultimate.length"]) > 0 {
			text := p.take("labultimate.length") + " " + p.take("labultimate.header") + " " +
				p["labultimate.total_size"][0]
			if p.take("labultimate.total_size") != "0" {
				text += " " + p.take("labultimate.data")
			}
			all[id] = append(all[id], text)
		}
	}
	return all
}

// N replies are shown as N wherever they are cut: in the length, the JSON, a character of several
// bytes; and however they are glued.
func TestDialects(t *testing.T) {
	t.Parallel()
	// the last is gbk
	texts := []string{"a.txt\n你好.txt\n", "", strings.Repeat("line\n", 10), "\xc4\xe3\xba\xc3"}
	keys := []string{"total_size", "data_size", "file_size", "filesize"}
	for _, big := range []bool{false, true} {
		t.Run(fmt.Sprintf("big endian %v", big), func(t *testing.T) {
			t.Parallel()
			order := binary.AppendByteOrder(binary.LittleEndian)
			if big {
				order = binary.BigEndian
			}
			var simple, ultimate []byte
			var wantSimple, wantUltimate []string
			for i, text := range texts {
				head := header(keys[i], len(text))
				simple = append(simple, simpleReply(order, text)...)
				ultimate = append(ultimate, ultimateReply(order, head, text)...)
				tail := ""
				if text != "" {
					tail = fmt.Sprintf(" %x", text)
				}
				wantSimple = append(wantSimple, fmt.Sprintf("%d%s", len(text), tail))
				wantUltimate = append(wantUltimate,
					fmt.Sprintf("%d %s %d%s", len(head), head, len(text), tail))
			}
			c, names, want := newCapture(), map[int]string{}, map[int][]string{}
			add := func(port uint16, all []byte, expected []string, name string,
				segments ...[]byte) {
				s := c.connect(port)
				s.send(client, []byte("ls"))
				s.send(server, segments...)
				s.end()
				names[s.id], want[s.id] = name, expected
			}
			for port, all := range map[uint16][]byte{simplePort: simple, ultimatePort: ultimate} {
				expected := wantSimple
				if port == ultimatePort {
					expected = wantUltimate
				}
				for cut := range len(all) {
					add(port, all, expected, fmt.Sprintf("port %d, cut at %d", port, cut),
						slices.DeleteFunc([][]byte{all[:cut], all[cut:]},
							func(b []byte) bool { return len(b) == 0 })...)
				}
				for _, size := range []int{1, 2, 3, 4, 5, 9, 50} {
					add(port, all, expected, fmt.Sprintf("port %d, segments of %d", port, size),
						slices.Collect(slices.Chunk(all, size))...)
				}
			}
			args := []string{"-o", fmt.Sprintf("labsimple.big_endian:%v", big), "-o",
				fmt.Sprintf("labultimate.big_endian:%v", big)}
			for _, passes := range [][]string{args, append(args, "-2")} {
				got := shown(t, c, passes...)
				for id := range c.streams {
					same(t, names[id], got[id], want[id])
				}
			}
		})
	}
}

// A reply names the command that it answers; lengths that cannot be are told, and what follows them
// is not believed.
func TestDialectsAnswersAndFaults(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	c := newCapture()
	s := c.connect(simplePort)
	for _, text := range []string{"one", "two"} {
		s.send(client, []byte(text))
		s.send(server, simpleReply(le, text))
	}
	framed := func(header string) string { return string(simpleReply(le, header)) }
	wants := map[int]string{}
	for _, bad := range []struct {
		port      uint16
		raw, want string
	}{
		{simplePort, "\xff\xff\xff\xff", "a length of -1"},
		{simplePort, "\xff\xff\xff\x7f", "a length of 2147483647"},
		{simplePort, "\nls\n more of it",
			"a length of 175336458"}, // what the course's own bug reads (COURSE: over-counting)
		{ultimatePort, "\xff\xff\xff\xff", "a header of -1 bytes"},
		{ultimatePort, "\x01\x20\x00\x00", "a header of 8193 bytes"},
		{ultimatePort, "\x00\x00\x00\x00", "a header of 0 bytes"},
		{ultimatePort, framed("[]"), "the header is not JSON"},
		{ultimatePort, framed(`{"total_size": 11`), "the header is not JSON"},
		{ultimatePort, framed(strings.Repeat(`{"a":`, 1000)), "the header is not JSON"},
		{ultimatePort, framed("{\"a\": \"\xff\"}"), "the header is not JSON: it is not UTF-8"},
		{ultimatePort, framed(`{"filename": "a.txt"}`), "the header names no size"},
		{ultimatePort, framed(`{"total_size": -1}`), "the header names no size"},
		{ultimatePort, framed(`{"total_size": "11"}`), "the header names no size"},
		{ultimatePort, framed(`{"total_size": 1.5}`), "the header names no size"},
		{ultimatePort, framed(`{"total_size": 9007199254740992}`), "a size of 9007199254740992"},
	} {
		s := c.connect(bad.port)
		s.send(client, []byte("ls"))
		s.send(server, []byte(bad.raw), []byte("and more"))
		wants[s.id] = bad.want
	}
	packets := fields(t, c.write(t), []string{"frame.number", "labsimple.command",
		"labsimple.asked_in", "labsimple.text", "_ws.col.Info", "_ws.expert.message"},
		dialectArgs...)
	numbers := map[string]string{}
	for _, p := range packets {
		if command := p["labsimple.command"]; len(command) == 1 && p["tcp.stream"][0] == "0" {
			numbers[command[0]] = p["frame.number"][0]
		}
		if text := p["labsimple.text"]; len(text) == 1 && p["tcp.stream"][0] == "0" {
			if command := strings.Trim(text[0],
				`"`); p["labsimple.asked_in"][0] != numbers[command] {
				t.Errorf("%s answers %v, not %s", command, p["labsimple.asked_in"],
					numbers[command])
			}
		}
	}
	if len(numbers) != 2 {
		t.Errorf("commands: %v", numbers)
	}
	for id, want := range wants {
		var all []string
		for _, p := range packets {
			if atoi(p["tcp.stream"][0]) == id {
				all = append(all, p["_ws.expert.message"]...)
			}
		}
		if text := strings.Join(all, "|"); !strings.Contains(text, want) ||
			!strings.Contains(text, "bytes after one that could not be") {
			t.Errorf("%s: %s", want, text)
		}
	}
}
