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
	aliveCheck    uint32 = 0x10000004
	terminate     uint32 = 0x10000005
	stopListening uint32 = 0x10000009
	ok            uint32 = 0x80000001
	refused       uint32 = 0x80000003 // a reason
	isAlive       uint32 = 0x80000005 // the process's id
)

const (
	version     uint32 = 4
	longestBody        = 64 << 10
)

// writeMessage writes a message of numbers.
func writeMessage(w io.Writer, kind uint32, numbers ...uint32) error {
	message := binary.BigEndian.AppendUint32(nil, uint32(4+4*len(numbers)))
	message = binary.BigEndian.AppendUint32(message, kind)
	for _, n := range numbers {
		message = binary.BigEndian.AppendUint32(message, n)
	}
	_, err := w.Write(message)
	return err
}

// writeRefusal says no, and why.
func writeRefusal(w io.Writer, id uint32, why string) error {
	message := binary.BigEndian.AppendUint32(nil, uint32(12+len(why)))
	message = binary.BigEndian.AppendUint32(message, refused)
	message = binary.BigEndian.AppendUint32(message, id)
	message = binary.BigEndian.AppendUint32(message, uint32(len(why)))
	_, err := w.Write(append(message, why...))
	return err
}

// readMessage reads a message, and the numbers that it begins with, at most two.
func readMessage(r io.Reader) (kind uint32, numbers []uint32, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < 4 || length-4 > longestBody {
		return 0, nil, errors.New("a message of impossible length")
	}
	body := make([]byte, length-4)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	for len(body) >= 4 && len(numbers) < 2 {
		numbers = append(numbers, binary.BigEndian.Uint32(body))
		body = body[4:]
	}
	return binary.BigEndian.Uint32(head[4:]), numbers, nil
}
