package options

// verbs are the words that mean something of minissh's own, but only in the
// first place: `minissh -- try` and `minissh user@try` are hosts (DESIGN section 6).
var verbs = []string{"prompt", "try", "pair", "cp", "trace", "identity", "help", "version"}

// Verbs returns the verbs, in the order in which help shows them.
func Verbs() []string { return append([]string(nil), verbs...) }

// IsVerb tells whether the first word of args (without the program's name) is a
// verb, and returns it and what follows it.
func IsVerb(args []string) (verb string, rest []string, ok bool) {
	if len(args) == 0 {
		return "", nil, false
	}
	for _, v := range verbs {
		if args[0] == v {
			return v, args[1:], true
		}
	}
	return "", nil, false
}
