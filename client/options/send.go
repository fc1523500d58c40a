package options

import "strings"

// mostSent bounds the names and values that are sent, in bytes: they travel in one frame with the command.
const mostSent = 16 << 10

// Environment is what SendEnv and SetEnv send of the given variables ("NAME=value", as os.Environ has them): pairs of name and value, SetEnv's
// last, so that they win. What the daemon does not accept has no effect there (sshd's AcceptEnv). What would make it more than 16 KiB is left
// out.
func (o *Options) Environment(environ []string) (pairs [][2]string) {
	var patterns []string
	for _, p := range o.SendEnv {
		if taken, ok := strings.CutPrefix(p, "-"); ok { // takes away what was named before (ssh_config(5))
			kept := patterns[:0]
			for _, earlier := range patterns {
				if !matchPattern(earlier, taken) {
					kept = append(kept, earlier)
				}
			}
			patterns = kept
			continue
		}
		patterns = append(patterns, p)
	}
	total := 0
	send := func(variable string) {
		name, value, ok := strings.Cut(variable, "=")
		if total += len(variable); ok && name != "" && total <= mostSent {
			pairs = append(pairs, [2]string{name, value})
		} else {
			total -= len(variable)
		}
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		for _, p := range patterns {
			if matchPattern(name, p) {
				send(variable)
				break
			}
		}
	}
	for _, variable := range o.SetEnv {
		send(variable)
	}
	return pairs
}
