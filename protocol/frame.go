package protocol

import (
	"encoding/binary"
	"fmt"
)

// Sizes and limits of the wire, in bytes unless said otherwise.
const (
	HeaderSize = 12    // FR1
	MaxPayload = 65536 // FR2
	MaxFrame   = HeaderSize + MaxPayload
	// ID8, FR5: payloads of the one frame read before authorization
	MaxHello = 8192
	MaxPair  = 4096
	// ID8: bytes read from a connection until TLS is done; over a Unix socket, before authorization
	MaxLogin = 16384
	// ID8: bytes read after TLS is done, before authorization: a HELLO whose last byte shares the
	// largest record
	MaxGreeting   = 28672
	InitialWindow = 262144   // CH5: credit for each direction of a new channel
	MaxWindow     = 64 << 20 // CH7
	MinChannels   = 16       // CH2: channels a client may count on before WELCOME
	MinResend     = 262144   // RE2: the smallest resend buffer that is not 0
	MaxOpens      = 1 << 20  // CH2: payloads of the OPEN frames of all open channels of one end
	MaxRequests   = 16       // CH10: SIGNALs, or NOTICEs, that may wait for the application
	MaxMessage    = 1024     // CO3: bytes of text for people
	MaxCode       = 64       // CO2: bytes of a code
	MaxGeneration = 64       // RE9: bytes of a generation's name
)

// ALPN is the name agreed on in the TLS handshake (CA1), and the protocol field of HELLO (SE1).
const ALPN = "minissh/1"

// ForGeneration and the name of a generation are a further ALPN name: that of the daemon that has
// the session for which a client comes back (RE9).
const ForGeneration = ALPN + " g="

// DefaultPort is the TCP port of a daemon (CA1).
const DefaultPort = 7422

// Type says what a frame's payload is (FR5).
type Type uint8

// Session frames: counted, on a channel.
const (
	TypeOpen   Type = 0x01 // JSON Open
	TypeOpened Type = 0x02 // JSON Opened
	// 8 bytes: total data bytes the receiver of this frame may ever send on the channel
	TypeWindow Type = 0x03
	TypeEOF    Type = 0x04 // 1 byte: the data type that has ended
	TypeSignal Type = 0x05 // JSON Signal
	TypeResize Type = 0x06 // JSON Size
	TypeNotice Type = 0x07 // JSON Notice
	TypeExit   Type = 0x08 // JSON Exit
	TypeClose  Type = 0x09 // JSON Reason

	TypeStdin  Type = 0x10 // 1 to 65,536 bytes, opener to acceptor
	TypeStdout Type = 0x11 // 1 to 65,536 bytes, acceptor to opener
	TypeStderr Type = 0x12 // 1 to 65,536 bytes, acceptor to opener
)

// Link frames: never counted, channel 0.
const (
	TypeHello   Type = 0x81 // JSON Hello, the client's first frame
	TypeWelcome Type = 0x82 // JSON Welcome, the daemon's answer
	TypeAck     Type = 0x83 // 8 bytes: session frames received
	TypePing    Type = 0x84 // 8 bytes, any
	TypePong    Type = 0x85 // the 8 bytes of a PING
	TypeGoodbye Type = 0x86 // JSON Reason
	TypeError   Type = 0x87 // JSON Reason
	TypePair    Type = 0x88 // JSON Pair, instead of HELLO and WELCOME (protocol/PAIRING.md)
)

// Flags of a frame. Both are the same bit, on different types.
const (
	FlagBlocked   = 0x01 // on a data frame: it used up the sender's credit (CH6)
	FlagSuspended = 0x01 // on PING: the client is about to be stopped (RE6)
)

// typeNames has "" for unknown types.
var typeNames = [256]string{
	TypeOpen: "OPEN", TypeOpened: "OPENED", TypeWindow: "WINDOW", TypeEOF: "EOF",
	TypeSignal: "SIGNAL", TypeResize: "RESIZE",
	TypeNotice: "NOTICE", TypeExit: "EXIT", TypeClose: "CLOSE",
	TypeStdin: "STDIN", TypeStdout: "STDOUT", TypeStderr: "STDERR",
	TypeHello: "HELLO", TypeWelcome: "WELCOME", TypeAck: "ACK", TypePing: "PING", TypePong: "PONG",
	TypeGoodbye: "GOODBYE", TypeError: "ERROR", TypePair: "PAIR",
}

// String is the type's name in PROTOCOL.md, or its number if it has none.
func (t Type) String() string {
	if name := typeNames[t]; name != "" {
		return name
	}
	return fmt.Sprintf("type 0x%02x", uint8(t))
}

// IsLink says whether a type is a link frame, not a session frame (FR5).
func (t Type) IsLink() bool { return t&0x80 != 0 }

// IsData says whether frames of a type cost credit (CH5).
func (t Type) IsData() bool { return t == TypeStdin || t == TypeStdout || t == TypeStderr }

