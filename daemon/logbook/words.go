package logbook

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// From is sshd's "from ADDRESS port N", which programs look for in logs; zero is a Unix socket.
func From(addr netip.AddrPort) string {
	if !addr.IsValid() {
		return "from unix socket"
	}
	return fmt.Sprintf("from %s port %d", addr.Addr().WithZone(""), addr.Port())
}

// Address is where a client is: "192.0.2.1:4711"; zero is a Unix socket.
func Address(addr netip.AddrPort) string {
	if !addr.IsValid() {
		return "unix socket"
	}
	return addr.String()
}

// Name quotes a user's name that is not plainly one, so that nobody forges a "from ADDRESS" (RULES
// A13). Blanks are escaped too: a reader of logs may look for the first "from" after the user.
func Name(user string) string {
	plain := user != "" && len(user) <= 64
	for i, c := range []byte(user) {
		letter := c >= 'a' && c <= 'z' || c == '_'
		plain = plain && (letter || i > 0 && (c >= '0' && c <= '9' || c == '-'))
	}
	if plain {
		return user
	}
	return strings.ReplaceAll(strconv.QuoteToASCII(Shorten(user, 64)), " ", `\x20`)
}

// Shorten is at most so many bytes of a text, and … if there were more.
func Shorten(s string, most int) string {
	if len(s) > most {
		return s[:most] + ellipsis
	}
	return s
}

// Told is an error that the log has told of where more was known.
type Told struct{ Err error }

func (e Told) Error() string { return e.Err.Error() }
func (e Told) Unwrap() error { return e.Err }

// Hinter is an error that knows what can be typed against it; "" if nothing is known.
type Hinter interface {
	error
	Hint() string
}

// Hint is what can be typed against an error, "" if nothing is known.
func Hint(err error) string {
	if hinter, ok := errors.AsType[Hinter](err); ok {
		return hinter.Hint()
	}
	return ""
}
