package prompt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"minissh/client/editor"
	"minissh/client/report"
	"minissh/client/terminal"
)

const (
	historyHelp = `It is on this machine, for all hosts, and no program there gets it. Up and Down
go through the lines; Ctrl-R searches them. A line that begins with a blank is
not kept. In a line, !! is the line before, !$ its last word, !N line N, !-N the
line that is N lines back, and !WORD, inside a line and after a blank, the last
that begins with WORD. In single quotes, after a backslash and in a text of
several rows, ! is a plain character.
`
	localHelp = `!COMMAND is for this machine: its shell runs it, in the directory that minissh
was started in. !! and !$ and !N are of the history (help history), and ! with a
blank after it is the other shell's "not".
`
	copyHelp = `The last of several words is a folder, or a new name, where the files go. Names
there are in the directory that the prompt shows, and names here in the one that
minissh was started in. * ? [ mean several files; quotes keep blanks.
-r          folders with all that is in them; links are copied as links
-p          keep modes and times
--resume    go on with what was broken off, and skip what is there already
--checksum  --resume, believing no size and time: compare contents
--fsync     each file is on the disk before it gets its name (slow)
`
	detachHelp = `It says how to come back to it, and to its output. In a shell that pty alone
begins, ~d after Enter makes a job of that shell and of what runs in it.
`
	endHelp = `Ctrl-D on an empty line does the same. What was left running goes its own way.
`
	keysHelp = `Ctrl-C     stop a command (twice: kill it), or drop the line
Ctrl-D     on an empty line: end the prompt
Enter      run the line; if it is not a whole command, begin another row
Alt-Enter  begin another row, whatever is missing
Tab        complete a word; twice: list what it can be
Up Down    go to other rows, and to other lines of the history (Ctrl-P, Ctrl-N:
           to lines at once; Alt-<, Alt->: to the oldest and the newest)
Ctrl-R     search the history backwards as you type, again: further; Ctrl-S:
           forwards; Ctrl-G drops the search, Enter runs what it found, other
           keys edit that
Alt-.      insert the last word of the line before; again: of the one before
Ctrl-A Ctrl-E  Home End       go to the ends of the row
Alt-B Alt-F  Ctrl-Left/Right  go back and forward by a word
Ctrl-K Ctrl-U                 kill to the end, or the beginning, of the row
Ctrl-W Alt-Backspace Alt-D    kill to a blank, a word back, a word forward
Ctrl-Y     insert what was killed         Ctrl-_   undo
Ctrl-T     exchange two characters        Ctrl-V   insert the next key as it is
Ctrl-L     clear the screen
`
)

// help is `help` and `help WORD`.
func (l *loop) help(_ context.Context, word string, io IO) (Outcome, error) {
	if word != "" {
		return l.helpWord(word, io)
	}
	var b strings.Builder
	row := func(left, right string) {
		fmt.Fprintf(&b, "  %-18s %s\n", left, right)
	}
	fmt.Fprintf(&b, "Each line is run by one shell on %s, where variables,\n"+
		"functions, cd and jobs last. Other words:\n", l.where())
	row("!COMMAND", "run a command on this machine")
	for _, name := range slices.Sorted(maps.Keys(l.builtins)) {
		builtin := l.builtins[name]
		if builtin.Help != "" && name != "quit" {
			row(strings.TrimSpace(name+" "+builtin.Args), builtin.Help)
		}
	}
	b.WriteString("A backslash in front (\\help) sends a word of this list to the other machine.\n")
	if l.face.raw {
		b.WriteString(`Ctrl-C stops a command (twice: kills it) or drops the line; Ctrl-D ends. Tab
completes; Up, Down and Ctrl-R find lines of before; !! is the last line and !$
its last word. A command of several lines goes on after "> "; Alt-Enter begins
another row anyway. help keys tells about all keys.
`)
	}
	fmt.Fprint(io.Stdout, b.String())
	return Outcome{}, nil
}

func (l *loop) helpWord(word string, io IO) (Outcome, error) {
	builtin, known := l.builtins[word]
	switch {
	case known:
		fmt.Fprintf(io.Stdout, "%s: %s\n%s", strings.TrimSpace(word+" "+builtin.Args), builtin.Help,
			builtin.More)
	case word == "keys" && l.face.raw:
		fmt.Fprint(io.Stdout, keysHelp)
	case word[0] == '!':
		fmt.Fprint(io.Stdout, localHelp)
	default:
		err := fmt.Errorf("help knows nothing about %s; help alone lists what it knows",
			terminal.Printable(word))
		if meant := l.meant(word); meant != "" {
			err = fmt.Errorf("help knows nothing about %s; did you mean %s?",
				terminal.Printable(word), meant)
		}
		return Outcome{}, &editor.LineError{Err: err}
	}
	return Outcome{}, nil
}

// notFound is the status of a command that there is not.
const notFound = 127

// meant is the prompt's own word that differs from this one by a slip of a finger; "": none does.
func (l *loop) meant(word string) string {
	for _, name := range slices.Sorted(maps.Keys(l.builtins)) {
		if report.Slip(word, name) {
			return name
		}
	}
	return ""
}
