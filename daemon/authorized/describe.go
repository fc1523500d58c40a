package authorized

import (
	"strconv"
	"strings"
	"time"
)

// Describe tells people who look at their configuration what holds for the key, "" if nothing does.
// Values are quoted.
func (r *Restrictions) Describe() string {
	var parts []string
	add := func(is bool, text string) {
		if is {
			parts = append(parts, text)
		}
	}
	add(r.HasCommand, "command="+strconv.QuoteToASCII(clipWords(r.Command)))
	add(r.From.set, "from="+strconv.QuoteToASCII(clipWords(r.From.String())))
	add(!r.Expiry.IsZero(), "expires "+r.Expiry.Format(time.RFC3339))
	add(r.Restricted, "restrict")
	add(r.Restricted && !r.NoPty, "pty")
	add(!r.Restricted && r.NoPty, "no-pty")
	add(!r.Restricted && r.NoPortForwarding, "no-port-forwarding")
	if r.FilesFolder != "" {
		value := r.FilesFolder
		if r.FilesMode != "" {
			value += "," + r.FilesMode
		}
		parts = append(parts, "minissh-files="+strconv.QuoteToASCII(clipWords(value)))
	}
	for _, pair := range r.Environment {
		parts = append(parts, "environment="+strconv.QuoteToASCII(clipWords(pair)))
	}
	return strings.Join(parts, " ")
}

// String is the list as sshd would read it.
func (f From) String() string {
	var list []string
	for _, p := range f.patterns {
		text := p.text
		if p.not {
			text = "!" + text
		}
		list = append(list, text)
	}
	return strings.Join(list, ",")
}

func clipWords(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
