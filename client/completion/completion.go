// Package completion lists the words that could take the place of the one that somebody types after
// "minissh": verbs, options of both grammars, -o keys and host names. The shells' scripts
// (scripts/completion) ask `minissh --complete WORD…`, so that they are always up to date.
package completion

import (
	"slices"
	"strings"

	"minissh/client/options"
)

// Verb is a verb with its own flags, as they are typed. A verb that takes ssh's flags has none of
// its own.
type Verb struct {
	Name, Usage string
	Flags       []Flag
	Host        bool   // ssh's options and a host follow
	Copy        bool   // files follow, here and on hosts
	Many        bool   // an expression of hosts follows: names and groups
	On          bool   // Many, after the word on
	Does        []Flag // words of which one says what it is to do
}

// Flag is one way to type an option of a verb.
type Flag struct {
	Name, Usage string
	Argument    bool
	Value       string // what help calls the argument; "": FILE
}

// Candidate is a word that could come next. Usage may be empty.
type Candidate struct{ Word, Usage string }

// Candidates are the words that could take the place of the last of words (those after "minissh",
// the last one as far as it is typed); nil if only the name of a file could. hosts is called when a
// host could.
func Candidates(verbs []Verb, words []string, hosts func() []string) []Candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	earlier := words[:len(words)-1]
	var all []Candidate
	if len(earlier) == 0 {
		for _, v := range verbs {
			all = append(all, Candidate{v.Name, v.Usage})
		}
	} else if i := slices.IndexFunc(verbs, func(v Verb) bool {
		return v.Name == earlier[0]
	}); i >= 0 {
		switch v := verbs[i]; {
		case v.Copy && strings.HasPrefix(last, "-o"), v.Copy && earlier[len(earlier)-1] == "-o":
			return begin(last, sshWords(earlier[1:], last, users(hosts)))
		case v.Copy:
			return begin(last, copyWords(v, earlier[1:], last, hosts))
		case len(v.Does) > 0 && len(earlier) == 1:
			for _, word := range v.Does {
				all = append(all, Candidate{word.Name, word.Usage})
			}
			return begin(last, all)
		case len(v.Does) > 0:
			earlier = earlier[1:]
		case !v.Host:
			return begin(last, ownFlags(v, earlier[1:]))
		}
		own := verbs[i]
		for _, f := range own.Flags {
			all = append(all, Candidate{f.Name, f.Usage})
		}
		earlier = earlier[1:]
		if own.On && len(earlier) > 0 && earlier[0] == "on" {
			own.Many, earlier = true, earlier[1:]
		} else if own.On && len(earlier) == 0 {
			all = append(all, Candidate{"on", "many hosts"})
		}
		if own.Many {
			return begin(last, append(all, manyWords(own, earlier, last, hosts)...))
		}
	}
	return begin(last, append(all, sshWords(earlier, last, users(hosts))...))
}

// begin keeps what begins with the typed word; options are only offered after a dash.
func begin(last string, all []Candidate) (fitting []Candidate) {
	for _, c := range all {
		if strings.HasPrefix(c.Word, last) &&
			(strings.HasPrefix(last, "-") || !strings.HasPrefix(c.Word, "-")) {
			fitting = append(fitting, c)
		}
	}
	return fitting
}

// ownFlags are the flags of a verb with a grammar of its own; nothing after a flag that takes a
// value.
func ownFlags(v Verb, earlier []string) (all []Candidate) {
	before := ""
	if len(earlier) > 0 {
		before = earlier[len(earlier)-1]
	}
	for _, f := range v.Flags {
		if f.Argument && f.Name == before {
			return nil
		}
		all = append(all, Candidate{f.Name, f.Usage})
	}
	return all
}

