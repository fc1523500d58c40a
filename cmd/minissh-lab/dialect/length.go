package dialect

import (
	"encoding/binary"
	"fmt"
)

// LengthSize is what struct.calcsize('i') says: four bytes.
const LengthSize = 4

// EncodeLength is struct.pack('i', n): four bytes, signed, little-endian on a PC;
// with bigEndian struct.pack('!i', n).
func EncodeLength(bigEndian bool, n int32) []byte {
	return order(bigEndian).AppendUint32(nil, uint32(n))
}

// DecodeLength is struct.unpack('i', b)[0] with the check that the course forgets:
// a length from the other side is believed only within 0 to max. b holds at least
// four bytes. The error is a *LengthError.
func DecodeLength(bigEndian bool, b []byte, max int64) (int, error) {
	n := int32(order(bigEndian).Uint32(b))
	if n < 0 || int64(n) > max {
		return 0, &LengthError{N: int64(n), Max: max, Bytes: string(b[:LengthSize])}
	}
	return int(n), nil
}

func order(bigEndian bool) interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if bigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// LengthError is a length that is not believed.
type LengthError struct {
	N, Max int64
	Bytes  string // the four bytes where the length was read from, "" when it was in a JSON header
}

func (e *LengthError) Error() string {
	if e.Bytes == "" {
		return fmt.Sprintf("length %d is not within 0 to %d", e.N, e.Max)
	}
	return fmt.Sprintf("length %d (bytes % x, %q) is not within 0 to %d", e.N, e.Bytes, e.Bytes,
		e.Max)
}