// IsJSON says whether a type's payload is a JSON object (JS1).
func (t Type) IsJSON() bool {
	switch t {
	case TypeOpen, TypeOpened, TypeSignal, TypeResize, TypeNotice, TypeExit, TypeClose, TypeHello,
		TypeWelcome, TypeGoodbye, TypeError, TypePair:
		return true
	}
	return false
}

// Header is the first 12 bytes of a frame.
type Header struct {
	Length  uint32 // payload bytes
	Type    Type
	Flags   uint8
	Channel uint32
}

// Frame is a header with its payload. A Frame from Reader.Next is valid until the next call.
type Frame struct {
	Header
	Payload []byte
	from    *Reader // that lends the payload, if one does
}

// PutHeader writes h into the first 12 bytes of b (FR1).
func PutHeader(b []byte, h Header) {
	_ = b[HeaderSize-1]
	binary.BigEndian.PutUint32(b[0:], h.Length)
	b[4] = byte(h.Type)
	b[5] = h.Flags
	b[6], b[7] = 0, 0
	binary.BigEndian.PutUint32(b[8:], h.Channel)
}

// ParseHeader reads the 12 bytes of a header and checks all that a header alone can show (FR2, FR3,
// FR6). The error is a *Violation.
func ParseHeader(b []byte) (Header, error) {
	_ = b[HeaderSize-1]
	h := Header{
		Length:  binary.BigEndian.Uint32(b[0:]),
		Type:    Type(b[4]),
		Flags:   b[5],
		Channel: binary.BigEndian.Uint32(b[8:]),
	}
	if h.Length > MaxPayload {
		return h, Violate(CodeFrameTooLarge, "a frame announces %d bytes; the most is %d", h.Length,
			MaxPayload)
	}
	if typeNames[h.Type] == "" {
		return h, Violate(CodeUnknownType, "frame type 0x%02x is not known", uint8(h.Type))
	}
	least, most := h.Type.sizes()
	if h.Length > most {
		return h, Violate(CodeFrameTooLarge, "%v of %d bytes; the most is %d", h.Type, h.Length,
			most)
	}
	if b[6] != 0 || b[7] != 0 {
		return h, Violate(CodeBadFrame, "the reserved bytes of a %v frame are not zero", h.Type)
	}
	if h.Flags > h.Type.flags() {
		return h, Violate(CodeBadFrame, "flags 0x%02x on a %v frame", h.Flags, h.Type)
	}
	if h.Type.IsLink() != (h.Channel == 0) {
		return h, Violate(CodeBadFrame, "%v for channel %d", h.Type, h.Channel)
	}
	if h.Length < least {
		return h, Violate(CodeBadFrame, "%v of %d bytes", h.Type, h.Length)
	}
	return h, nil
}

// sizes returns the least and most payload bytes of a type (the table of FR5). What an application
// does not read waits in memory, so each maximum is as small as it can be.
func (t Type) sizes() (least, most uint32) {
	switch t {
	case TypeStdin, TypeStdout, TypeStderr:
		return 1, MaxPayload
	case TypeEOF:
		return 1, 1
	case TypeWindow, TypeAck, TypePing, TypePong:
		return 8, 8
	case TypeHello:
		return 2, MaxHello // a JSON object is at least {}
	case TypePair:
		return 2, MaxPair
	case TypeOpen:
		return 2, MaxPayload
	case TypeSignal, TypeResize:
		return 2, 256
	case TypeWelcome, TypeExit: // two paths
		return 2, 16384
	}
	return 2, 8192 // a message of 1,024 bytes, each escaped as \u0000
}

// flags returns the one flag that a type may have, 0 for none (FR3).
func (t Type) flags() uint8 {
	switch {
	case t.IsData():
		return FlagBlocked
	case t == TypePing:
		return FlagSuspended
	}
	return 0
}

// AppendFrame appends a whole frame to b, ready for one Write (FR4). The caller keeps payload
// within MaxPayload.
func AppendFrame(b []byte, t Type, flags uint8, channel uint32, payload []byte) []byte {
	n := len(b)
	b = append(b, make([]byte, HeaderSize)...)
	PutHeader(b[n:], Header{Length: uint32(len(payload)), Type: t, Flags: flags, Channel: channel})
	return append(b, payload...)
}

// AppendNumber appends a frame whose payload is one 8-byte number: WINDOW, ACK, PING or PONG.
func AppendNumber(b []byte, t Type, channel uint32, number uint64) []byte {
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], number)
	return AppendFrame(b, t, 0, channel, payload[:])
}

// Number is the payload of a WINDOW, ACK, PING or PONG frame. ParseHeader has checked its size.
func (f Frame) Number() uint64 { return binary.BigEndian.Uint64(f.Payload) }

// Ended is the data type that an EOF frame names; the error is a *Violation.
func (f Frame) Ended() (Type, error) {
	if t := Type(f.Payload[0]); t.IsData() {
		return t, nil
	}
	return 0, Violate(CodeBadFrame, "EOF for 0x%02x, which is not a kind of data", f.Payload[0])
}
