package options

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// AddKeys is AddKeysToAgent: whether a key that was read from its file is handed to the agent.
type AddKeys struct {
	Add      bool
	Ask      bool          // the user first
	Confirm  bool          // the agent asks for each use
	Lifetime time.Duration // the agent keeps it so long; 0: until it ends
}

// setAddKeys takes yes, no, ask, confirm, a time, or confirm and a time.
func setAddKeys(o *Options, v []string) error {
	a, words := AddKeys{Add: true}, v
	switch {
	case oneOf(v[0], "confirm"):
		a.Confirm, words = true, v[1:]
	case len(v) == 1 && oneOf(v[0], "yes", "true"):
		words = nil
	case len(v) == 1 && oneOf(v[0], "no", "false"):
		a, words = AddKeys{}, nil
	case len(v) == 1 && oneOf(v[0], "ask"):
		a.Ask, words = true, nil
	}
	if len(words) == 1 {
		lifetime, err := parseTime(words[0])
		if err == nil && lifetime <= math.MaxUint32*time.Second {
			a.Lifetime, words = lifetime, nil
		}
	}
	if len(words) > 0 {
		return fmt.Errorf("%s is not yes, no, ask, confirm or a time", shown(strings.Join(v, " ")))
	}
	o.AddKeys = a
	return nil
}

// words are those of `ssh -G`.
func (a AddKeys) words() string {
	switch {
	case !a.Add:
		return "false"
	case a.Ask:
		return "ask"
	case a.Confirm && a.Lifetime > 0:
		return "confirm " + strconv.Itoa(int(a.Lifetime.Seconds()))
	case a.Confirm:
		return "confirm"
	case a.Lifetime > 0:
		return strconv.Itoa(int(a.Lifetime.Seconds()))
	}
	return "true"
}
