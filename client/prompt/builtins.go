package prompt

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"minissh/client/editor"
	"minissh/client/report"
	"minissh/client/terminal"
)

// ownBuiltins are the words that need nothing but the loop.
func (l *loop) ownBuiltins() map[string]Builtin {
	end := Builtin{Args: "[STATUS]", Help: "end the prompt, with this or the last status",
		More: endHelp, Run: l.exit}
	own := map[string]Builtin{
		"help": {Args: "[WORD]", Help: "this list, or more about a word", Run: l.help},
		"exit": end,
		"quit": end,
	}
	if l.face.terminal != nil {
		own["history"] = Builtin{Args: "[N | TEXT | -c]",
			Help: "the last N lines, or those with TEXT; -c forgets all", More: historyHelp,
			Run: l.showHistory}
	}
	if l.face.raw {
		own["help"] = Builtin{Args: "[WORD]", Run: l.help,
			Help: "this list, or more about a word; help keys: all keys"}
		own["clear"] = Builtin{Help: "clear this terminal", Run: l.clear}
	}
	return own
}

// builtins are the words that need the connection.
func (r *runner) builtins() map[string]Builtin {
	return map[string]Builtin{
		"pty": {Args: "[COMMAND]", Help: "run it, or a shell, on a terminal there: pty vim",
			Run: r.onTerminal},
		"nopty": {Args: "COMMAND", Help: "run it without a terminal, whatever it is",
			Line: true, Run: r.offTerminal},
		"detach": {Args: "COMMAND", Help: "run it as a job, which goes on when this prompt ends",
			More: detachHelp, Line: true, Run: r.detach},
		"put": {Args: "FILE… [TO]", Help: "copy files from here to there; folders with -r",
			More: copyHelp, Run: r.put},
		"get": {Args: "FILE… [TO]", Help: "copy files from there to here; folders with -r",
			More: copyHelp, Run: r.get},
	}
}

// complete is the Tab key: the words of the prompt itself are added to what Config.Complete finds.
func (l *loop) complete(ctx context.Context, line string, pos int) editor.Completion {
	var found editor.Completion
	if l.cfg.Complete != nil {
		found = l.cfg.Complete(ctx, line, pos)
	}
	word := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(line[:pos], " "), "help "), " ")
	if word == "" {
		return found
	}
	for name := range l.builtins {
		if strings.HasPrefix(name, word) {
			found.From = pos - len(word)
			found.Candidates = append(found.Candidates, editor.Candidate{Text: name + " "})
		}
	}
	return found
}

// exit ends the loop. What only begins like it (exit 3; ls) is refused, so that no part of a line
// is dropped.
func (l *loop) exit(_ context.Context, args string, _ IO) (Outcome, error) {
	if args == "" {
		return Outcome{}, &endError{l.status}
	}
	n, err := strconv.ParseUint(args, 10, 8)
	if err != nil {
		return Outcome{},
			&editor.LineError{Err: fmt.Errorf("exit takes a status from 0 to 255, and not %s",
				terminal.Printable(args))}
	}
	return Outcome{}, &endError{int(n)}
}

func (l *loop) showHistory(_ context.Context, args string, io IO) (Outcome, error) {
	n := l.history.Len()
	if args == "-c" {
		if err := l.history.Clear(); err != nil {
			return Outcome{},
				&editor.LineError{Err: fmt.Errorf("the history is still in its file: %w", err)}
		}
		return Outcome{}, nil
	}
	last, text := n, ""
	if wanted, err := strconv.ParseUint(args, 10, 31); err == nil {
		last = min(n, int(wanted))
	} else if text, err = sought(args); err != nil {
		return Outcome{}, err
	}
	var b strings.Builder
	for i := last - 1; i >= 0; i-- {
		if text == "" || i > 0 && strings.Contains(l.history.At(i), text) { // 0 is this line
			fmt.Fprintf(&b, "%5d  %s\n", n-i, l.history.At(i))
		}
	}
	fmt.Fprint(io.Stdout, b.String())
	return Outcome{}, nil
}

// sought is the text of `history TEXT`. What other hosts were told is not for programs there.
func sought(args string) (string, error) {
	if after(args, "|<>;&") == 0 {
		words, err := fileWords(args)
		if err != nil {
			return args, nil
		}
		return strings.Join(words, " "), nil
	}
	text := "TEXT"
	_, piped, _ := strings.Cut(args, "|")
	if words := strings.Fields(piped); len(words) == 2 && words[0] == "grep" {
		text = words[1]
	}
	return "", &editor.LineError{Err: report.Failed(nil, terminal.Printable("history "+text)+
		" lists the lines with "+terminal.Printable(text),
		"the history is on this machine, and no program there gets it")}
}

func (l *loop) clear(_ context.Context, _ string, io IO) (Outcome, error) {
	fmt.Fprint(io.Terminal, "\x1b[H\x1b[2J\x1b[3J")
	return Outcome{}, nil
}

// local is !COMMAND: this machine's shell runs it on this terminal. It gets Ctrl-C from the
// terminal itself; without a terminal it has no input, since that is ours.
func (l *loop) local(line string) func(context.Context) (Outcome, error) {
	return func(ctx context.Context) (Outcome, error) {
		if line == "" {
			return Outcome{},
				&editor.LineError{Err: errors.New("after ! comes a command for this machine: !ls")}
		}
		cmd := localCommand(ctx, l.cfg.Getenv, line)
		cmd.Stdout, cmd.Stderr = l.cfg.Stdout, l.cfg.Stderr
		if l.face.terminal != nil {
			cmd.Stdin = l.cfg.Stdin
		}
		err := cmd.Run()
		l.out.unknown()
		if err == nil {
			return Outcome{}, nil
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return Outcome{}, &editor.LineError{Err: err}
		}
		return localOutcome(exit), nil
	}
}
