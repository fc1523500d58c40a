package prompt

import (
	"strings"
	"testing"
)

// The prompt's own words on a terminal: history, clear, help, and a slip of a finger.
func TestWordsOfTheLoop(t *testing.T) {
	s := start(t, 80, 30, "NO_COLOR=1")
	s.send("echo a\rhistory 1\r")
	s.shows("\n    2  history 1\nli@lab:~$")
	s.send("history | grep 'cho'\r")
	s.shows("minissh: the history is on this machine, and no program there gets it\n" +
		"minissh: hint: history 'cho' lists the lines with 'cho'")
	s.send("history 20 >x\r")
	s.shows("minissh: hint: history TEXT lists the lines with TEXT")
	s.send("history 'cho a'\rcode 3\r")
	s.shows("$ history 'cho a'\n    1  echo a\nli@lab:~$ code 3\n")
	s.send("history -c\rhistory\r")
	s.shows("$ history\n    1  history\nli@lab:~$")
	s.send("clear\r")
	s.screen("li@lab:~$")
	s.send("hlep\r")
	s.shows("[exit 127]\nminissh: did you mean help?\nli@lab:~$")
	s.send("other\r")
	s.shows("other\n[exit 127]\nli@lab:~$")
	s.send("help histor\r")
	s.shows("minissh: help knows nothing about histor; did you mean history?")
	s.send("help exit\r")
	s.shows("exit [STATUS]: end the prompt")
	s.send("echo b\recho !$x !!\r")
	s.shows("$ echo !$x !!\necho bx echo b\nbx echo b\n")
	s.send("! grep\r") // the other shell's
	s.shows("$ ! grep\n[exit 127]")
	s.send("!99\r")
	s.shows("minissh: !99: the history has no such line")
	s.send("for i in 1\rdo\rshow")
	s.shows("$ for i in 1\n> do\n> show")
	s.send("\x03")
	s.shows("$ for i in 1\n> do\n> show^C\nli@lab:~$")
	s.send("while a\rdo b\rdone\r")
	s.shows("$ while a\n> do b\n> done\n[exit 127]\nli@lab:~$")
	if strings.Contains(s.raw(), "\a") {
		t.Error("it has rung")
	}
}
