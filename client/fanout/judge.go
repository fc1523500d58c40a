package fanout

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"minissh/client/knownhosts"
	"minissh/client/report"
	"minissh/protocol"
)

// verdict is how a host's end is judged.
type verdict struct {
	exit  int    // exit code
	cause string // in words that are the same for all hosts with that cause; "": all is well
	hint  string // what to type; of this host alone
}

// judge judges a host's end.
func (h *host) judge() verdict {
	r := &h.record
	failed := func(format string, args ...any) verdict {
		return verdict{exit: cmp.Or(h.code, report.ExitFailure),
			cause: fmt.Sprintf(format, args...)}
	}
	switch {
	case h.skips != "":
		return failed("not begun: %s", h.skips)
	case h.err != nil:
		v := failed("%s", h.general(h.err))
		v.hint = report.Hint(h.err)
		return v
	case len(h.left) > 0:
		return failed("stopped, but some of it could not be ended there")
	case r.How == protocol.HowDeadline:
		return failed("stopped at the time limit")
	case r.How == protocol.HowCancelled:
		return failed("stopped, its end confirmed")
	case r.How != protocol.HowExited && r.How != protocol.HowSignalled:
		return failed("stopped there: %s", protocol.Quote(r.How))
	case r.Signal != "":
		return failed("ended by signal %s", protocol.Quote(r.Signal))
	case h.code != 0 && r.Code != nil:
		return failed("exited with %d", *r.Code)
	case h.code != 0:
		return failed("%s", cmp.Or(r.Message, "how it ended is unknown"))
	}
	return verdict{}
}

// general is an error without what is this host's alone.
func (h *host) general(err error) string {
	if refusal, ok := errors.AsType[*knownhosts.Refusal](err); ok {
		switch refusal.Status {
		case knownhosts.Changed:
			return "its host key is NOT the one that is known: see above"
		case knownhosts.Revoked:
			return "its host key is revoked"
		}
		return "its host key is not known"
	}
	text := err.Error()
	names := []string{h.name}
	if o := h.options; o != nil {
		names = append(names, o.Alias, o.HostName)
		text = without(text, fmt.Sprintf("port %d", o.Port), "port …")
	}
	for _, name := range names {
		text = without(text, name, "…")
	}
	return text
}

// without is a text with another word in place of each one that is a host's.
func without(text, word, other string) string {
	if word == "" {
		return text
	}
	var b strings.Builder
	isPart := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_'
	}
	before := ' '
	for text != "" {
		rest, found := strings.CutPrefix(text, word)
		next := ' '
		for _, r := range rest {
			next = r
			break
		}
		if found && !isPart(before) && !isPart(next) {
			b.WriteString(other)
			before, text = '…', rest
			continue
		}
		for i, r := range text {
			if i > 0 {
				text = text[i:]
				break
			}
			before = r
			b.WriteString(string(r))
			if len(text) == len(string(r)) {
				text = ""
			}
		}
	}
	return b.String()
}
