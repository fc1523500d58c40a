package protocol

import (
	"fmt"
	"strings"
)

// Describe puts a frame into words for people: header fields, then the message or the first bytes
// of data (at most limit), everything from the other side quoted. Session names and the contents of
// PAIR are hidden: they are secrets (SE1).
func Describe(f Frame, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-7v", f.Type)
	if !f.Type.IsLink() {
		fmt.Fprintf(&b, " channel %d", f.Channel)
	}
	fmt.Fprintf(&b, " length %d", f.Length)
	switch {
	case f.Flags == 0:
	case f.Type == TypePing:
		b.WriteString(" SUSPENDED")
	default:
		b.WriteString(" BLOCKED")
	}
	switch {
	case f.Type.IsData():
		shown := f.Payload[:min(limit, len(f.Payload))]
		fmt.Fprintf(&b, " %s", Quote(string(shown)))
		if more := len(f.Payload) - len(shown); more > 0 {
			fmt.Fprintf(&b, " … and %d bytes more", more)
		}
	case f.Type == TypeEOF:
		fmt.Fprintf(&b, " %v has ended", Type(f.Payload[0]))
	case f.Type == TypeHello:
		fmt.Fprintf(&b, " %s", describeHello(f))
	case f.Type == TypePair:
		b.WriteString(" (hidden)")
	case f.Type.IsJSON():
		b.WriteString(" " + graphic(string(f.Payload)))
	default:
		fmt.Fprintf(&b, " %d", f.Number())
	}
	return b.String()
}

func describeHello(f Frame) string {
	var hello Hello
	if f.Decode(&hello) != nil {
		return "(not shown: it does not parse)"
	}
	hello.Session = "(hidden)"
	text, err := marshal(hello)
	if err != nil {
		return "(not shown: " + err.Error() + ")"
	}
	return graphic(string(text))
}

// graphic escapes what could move a cursor, and leaves quotes alone so that JSON stays readable.
func graphic(s string) string {
	quoted := Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
