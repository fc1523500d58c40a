package options

import (
	"fmt"
	"slices"
	"strings"

	"minissh/protocol/wildcard"
)

// mostSent bounds the names and values that are sent, in bytes: they travel in one frame with the
// command.
const mostSent = 16 << 10

// accepted are the names that a daemon uses (EX1); it ignores others.
const accepted = "LANG LC_* COLORTERM NO_COLOR GIT_PROTOCOL"

// Environment is what SendEnv and SetEnv send of the given variables ("NAME=value", as in
// os.Environ): pairs of name and value, SetEnv's last, so that they win. The daemon ignores what it
// does not accept (sshd's AcceptEnv). Variables beyond 16 KiB are left out. EnvironmentLeftOut
// reports both.
func (o *Options) Environment(environ []string) (pairs [][2]string) {
	pairs, _ = o.sent(environ)
	return pairs
}

// EnvironmentLeftOut is a line for the user about what SendEnv and SetEnv ask for and the command
// does not get; "" if it gets all. pssh sends its own variables to every host; they are not
// mentioned.
func (o *Options) EnvironmentLeftOut(environ []string) string {
	pairs, tooMuch := o.sent(environ)
	var refused []string
	for _, pair := range pairs {
		name := pair[0]
		if !wildcard.List([]string{name}, strings.Fields(accepted)) &&
			!strings.HasPrefix(name, "PSSH_") && !slices.Contains(refused, name) {
			refused = append(refused, name)
		}
	}
	var reasons []string
	for _, left := range []struct {
		names []string
		why   string
	}{{refused, "a daemon accepts " + strings.Join(strings.Fields(accepted), ", ")},
		{tooMuch, "more than 16 KiB in all"}} {
		if names := left.names; len(names) > 0 {
			text := strings.Join(mapShown(names[:min(len(names), 8)]), ", ")
			if more := len(names) - 8; more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			reasons = append(reasons, text+" ("+left.why+")")
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return "these variables do not reach the command: " + strings.Join(reasons, "; ")
}

func mapShown(names []string) (list []string) {
	for _, name := range names {
		list = append(list, shown(name[:min(len(name), 64)]))
	}
	return list
}

// sendPatterns are the patterns of SendEnv, without those that later ones take out.
func (o *Options) sendPatterns() (patterns []string) {
	for _, p := range o.SendEnv {
		// removes what was named before (ssh_config(5))
		if taken, ok := strings.CutPrefix(p, "-"); ok {
			kept := patterns[:0]
			for _, earlier := range patterns {
				if !wildcard.Match(earlier, taken) {
					kept = append(kept, earlier)
				}
			}
			patterns = kept
			continue
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// sent is what is sent, and the names of what is too much.
func (o *Options) sent(environ []string) (pairs [][2]string, tooMuch []string) {
	patterns := o.sendPatterns()
	total := 0
	send := func(variable string) {
		name, value, ok := strings.Cut(variable, "=")
		switch {
		case !ok || name == "":
		case total+len(variable) > mostSent:
			tooMuch = append(tooMuch, name)
		default:
			total += len(variable)
			pairs = append(pairs, [2]string{name, value})
		}
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		for _, p := range patterns {
			if wildcard.Match(name, p) {
				send(variable)
				break
			}
		}
	}
	for _, variable := range o.SetEnv {
		send(variable)
	}
	return pairs, tooMuch
}
