//go:build unix

package wireshark_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// capture is a capture file in the making, in the classic pcap format with raw IPv4 packets: it
// holds what tests want to see in it, cut as they like, which no real network would do twice.
type capture struct {
	file    bytes.Buffer
	clock   uint32 // microseconds
	streams int
	snap    int // most bytes kept of a packet; 0: all
}

func newCapture() *capture {
	c := new(capture)
	const rawIP = 101
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), int32(0), uint32(0),
		uint32(math.MaxUint16), uint32(rawIP)} {
		binary.Write(&c.file, binary.LittleEndian, v)
	}
	return c
}

// stream is one TCP connection in a capture.
type stream struct {
	c    *capture
	id   int    // tshark's tcp.stream
	port uint16 // the server's
	from uint16 // the client's
	next [2]uint32
}

const client, server = 0, 1

// connect adds a connection's handshake.
func (c *capture) connect(port uint16) *stream {
	s := &stream{c: c, id: c.streams, port: port, from: uint16(50000 + c.streams),
		next: [2]uint32{1000, 5000}}
	c.streams++
	s.packet(client, 999, 0x02, nil)
	s.packet(server, 4999, 0x12, nil)
	s.packet(client, 1000, 0x10, nil)
	return s
}

// send adds segments with these bytes, in order, each acknowledged.
func (s *stream) send(side int, segments ...[]byte) {
	for _, segment := range segments {
		s.at(side, s.next[side], segment)
		s.next[side] += uint32(len(segment))
		s.packet(1-side, s.next[1-side], 0x10, nil)
	}
}

// at adds a segment with any sequence number.
func (s *stream) at(side int, seq uint32, data []byte) { s.packet(side, seq, 0x18, data) }

// end adds both FINs.
func (s *stream) end() {
	s.packet(client, s.next[client], 0x11, nil)
	s.packet(server, s.next[server], 0x11, nil)
}

func (s *stream) packet(side int, seq uint32, flags byte, data []byte) {
	const mss = 60000 // a packet's length has 16 bits
	if len(data) > mss {
		s.packet(side, seq, flags, data[:mss])
		s.packet(side, seq+mss, flags, data[mss:])
		return
	}
	ports, hosts := [2]uint16{s.from, s.port}, [2]byte{1, 2}
	var p []byte
	p = append(p, 0x45, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(40+len(data)))
	p = append(p, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 9, 0, hosts[side], 10, 9, 0, hosts[1-side])
	p = binary.BigEndian.AppendUint16(p, ports[side])
	p = binary.BigEndian.AppendUint16(p, ports[1-side])
	p = binary.BigEndian.AppendUint32(p, seq)
	ack := s.next[1-side]
	if flags&0x10 == 0 {
		ack = 0
	}
	p = binary.BigEndian.AppendUint32(p, ack)
	p = append(p, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	p = append(p, data...)
	kept := len(p)
	if s.c.snap > 0 {
		kept = min(kept, s.c.snap)
	}
	s.c.clock += 100
	for _, v := range []uint32{s.c.clock / 1e6, s.c.clock % 1e6, uint32(kept), uint32(len(p))} {
		binary.Write(&s.c.file, binary.LittleEndian, v)
	}
	s.c.file.Write(p[:kept])
}

// write puts the capture into a file of the test's.
func (c *capture) write(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(name, c.file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// each gives b one byte at a time.
func each(b []byte) [][]byte {
	var all [][]byte
	for i := range b {
		all = append(all, b[i:i+1])
	}
	return all
}
