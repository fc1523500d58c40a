package forward

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"minissh/protocol"
)

// What a SOCKS client says before its connection is made: version 4 (and 4a, which has names) or
// version 5 (RFC 1928), without authentication, CONNECT alone. A library would take more than that.

// asked is what a SOCKS client wants.
type asked struct {
	to      protocol.Target
	version byte
}

const (
	socksConnect = 1
	socksNone    = 0    // no authentication
	socksNoWay   = 0xff // none of the offered ways will do
	maxField     = 255  // bytes of a name, or of a user's name
)

var errNotSOCKS = errors.New("what came is not SOCKS 4 or 5")

// readSOCKS reads a request and not a byte more. A greeting of version 5 is answered meanwhile.
func readSOCKS(conn io.ReadWriter) (a asked, err error) {
	var version [1]byte
	if _, err := io.ReadFull(conn, version[:]); err != nil {
		return a, err
	}
	switch a.version = version[0]; a.version {
	case 4:
		err = a.read4(conn)
	case 5:
		err = a.read5(conn)
	default:
		return a, errNotSOCKS
	}
	if err == nil {
		if broken, ok := errors.AsType[*protocol.Violation](a.to.Check()); ok {
			err = errors.New(broken.Message)
		}
	}
	return a, err
}

// read4 reads command, port, address and user; and a name if the address is 0.0.0.x.
func (a *asked) read4(conn io.ReadWriter) error {
	var head [7]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	a.to.Port = int(binary.BigEndian.Uint16(head[1:3]))
	ip := [4]byte(head[3:7])
	a.to.Host = netip.AddrFrom4(ip).String()
	if _, err := readToZero(conn); err != nil { // the user
		return err
	}
	if ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0 {
		name, err := readToZero(conn)
		if err != nil {
			return err
		}
		a.to.Host = name
	}
	return onlyConnect(head[0])
}

// read5 reads the greeting, answers it, and reads the request.
func (a *asked) read5(conn io.ReadWriter) error {
	var count [1]byte
	if _, err := io.ReadFull(conn, count[:]); err != nil {
		return err
	}
	ways := make([]byte, count[0])
	if _, err := io.ReadFull(conn, ways); err != nil {
		return err
	}
	if bytes.IndexByte(ways, socksNone) < 0 {
		conn.Write([]byte{5, socksNoWay})
		return errors.New("the SOCKS client wants to authenticate, which is not needed here")
	}
	if _, err := conn.Write([]byte{5, socksNone}); err != nil {
		return err
	}
	var head [4]byte // version, command, 0, kind of address
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if head[0] != 5 || head[2] != 0 {
		return errNotSOCKS
	}
	length := map[byte]int{1: 4, 4: 16}[head[3]]
	if head[3] == 3 {
		if _, err := io.ReadFull(conn, count[:]); err != nil {
			return err
		}
		length = int(count[0])
	}
	if length == 0 {
		return errNotSOCKS
	}
	rest := make([]byte, length+2)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return err
	}
	a.to.Port = int(binary.BigEndian.Uint16(rest[length:]))
	a.to.Host = string(rest[:length])
	if head[3] != 3 {
		address, _ := netip.AddrFromSlice(rest[:length])
		a.to.Host = address.String()
	}
	return onlyConnect(head[1])
}

func onlyConnect(command byte) error {
	if command != socksConnect {
		return fmt.Errorf("the SOCKS client asks for command %d, and only CONNECT (1) is here",
			command)
	}
	return nil
}

// readToZero reads a text that ends with a zero byte.
func readToZero(r io.Reader) (string, error) {
	var text []byte
	var one [1]byte
	for {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return "", err
		}
		if one[0] == 0 {
			return string(text), nil
		}
		if text = append(text, one[0]); len(text) > maxField {
			return "", errNotSOCKS
		}
	}
}

// answer tells the client how it went: the code of why is nil if it is connected.
func (a *asked) answer(conn io.Writer, why *protocol.Reason) error {
	var code byte
	if a.version == 4 {
		if code = 0x5a; why != nil {
			code = 0x5b
		}
		_, err := conn.Write([]byte{0, code, 0, 0, 0, 0, 0, 0})
		return err
	}
	switch {
	case why == nil:
	case why.Code == protocol.CodeServiceRefused:
		code = 2 // not allowed
	case why.Code == protocol.CodeConnectFailed:
		code = 5 // refused
	default:
		code = 1
	}
	_, err := conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}
