package pcap

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"time"
)

// Comment is what every file says about itself.
const Comment = "Made by minissh-lab from a recorded run. The bytes, their pieces and their " +
	"times were seen; addresses, ports, sequence numbers, handshakes and acknowledgements are " +
	"made up."

// mss is the most that one packet carries: a packet's length has 16 bits.
const mss = 60000

// The TCP flags.
const (
	fin = 0x01
	syn = 0x02
	rst = 0x04
	psh = 0x08
	ack = 0x10
)

// Stream is one connection. The methods are called in the order of time.
type Stream struct {
	ports   [2]uint16 // the client's, the server's
	next    [2]uint32 // sequence numbers
	packets []packet
}

type packet struct {
	at      int64 // microseconds since the run began
	bytes   []byte
	comment string
}

// NewStream begins a connection with its handshake, at a moment in microseconds.
func NewStream(client, server uint16, at int64) *Stream {
	s := &Stream{ports: [2]uint16{client, server}, next: [2]uint32{1000, 5000}}
	s.add(at, 0, syn, nil, "")
	s.next[0]++
	s.add(at, 1, syn|ack, nil, "")
	s.next[1]++
	s.add(at, 0, ack, nil, "")
	return s
}

// side is 0 for what the client sends, 1 for what the server sends.
func side(up bool) int {
	if up {
		return 0
	}
	return 1
}

// Data is a piece that was seen; the other side acknowledges it.
func (s *Stream) Data(at int64, up bool, data []byte, comment string) {
	from := side(up)
	for len(data) > 0 {
		n := min(len(data), mss)
		s.add(at, from, psh|ack, data[:n], comment)
		s.next[from] += uint32(n)
		data = data[n:]
	}
	s.add(at, 1-from, ack, nil, "")
}

// End is a FIN.
func (s *Stream) End(at int64, up bool) {
	from := side(up)
	s.add(at, from, fin|ack, nil, "")
	s.next[from]++
	s.add(at, 1-from, ack, nil, "")
}

// Reset is a RST.
func (s *Stream) Reset(at int64, up bool) { s.add(at, side(up), rst|ack, nil, "") }

// add makes a packet: IPv4 and TCP without options.
func (s *Stream) add(at int64, from int, flags byte, data []byte, comment string) {
	const ip, tcp = 20, 20
	p := make([]byte, 0, ip+tcp+len(data))
	p = append(p, 0x45, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(ip+tcp+len(data)))
	p = append(p, 0, 0, 0x40, 0, 64, 6, 0, 0) // do not fragment, 64 hops, TCP
	p = append(p, 192, 0, 2, byte(1+from), 192, 0, 2, byte(2-from))
	binary.BigEndian.PutUint16(p[10:], ^sum(0, p))
	p = binary.BigEndian.AppendUint16(p, s.ports[from])
	p = binary.BigEndian.AppendUint16(p, s.ports[1-from])
	p = binary.BigEndian.AppendUint32(p, s.next[from])
	acked := s.next[1-from]
	if flags&ack == 0 {
		acked = 0
	}
	p = binary.BigEndian.AppendUint32(p, acked)
	p = append(p, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	p = append(p, data...)
	// RFC 9293, 3.1: the addresses, the protocol and the length are summed, too.
	pseudo := uint32(sum(0, p[12:ip])) + 6 + uint32(tcp+len(data))
	binary.BigEndian.PutUint16(p[ip+16:], ^sum(pseudo, p[ip:]))
	s.packets = append(s.packets, packet{at, p, comment})
}

// sum is RFC 1071's, not yet complemented.
func sum(start uint32, b []byte) uint16 {
	n := uint64(start)
	for ; len(b) > 1; b = b[2:] {
		n += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		n += uint64(b[0]) << 8
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}

// Write writes streams as a file, all packets in the order of time. began is when the runs' clock
// was 0.
func Write(w io.Writer, began time.Time, streams ...*Stream) error {
	var all []packet
	for _, s := range streams {
		all = append(all, s.packets...)
	}
	slices.SortStableFunc(all, func(a, b packet) int { return cmp.Compare(a.at, b.at) })
	const rawIP = 101
	section := binary.LittleEndian.AppendUint32(nil, 0x1a2b3c4d)
	section = append(section, 1, 0, 0, 0)                               // version 1.0
	section = binary.LittleEndian.AppendUint64(section, math.MaxUint64) // its length is not said
	section = option(option(section, 1, Comment), 4, "minissh-lab")
	place := binary.LittleEndian.AppendUint32(nil, rawIP) // and 2 reserved bytes
	place = binary.LittleEndian.AppendUint32(place, 0)    // packets of any length
	place = option(place, 2, "made up by the lab")
	for _, b := range [][]byte{block(0x0a0d0d0a, section, true), block(1, place, true)} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	for _, p := range all {
		at := uint64(began.UnixMicro() + p.at)
		b := binary.LittleEndian.AppendUint32(nil, 0) // the interface
		b = binary.LittleEndian.AppendUint32(b, uint32(at>>32))
		b = binary.LittleEndian.AppendUint32(b, uint32(at))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.bytes)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.bytes)))
		b = pad(append(b, p.bytes...))
		if p.comment != "" {
			b = option(b, 1, p.comment)
		}
		if _, err := w.Write(block(6, b, p.comment != "")); err != nil {
			return err
		}
	}
	return nil
}

// block is one of pcapng's: its kind, its length, its body, and its length again.
func block(kind uint32, body []byte, options bool) []byte {
	if options {
		body = append(body, 0, 0, 0, 0) // their end
	}
	n := uint32(12 + len(body))
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, n)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, n)
}

// option adds one of a block's options.
func option(b []byte, code uint16, text string) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return pad(append(b, text...))
}

// pad fills up to 32 bits.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
