package cp

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What is remote, and where a host's name ends: scp's rules, and our additions.
func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{ // host|path|port, or "" for a file here
		"h:": "h||", "h:p": "h|p|", "h:/a:b": "h|/a:b|", "u@h:p": "u@h|p|", "u@d@h:p": "u@d@h|p|",
		"h:~": "h|~|", "h:-rf": "h|-rf|", "中:文": "中|文|", "h::p": "h|:p|", "h:a b": "h|a b|",
		"[::1]:p": "[::1]|p|", "u@[::1]:p": "u@[::1]|p|", "[::1]:": "[::1]||", "[h]:p": "[h]|p|",
		"[fe80::1%eth0]:p": "[fe80::1%eth0]|p|",
		"[::1]":            "", "[a]/b:c": "", "::1": "", ":p": "", "./a:b": "", "/a:b": "",
		"a/b:c": "",
		"../h:": "", "a": "", ".": "", "-": "", "@": "", "a@b": "", "u@h/x:y": "", "~/a:b": "",
		"unix:/s:p": "unix:/s|p|", "unix:/s:": "unix:/s||", "u@unix:/s:/p:q": "u@unix:/s|/p:q|",
		"unix:s:p": "unix:s|p|",
		"unix:p":   "unix|p|", // a host that is called so
		"cp:a":     "cp|a|", "put:a": "put|a|", "pair:a": "pair|a|", "help:": "help||",
		"scp://h/p": "h|p|", "scp://u@h:22/p": "u@h|p|22", "scp://h//p": "h|/p|", "scp://h": "h||",
		"scp://[::1]:22/p": "[::1]|p|22", "scp://h/a%20b": "h|a b|", "minissh://h:1/p": "h|p|1",
		"scp:x": "scp|x|", "http://x": "http|//x|", "scp:///p": "scp|///p|",
	} {
		if runtime.GOOS == "windows" && len(text) > 1 && text[1] == ':' {
			want = "" // a drive
		}
		a, port := ParseAddress(text)
		got := a.Host + "|" + a.Path + "|" + port
		if !a.Remote() {
			got = ""
			if a.Path != text || port != "" {
				t.Errorf("%q: %+v %q", text, a, port)
			}
		}
		if got != want || a.Text != text {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
}

// plain is a Plan in one line.
func (p *Plan) plain() string {
	var words []string
	for name, set := range map[string]bool{"r": p.Recursive, "p": p.Preserve, "q": p.Quiet,
		"resume": p.Resume, "checksum": p.Checksum, "fsync": p.Sync, "json": p.JSON,
		"help": p.Help} {
		if set {
			words = append(words, name)
		}
	}
	slices.Sort(words)
	var sources []string
	for _, s := range p.Sources {
		sources = append(sources, s.Text)
	}
	return fmt.Sprintf("%s; %s; %s > %s", strings.Join(words, " "), strings.Join(p.Options, " "),
		strings.Join(sources, " "), p.Target.Text)
}

// The command line, with the habits that scp has taught.
func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"a h:":                     "; ; a > h:",
		"-r a b h:d":               "r; ; a b > h:d",
		"-rpq a h:":                "p q r; -q; a > h:",
		"-R a h:":                  "r; ; a > h:",
		"a h: -r":                  "r; ; a > h:", // options after names
		"-P 22 a h:":               "; -p 22; a > h:",
		"-P22 a h:":                "; -p 22; a > h:",
		"-rP 22 a h:":              "r; -p 22; a > h:",
		"-i k -o A=b -F f a h:":    "; -i k -o A=b -F f; a > h:",
		"-oA=b -ik a h:":           "; -o A=b -i k; a > h:",
		"-46vC a h:":               "; -4 -6 -v -C; a > h:",
		"-c aes128-ctr a h:":       "; -c aes128-ctr; a > h:",
		"-J jump a h:":             "; -J jump; a > h:",
		"-B a h:":                  "; -o BatchMode=yes; a > h:",
		"-3AOsT a h:":              "; ; a > h:",
		"-S ssh -D x -X y=1 a h:":  "; ; a > h:",
		"-- -a -b h:":              "; ; -a -b > h:",
		"-r -- -- h:":              "r; ; -- > h:",
		"- h:":                     "; ; - > h:",
		"./-a h:":                  "; ; ./-a > h:",
		"h:a h:b .":                "; ; h:a h:b > .",
		"h:a g:b":                  "; ; h:a > g:b",
		"h: .":                     "; ; h: > .",
		"cp:a .":                   "; ; cp:a > .",
		"put get:":                 "; ; put > get:",
		"--resume a h:":            "resume; ; a > h:",
		"--checksum a h:":          "checksum resume; ; a > h:",
		"--fsync --json a h:":      "fsync json; ; a > h:",
		"--quiet --recursive a h:": "q r; -q; a > h:",
		"--keylog f a h:":          "; --keylog f; a > h:",
		"--keylog=f a h:":          "; --keylog f; a > h:",
		"scp://h:2/a .":            "; -p 2; scp://h:2/a > .",
		"-h":                       "help; ;  > ",
		"--help a":                 "help; ;  > ",
		"-p ./22 h:":               "p; ; ./22 > h:",
		"-p 70000 h:":              "p; ; 70000 > h:",
		"-P 22 -p a h:":            "p; -p 22; a > h:",
		"-p -- 22 h:":              "p; ; 22 > h:",
		"a":                        "cp needs a source and a target",
		"":                         "cp needs a source and a target",
		"a b":                      "neither side is on another machine",
		"h:a h:a":                  "source and target are the same file",
		"h:a h:":                   "source and target are the same file",
		"h:a h:~":                  "source and target are the same file",
		"h:/x/a h:/x/":             "source and target are the same file",
		"-r h:d/. h:d":             "source and target are the same file",
		"-r h:d h:d/e":             "a folder cannot be copied into itself",
		"-r h: h:e":                "a folder cannot be copied into itself",
		"-r h:/ h:/e":              "a folder cannot be copied into itself",
		"-r h:d h:../d/e":          "r; ; h:d > h:../d/e",
		"-r h:d h:de":              "r; ; h:d > h:de",
		"-r h:d g:d/e":             "r; ; h:d > g:d/e",
		"h:a h:b":                  "; ; h:a > h:b",
		"-P":                       "-P needs a value after it",
		"-rP":                      "-P needs a value after it",
		"--keylog":                 "--keylog needs a value after it",
		"-z a h:":                  "cp has no option -z",
		"--nope a h:":              `cp has no option "--nope"`,
		"--resume=yes a h:":        `cp has no option "--resume=yes"`,
		"-l 100 a h:":              "-l, scp's limit of the rate, is not in this version",
		"-p 22 a h:": "-p keeps modes and times, as with scp, and there is no file " +
			"22",
		"-rp 22 a h:": "-p keeps modes and times, as with scp, and there is no file " +
			"22",
		"-p22 a h:": "-p keeps modes and times, as with scp, and there is no file " +
			"22",
		"scp://h:1/a scp://g:2/b": "two ports in one copy are not in this version",
	} {
		p, err := Parse(strings.Fields(line))
		got := ""
		if err == nil {
			got = p.plain()
		} else {
			got = err.Error()
			var usage *UsageError
			if !errors.As(err, &usage) || usage.Hint() == "" {
				t.Errorf("%q: %v has no hint", line, err)
			}
		}
		if got != want {
			t.Errorf("%q: %s, not %s", line, got, want)
		}
	}
	if _, err := Parse([]string{"", "h:"}); err == nil || err.Error() != "an empty name" {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("22", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Parse([]string{"-p", "22", "h:"}); err != nil || p.Sources[0].Path != "22" {
		t.Errorf("a file that is called so: %v", err)
	}
	_, err := Parse([]string{"-p", "2222", "a", "h:"})
	var usage *UsageError
	if !errors.As(err, &usage) || usage.Hint() != "-P 2222 names a port; ./2222 is a file" {
		t.Errorf("%v", err)
	}
}

// More than one source, or what is in a folder, goes into a folder; sources on one host share a
// connection.
func TestPlans(t *testing.T) {
	for line, want := range map[string]string{
		"a h:t": "false 1", "a b h:t": "true 1", "a/. h:t": "true 1", ".. h:t": "true 1",
		"h:. t": "true 1", "h:a h:b g:c h:d .": "true 3", "a h:b .": "true 2",
		"a h:t/": "true 1", "-r a h:t/": "false 1", "-r h: t": "true 1", "-r h:~/ t": "true 1",
		"-r ./ h:t": "true 1", "-r ../ h:t": "true 1", "~ h:t": "false 1",
	} {
		p, err := Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.IntoFolder(), len(p.Groups())); got != want {
			t.Errorf("%q: %s, not %s", line, got, want)
		}
	}
}
