// Package man_test holds the manual pages to what the programs say of themselves.
package man_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minissh/client/options"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// section is the source of a page's section, without the lines that begin with other macros than
// those given (none: all).
func section(t *testing.T, page, title string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n.Sh "+title+"\n")
	if !found {
		t.Fatalf("%s has no section %s", page, title)
	}
	inside, _, _ := strings.Cut(rest, "\n.Sh ")
	return inside
}

// flagsOf are the flags that mdoc lines name: "Fl p" is -p, "Fl Fl exec" is --exec, and "Fl A , E"
// are -A and -E.
func flagsOf(lines []string) (flags []string) {
	for _, line := range lines {
		words := strings.Fields(line)
		inside := false
		for i, word := range words {
			switch {
			case word == "Fl" || word == ".Fl":
				inside = true
			case strings.Trim(word, ".,") == "" || word == ".It":
			case inside && (word == "Ar" || word == "Ns" || word == "Ic" || word == "Cm"):
				inside = false
			case inside && i >= 2 && words[i-1] == "Fl" &&
				strings.TrimPrefix(words[i-2], ".") == "Fl":
				flags = append(flags, "--"+word)
			case inside:
				flags = append(flags, "-"+word)
			}
		}
	}
	return flags
}

// linesWith are the lines of a section that begin so.
func linesWith(text, start string) (lines []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) {
			lines = append(lines, line)
		}
	}
	return lines
}

// equal compares what a page has with what a program has.
func equal(t *testing.T, page, what string, inPage, inProgram []string) {
	t.Helper()
	for _, name := range inProgram {
		if !slices.Contains(inPage, name) {
			t.Errorf("scripts/man/%s lacks the %s %s", page, what, name)
		}
	}
	for _, name := range inPage {
		if !slices.Contains(inProgram, name) {
			t.Errorf("scripts/man/%s has the %s %s, and the program has not", page, what, name)
		}
	}
}

func TestClientsPage(t *testing.T) {
	const page = "minissh.1"
	var keys []string
	letters := map[options.Class][]string{}
	flags, rows := options.Table()
	for _, f := range flags {
		letters[f.Class] = append(letters[f.Class], f.Name)
	}
	for _, k := range rows {
		if k.Class == options.Holds {
			keys = append(keys, k.Name)
		}
	}
	equal(t, page, "option (under OPTIONS)",
		flagsOf(linesWith(section(t, page, "OPTIONS"), ".It Fl")), letters[options.Holds])
	for i, line := range linesWith(section(t, page, "WHAT IS LEFT OUT"), ".Fl")[:3] {
		class := []options.Class{options.Told, options.Harmless, options.Refused}[i]
		line, _, _ = strings.Cut(line, " ;")
		equal(t, page, "option ("+class.String()+", under WHAT IS LEFT OUT)",
			flagsOf([]string{line}), letters[class])
	}
	_, holding, _ := strings.Cut(section(t, page, "CONFIGURATION"), "These keys hold:")
	var named []string
	for _, line := range linesWith(holding, ".Cm") {
		named = append(named, strings.Fields(line)[1])
	}
	equal(t, page, "key (under CONFIGURATION)", named, keys)
	verbs := helped(t, "minissh", "help")
	equal(t, page, "verb (under VERBS)", items(section(t, page, "VERBS")), verbs.commands)
	for _, verb := range verbs.commands {
		// others have ssh's options
		if own := helped(t, "minissh", verb, "--help"); own.usage != "" || verb == "cp" {
			equalFlags(t, page, verb, own.flags)
		}
	}
}

func TestDaemonsPage(t *testing.T) {
	const page = "minisshd.8"
	help := helped(t, "minisshd", "--help")
	equal(t, page, "option (under OPTIONS)",
		flagsOf(linesWith(section(t, page, "OPTIONS"), ".It Fl")), help.flags)
	if len(help.commands) > 0 {
		equal(t, page, "verb (under VERBS)", items(section(t, page, "VERBS")), help.commands)
	}
	for _, verb := range help.commands {
		own := helped(t, "minisshd", verb, "--help").flags
		if verb == "check" || verb == "pair" { // they take the daemon's
			own = slices.DeleteFunc(own, func(name string) bool {
				return slices.Contains(help.flags, name)
			})
		}
		equalFlags(t, page, verb, own)
	}
}

