//go:build unix

package terminal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// When a program asks and when the terminal does: readpass.c of OpenSSH, case by case.
func TestWhoAsks(t *testing.T) {
	for _, c := range []struct {
		require, display   string
		terminal, noTerm   bool // whether the program asks: with a terminal, without one
		waylandInsteadOfX1 bool
	}{
		{"", "", false, false, false},
		{"", ":0", false, true, false},
		{"", "wayland-0", false, true, true},
		{"anything", ":0", false, true, false},
		{"prefer", "", false, false, false},
		{"prefer", ":0", true, true, false},
		{"PREFER", ":0", true, true, false},
		{"force", "", true, true, false},
		{"never", ":0", false, false, false},
	} {
		getenv := func(name string) string {
			return map[string]string{"SSH_ASKPASS_REQUIRE": c.require, "SSH_ASKPASS": "prog",
				map[bool]string{false: "DISPLAY", true: "WAYLAND_DISPLAY"}[c.waylandInsteadOfX1]: c.
					display}[name]
		}
		if got := askpass(getenv, true) == "prog"; got != c.terminal {
			t.Errorf("%+v with a terminal: %v", c, got)
		}
		if got := askpass(getenv, false) == "prog"; got != c.noTerm {
			t.Errorf("%+v without a terminal: %v", c, got)
		}
	}
}

// The program gets the question as its only argument, and its first line is the answer. One that
// fails has given no answer.
func TestAskpassProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "ask it")
	t.Setenv("SSH_ASKPASS", program)
	t.Setenv("SSH_ASKPASS_REQUIRE", "force")
	t.Setenv("SSH_ASKPASS_PROMPT", "confirm")
	write := func(script string) {
		t.Helper()
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	question := "who are 'you'; $HOME?\nname: "
	write(`printf '%s:%s:%s\r\nmore\n' $# "$1" "$SSH_ASKPASS_PROMPT"`)
	if got, err := (Questions{}).Line(question); err != nil || got != "1:who are 'you'; $HOME?" {
		t.Errorf("%q %v", got, err)
	}
	write(`echo "a secret"`)
	if got, err := (Questions{}).Secret(question); err != nil || string(got) != "a secret" {
		t.Errorf("%q %v", got, err)
	}
	write(`echo yes; exit 1`)
	if got, err := (Questions{}).Line(question); err != nil || got != "" {
		t.Errorf("a program that fails: %q %v", got, err)
	}
	write(`head -c 10000 /dev/zero | tr '\0' x`)
	if got, err := (Questions{}).Secret(question); err != nil || len(got) > mostAnswer {
		t.Errorf("a long answer: %d bytes, %v", len(got), err)
	}
	os.Remove(program)
	if _, err := (Questions{}).Line(question); !errors.Is(err, ErrNobodyToAsk) ||
		!strings.Contains(err.Error(), "ask it") {
		t.Errorf("no program: %v", err)
	}
}
