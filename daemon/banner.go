package daemon

import (
	"strings"

	"minissh/daemon/authorized"
	"minissh/protocol"
)

// mostBanner is how many bytes of a banner are shown, and how many it may have as JSON, in which a
// control character takes six: a WELCOME that fits no frame would let nobody in.
const mostBanner = 8 << 10

// banner is what a client's user is told first, at a login and not when a client comes back. A file
// that cannot be read is in the log.
func (a *arrival) banner(hello *protocol.Hello) string {
	terms, err := a.s.terms(a.who)
	if err != nil || terms.Banner == "" || !hello.Create {
		return ""
	}
	text, err := authorized.Read(terms.Banner, authorized.Owner{UID: a.s.opts.Account.UID})
	if err != nil {
		a.s.log.Warn("The banner cannot be shown", "file", terms.Banner, "error", err.Error())
		return ""
	}
	return bounded(text)
}

// bounded is as much of a banner as fits.
func bounded(text []byte) string {
	s := strings.ToValidUTF8(string(text[:min(len(text), mostBanner)]), "")
	s = strings.ReplaceAll(s, "\x00", "")
	for {
		encoded, err := protocol.Bytes(s).MarshalJSON()
		more := len(encoded) - len(`""`) - mostBanner
		switch {
		case err != nil:
			return ""
		case more <= 0:
			return s
		}
		s = strings.ToValidUTF8(s[:len(s)-(more+5)/6], "") // no byte takes more than six
	}
}