// equalFlags compares the options that a verb's paragraph names with the verb's own.
func equalFlags(t *testing.T, page, verb string, flags []string) {
	t.Helper()
	_, paragraph, _ := strings.Cut(section(t, page, "VERBS"), ".It Cm "+verb+"\n")
	paragraph, _, _ = strings.Cut(paragraph, "\n.It ")
	flags = slices.DeleteFunc(flags, func(name string) bool {
		return name == "--help" ||
			name == "-h"
	})
	named := flagsOf(linesWith(paragraph, ".Fl"))
	slices.Sort(named)
	// "--" itself
	named = slices.DeleteFunc(slices.Compact(named), func(name string) bool {
		return name == "-Fl"
	})
	equal(t, page, "option of "+verb+" (under VERBS)", named, flags)
}

// items are the words of .It Cm lines.
func items(text string) (names []string) {
	for _, line := range linesWith(text, ".It Cm ") {
		names = append(names, strings.Fields(line)[2])
	}
	return names
}

// help is what a program's help says.
type help struct {
	usage           string // the line after USAGE:, "" if it has none
	flags, commands []string
}

var (
	flag    = regexp.MustCompile(`(?:^|[ ,])(--?[A-Za-z0-9][A-Za-z-]*)`)
	command = regexp.MustCompile(`^   ([a-z][a-z-]*)`)
)

// helped reads the options and commands in a help: those in the first column of lines below their
// heading.
func helped(t *testing.T, words ...string) (h help) {
	t.Helper()
	r := testhost.New(t).Run(words[0], words[1:]...)
	if r.Code != 0 || r.Out == "" {
		t.Fatalf("%q: %+v", words, r)
	}
	heading := ""
	for line := range strings.Lines(r.Out) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' {
			heading = line
			continue
		}
		if strings.HasPrefix(line, "       ") { // goes on with what an option means
			continue
		}
		column, _, _ := strings.Cut(strings.TrimLeft(line, " "), "  ")
		switch {
		case strings.HasSuffix(heading, "USAGE:") && column != "":
			h.usage = column
		case strings.HasSuffix(heading, "OPTIONS:"), strings.HasPrefix(heading, "minissh cp ") &&
			strings.HasPrefix(line, "  -"):
			for _, found := range flag.FindAllStringSubmatch(column, -1) {
				if !slices.Contains(h.flags, found[1]) {
					h.flags = append(h.flags, found[1])
				}
			}
		case strings.HasSuffix(heading, "COMMANDS:") || strings.HasPrefix(heading, "Verbs"):
			if found := command.FindStringSubmatch(line); found != nil &&
				!strings.Contains(line, ":   ") {
				h.commands = append(h.commands, strings.TrimSuffix(found[1], ","))
			}
		}
	}
	return h
}

// The programs that read manual pages find nothing to complain about.
func TestPagesAreSound(t *testing.T) {
	for _, page := range []string{"minissh.1", "minisshd.8"} {
		if _, err := os.Stat(page); err != nil {
			t.Fatal(err)
		}
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		page := dir + "/" + page
		t.Run("mandoc", func(t *testing.T) {
			if r := testhost.New(t).Run(testhost.Need(t, "mandoc"), "-T", "lint", "-W", "warning",
				page); r.Code != 0 || r.Out+r.Err != "" {
				t.Errorf("%s%s", r.Out, r.Err)
			}
		})
		t.Run("groff", func(t *testing.T) {
			if r := testhost.New(t).Run(testhost.Need(t, "groff"), "-ww", "-mdoc", "-Tutf8",
				page); r.Code != 0 || r.Err != "" || len(r.Out) < 2000 {
				t.Errorf("%d bytes, %s", len(r.Out), r.Err)
			}
		})
	}
}
