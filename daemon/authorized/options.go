package authorized

import (
	"fmt"
	"strings"
)

// option is a row of the table: whether it takes a value, and what it does.
type option struct {
	value bool
	apply func(e *Entry, value string) error
}

func restricts(e *Entry, _ string) error { e.Restricted = true; return nil }
func nothing(*Entry, string) error       { return nil }

// options is what sshd(8) lists, but for what disables a line. Names are in lower case.
var options = map[string]option{
	"command": {true, func(e *Entry, v string) error {
		if e.HasCommand {
			return fmt.Errorf("command= stands twice")
		}
		e.HasCommand, e.Command, e.Restricted = true, v, true
		return nil
	}},
	"from": {true, func(e *Entry, v string) (err error) {
		if e.from != nil {
			return fmt.Errorf("from= stands twice")
		}
		e.from, err = parsePatterns(v)
		return err
	}},
	"expiry-time": {true, func(e *Entry, v string) error {
		at, err := parseTime(v)
		if err == nil && (e.expiry.IsZero() || at.Before(e.expiry)) {
			e.expiry = at
		}
		return err
	}},
	"environment": {true, func(e *Entry, v string) error {
		if name, _, ok := strings.Cut(v, "="); !ok || !plainName(name) {
			return fmt.Errorf("environment= is not NAME=value")
		}
		e.Environment = append(e.Environment, v)
		return nil
	}},
	"restrict": {false, func(e *Entry, _ string) error { e.Restricted, e.NoPty = true, true; return nil }},
	"pty":      {false, func(e *Entry, _ string) error { e.NoPty = false; return nil }},
	"no-pty":   {false, func(e *Entry, _ string) error { e.NoPty = true; return nil }},

	"no-port-forwarding": {false, restricts}, "no-agent-forwarding": {false, restricts}, "no-x11-forwarding": {false, restricts},
	"no-user-rc": {false, restricts}, "permitopen": {true, restricts}, "permitlisten": {true, restricts}, "tunnel": {true, nothing},
	"port-forwarding": {false, nothing}, "agent-forwarding": {false, nothing}, "x11-forwarding": {false, nothing}, "user-rc": {false, nothing},
}

// apply takes one option as ssh.ParseAuthorizedKey gives it: name, or name="value" with \" for a quote.
func (e *Entry) apply(text string) error {
	name, value, hasValue := strings.Cut(text, "=")
	row, known := options[strings.ToLower(name)]
	if !known {
		return fmt.Errorf("the option %.40q is not supported, so the key is not used", name)
	}
	if row.value != hasValue {
		return fmt.Errorf("the option %.40q has a value and should not, or has none", name)
	}
	if hasValue {
		if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
			return fmt.Errorf("the value of %.40q is not quoted", name)
		}
		value = strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`)
	}
	return row.apply(e, value)
}

func plainName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
