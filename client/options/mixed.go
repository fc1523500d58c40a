package options

import (
	"slices"
	"strings"
)

// Mixed is a command line of a verb whose own flags come among ssh's options.
type Mixed struct {
	Own     map[string][]string // values of the verb's own flags, in order; "" for one without
	Options []string            // ssh's
	Host    string              // the first word that is neither; "" with hostless
	Command []string            // the words after it
}

// Has says whether one of the verb's own flags was given.
func (m *Mixed) Has(flag string) bool { return len(m.Own[flag]) > 0 }

// Last is what was given last with a flag; "" if it was not.
func (m *Mixed) Last(flag string) string {
	if all := m.Own[flag]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// SplitMixed takes a command line apart: the verb's own flags (with whether they take a value), of
// which one that looks like ssh's comes before that, from ssh's options, as ssh's grammar has them
// (SSH_CONTRACT rule 1): before and after the host, until the command's first word. hostless is
// asked when that word comes, and says whether there is no host before it.
func SplitMixed(args []string, own map[string]bool, hostless func(*Mixed) bool) (*Mixed, error) {
	m, ended, haveHost := &Mixed{Own: map[string][]string{}}, false, false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if !ended && arg == "--" {
			ended = true
			continue
		}
		if ended || len(arg) < 2 || arg[0] != '-' {
			if haveHost || hostless(m) {
				m.Command = slices.Clone(args[i:])
				return m, nil
			}
			m.Host, haveHost = arg, true
			continue
		}
		name, value, attached := strings.Cut(arg, "=")
		takes, is := own[name]
		if !is && arg[1] != '-' && len(arg) > 2 { // -xNAME
			if takes = own[arg[:2]]; takes {
				name, value, attached, is = arg[:2], arg[2:], true, true
			}
		}
		for _, letter := range arg[1:] {
			if _, own := own["-"+string(letter)]; !is && own && arg[1] != '-' {
				return nil, usage("write it alone", "-%c is another option here, and %s joins it "+
					"to others", letter, shown(arg))
			}
			if row := findLetter(byte(letter)); row != nil && row.arg {
				break // the rest is its value
			}
		}
		switch {
		case is && takes && !attached:
			if i++; i >= len(args) {
				return nil, usage(helpHint, "%s needs a value after it", name)
			}
			value = args[i]
		case is && !takes && attached:
			return nil, usage(helpHint, "%s takes no value", name)
		case !is:
			m.Options = append(m.Options, arg)
			if i+1 < len(args) && valueFollows(arg) {
				i++
				m.Options = append(m.Options, args[i])
			}
			continue
		}
		m.Own[name] = append(m.Own[name], value)
	}
	return m, nil
}

// valueFollows says whether the value of the last option in a word is the next word.
func valueFollows(arg string) bool {
	if strings.HasPrefix(arg, "--") {
		row := findLong(arg[2:])
		return row != nil && row.arg
	}
	for i := 1; i < len(arg); i++ {
		if row := findLetter(arg[i]); row != nil && row.arg {
			return i == len(arg)-1
		}
	}
	return false
}