// copyWords are the flags of a verb that copies, and hosts as they come before a path.
func copyWords(v Verb, earlier []string, last string, hosts func() []string) []Candidate {
	if n := len(earlier) - 1; n >= 0 && earlier[n] == "--on" {
		var all []Candidate
		for _, word := range expressions(hosts)(last) {
			all = append(all, Candidate{Word: word})
		}
		return all
	}
	all := ownFlags(v, earlier)
	if all != nil && !strings.HasPrefix(last, "-") {
		for _, host := range users(hosts)(last) {
			all = append(all, Candidate{Word: host + ":"})
		}
	}
	return all
}

// manyWords are sshWords where the host is an expression, of which the last name is completed. What
// takes hosts as its value has them, too.
func manyWords(v Verb, earlier []string, last string, hosts func() []string) (all []Candidate) {
	for _, f := range v.Flags {
		n := len(earlier) - 1
		if f.Argument && n >= 0 && earlier[n] == f.Name {
			if f.Value != "HOSTS" {
				return nil
			}
			for _, word := range expressions(hosts)(last) {
				all = append(all, Candidate{Word: word})
			}
			return all
		}
	}
	var rest []string // without the verb's own flags
	for i := 0; i < len(earlier); i++ {
		at := slices.IndexFunc(v.Flags, func(f Flag) bool { return f.Name == earlier[i] })
		switch {
		case at < 0:
			rest = append(rest, earlier[i])
		case v.Flags[at].Argument:
			i++
		}
	}
	return sshWords(rest, last, expressions(hosts))
}

// expressions are the hosts and groups in place of the last name of an expression.
func expressions(hosts func() []string) func(last string) []string {
	return func(last string) (words []string) {
		at := strings.LastIndexAny(last, ",!&^") + 1
		before, name := last[:at], last[at:]
		found := users(hosts)(name)
		if strings.HasPrefix(name, "@") {
			found = hosts()
		}
		for _, word := range found {
			words = append(words, before+word)
		}
		return words
	}
}

// users are the hosts, after user@ if the word begins with that.
func users(hosts func() []string) func(last string) []string {
	return func(last string) (words []string) {
		user, _, named := strings.Cut(last, "@")
		if named {
			user += "@"
		} else {
			user = ""
		}
		for _, host := range hosts() {
			if user == "" || host[0] != '@' { // a group
				words = append(words, user+host)
			}
		}
		return words
	}
}

// sshWords are the words of ssh's grammar: options and hosts before the host, then options until
// the command begins.
func sshWords(earlier []string, last string, hosts func(last string) []string) []Candidate {
	flags, keys := options.Table()
	takes := map[string]bool{}
	var all []Candidate
	for _, f := range flags {
		takes[f.Name] = f.Argument
		if f.Class == options.Holds {
			all = append(all, Candidate{Word: f.Name})
		}
	}
	haveHost, pending := false, ""
	for _, word := range earlier {
		switch {
		case pending != "":
			pending = ""
		case strings.HasPrefix(word, "-") && word != "-":
			pending = valueOf(word, takes)
		case haveHost:
			return nil // inside the command
		default:
			haveHost = true
		}
	}
	prefix := ""
	if pending == "" && strings.HasPrefix(last, "-o") {
		pending, prefix = "-o", "-o"
	}
	switch {
	case pending == "-o":
		all = nil
		for _, k := range keys {
			if k.Class == options.Holds && !k.File {
				all = append(all, Candidate{Word: prefix + k.Name + "="})
			}
		}
	case pending != "":
		return nil
	case !haveHost:
		for _, host := range hosts(last) {
			all = append(all, Candidate{Word: host})
		}
	}
	return all
}

// valueOf is the option in a word (-i, -Tp, --timeout) whose value is the next word, "" if there is
// none.
func valueOf(word string, takes map[string]bool) string {
	if strings.HasPrefix(word, "--") {
		if takes[word] {
			return word
		}
		return ""
	}
	for i := 1; i < len(word); i++ {
		if name := "-" + word[i:i+1]; takes[name] {
			if i+1 < len(word) {
				return "" // the value is attached
			}
			return name
		}
	}
	return ""
}
