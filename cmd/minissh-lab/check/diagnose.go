package check

import (
	"strings"

	"minissh/cmd/minissh-lab/speak"
)

// tells are texts in a program's error output that give a bug away. They are
// Python's; programs in other languages are judged by what they did.
var tells = []struct {
	text   string
	belief *Belief
}{
	{"UnicodeDecodeError", cutCharacter},
	{"negative buffersize", trustedLength},
	{"MemoryError", trustedLength},
	{"OverflowError", trustedLength},
	{"FileNotFoundError", missingFile},
	{"Address already in use", addressInUse},
	{"ConnectionResetError", resetKills},
	{"unpack requires a buffer", shortRecv},
	{"JSONDecodeError", shortRecv},
}

// explain adds what the program itself said to f, and lets it decide what the bug
// is where that is surer than the case's own guess.
func (a *attack) explain(f *Failure) *Failure {
	if a.prog == nil {
		return f
	}
	a.prog.settle()
	last := a.prog.errors.lastLine()
	if last == "" {
		return f
	}
	f.Said = speak.QuoteShort([]byte(last), 160)
	for _, t := range tells {
		if !strings.Contains(last, t.text) {
			continue
		}
		// A broken stream makes many errors look alike: what the case knows about
		// glued puts, traversal and counting is surer than a decoder's complaint.
		if f.Belief == nil || f.Belief == oneRecv || f.Belief == shortRecv ||
			f.Belief == trustedLength && t.belief != shortRecv || f.Belief == acceptInLoop {
			f.Belief = t.belief
		}
		return f
	}
	return f
}
