package editor

import (
	"strings"
	"testing"

	"minissh/client/faketerminal"
)

func TestExpand(t *testing.T) {
	h := historyOf("make all", "echo 'two words' x", "tail -f /var/log/a\\ b",
		"ls; cat <in | sort >out&", "vim notes.txt")
	for line, want := range map[string]string{
		"!!":               "vim notes.txt",
		"sudo !!":          "sudo vim notes.txt",
		"!!.bak; !!":       "vim notes.txt.bak; vim notes.txt",
		"cat !$":           "cat notes.txt",
		`"!$" '!$' \!$ !$`: `"notes.txt" '!$' \!$ notes.txt`,
		"!1":               "make all",
		"!2 !-2":           "echo 'two words' x ls; cat <in | sort >out&",
		"!-1x":             "vim notes.txtx",
		"sudo !ma":         "sudo make all",
		"sudo !tail | wc":  `sudo tail -f /var/log/a\ b | wc`,
		"(sudo !ma)":       "(sudo make all)",
		"it's !! 'and' !!": `it's !! 'and' !!`,
		`"it's !!"`:        `"it's vim notes.txt"`,
		`\\!!`:             `\\vim notes.txt`,
		`echo \`:           `echo \`,
		// These are not the history's.
		"!ls":              "!ls",
		"  !ls !$":         "  !ls notes.txt",
		"!":                "!",
		"! grep a b":       "! grep a b",
		"if ! true":        "if ! true",
		"a != b":           "a != b",
		"echo hello!":      "echo hello!",
		`echo "hello!"`:    `echo "hello!"`,
		"echo hello!world": "echo hello!world",
		"kill $!":          "kill $!",
		"echo $!!":         "echo $!!",
		"echo ${!x} [!a]":  "echo ${!x} [!a]",
		"ls !(a)":          "ls !(a)",
		"cat <<E\n!!\nE":   "cat <<E\n!!\nE",
		"plain":            "plain",
		"echo !none !你":    "echo !none !你",
	} {
		got, err := h.expand(line)
		if got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{"!9", "!-9", "!0", "!-0", "a !7", "!99999999999999999999"} {
		if got, err := h.expand(line); got != "" || err == nil ||
			!strings.Contains(err.Error(), "no such line") {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	if got, err := (&History{}).expand("!!"); got != "" || err == nil {
		t.Errorf("with nothing before: %q, %v", got, err)
	}
	long := historyOf(strings.Repeat("x", MaxLine/2))
	if got, err := long.expand("!!!!!!"); got != "" || err == nil ||
		!strings.Contains(err.Error(), "bytes") {
		t.Errorf("a line that becomes too long: %d bytes, %v", len(got), err)
	}
}

func TestLastWord(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "  ": "", "a": "a", "a b ": "b", "a 'b c'": "'b c'", `a "b \" c"`: `"b \" c"`,
		`a b\ c`: `b\ c`, "a; b&": "&", "a >>out": "out", "a &&": "&&", "a 'b": "'b", `a b\`: `b\`,
		"a\nb": "b", "a;b": "b", "x='1 2'3": "x='1 2'3", "你 好": "好",
	} {
		if got := lastWord(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// The line that is run is shown, and is what the history keeps. One that refers to nothing is kept
// as it is, to be mended.
func TestExpandedLineIsShown(t *testing.T) {
	h := historyOf("a row\nand another", "ls")
	m := faketerminal.New(30, 8)
	line, err := edit(t, m, h, "$ ", "echo !! !1\r")
	if line != "echo ls a row\nand another" || err != nil ||
		m.Text() != "$ echo !! !1\necho ls a row\n> and another" || h.At(0) != line {
		t.Errorf("%q, %v\n%s", line, err, m.Text())
	}
	if line, err := edit(t, faketerminal.New(30, 8), h, "$ ", "!7\r"); line != "" || err == nil ||
		h.At(0) != "!7" {
		t.Errorf("%q, %v, %q", line, err, h.At(0))
	}
}
