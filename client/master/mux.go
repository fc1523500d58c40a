package master

import (
	"encoding/binary"
	"errors"
	"io"
)

// Kinds of messages (OpenSSH's PROTOCOL.mux). Each has a length and a kind of 4 bytes, and after
// hello the number of the request.
const (
	hello         uint32 = 0x00000001 // the version
	newCommand    uint32 = 0x10000002 // a command, see command.go
	aliveCheck    uint32 = 0x10000004
	terminate     uint32 = 0x10000005
	openForward   uint32 = 0x10000006 // a forward, see forward.go
	closeForward  uint32 = 0x10000007 // the same
	stopListening uint32 = 0x10000009
	ok            uint32 = 0x80000001
	refused       uint32 = 0x80000003 // a reason
	exit          uint32 = 0x80000004 // of a session: its code
	isAlive       uint32 = 0x80000005 // the process's id
	opened        uint32 = 0x80000006 // the session's number
	remotePort    uint32 = 0x80000007 // the port that a forward has there
	withoutTTY    uint32 = 0x80000008 // of a session that asked for one
)

const (
	version     uint32 = 4
	longestBody        = 64 << 10
)

// message is what is sent, without its length.
type message []byte

func newMessage(kind uint32, numbers ...uint32) message {
	m := binary.BigEndian.AppendUint32(nil, kind)
	for _, n := range numbers {
		m = binary.BigEndian.AppendUint32(m, n)
	}
	return m
}

func (m message) text(s string) message {
	return append(binary.BigEndian.AppendUint32(m, uint32(len(s))), s...)
}

func (m message) number(n uint32) message { return binary.BigEndian.AppendUint32(m, n) }

func (m message) writeTo(w io.Writer) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...))
	return err
}

// body is what comes after a message's kind. Once it is bad it gives zeros.
type body struct {
	rest []byte
	bad  bool
}

func (b *body) number() uint32 {
	if len(b.rest) < 4 {
		b.rest, b.bad = nil, true
		return 0
	}
	n := binary.BigEndian.Uint32(b.rest)
	b.rest = b.rest[4:]
	return n
}

func (b *body) text() string {
	n := b.number()
	if uint64(n) > uint64(len(b.rest)) {
		b.rest, b.bad = nil, true
		return ""
	}
	s := string(b.rest[:n])
	b.rest = b.rest[n:]
	return s
}

// readMessage reads a message.
func readMessage(r io.Reader) (kind uint32, b *body, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < 4 || length-4 > longestBody {
		return 0, nil, errors.New("a message of impossible length")
	}
	rest := make([]byte, length-4)
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, nil, err
	}
	return binary.BigEndian.Uint32(head[4:]), &body{rest: rest}, nil
}
