package prompt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// ownBuiltins are the words that need nothing but the loop.
func (l *loop) ownBuiltins() map[string]Builtin {
	end := Builtin{Args: "[STATUS]", Help: "end the prompt (so does Ctrl-D), with the last " +
		"status or this one", Run: l.exit}
	return map[string]Builtin{
		"help":    {Help: "this list", Run: l.help},
		"history": {Help: "the lines of before", Run: l.showHistory},
		"exit":    end,
		"quit":    end,
	}
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
			&LineError{
				fmt.Errorf("exit takes a status from 0 to 255, and not %s", quote([]byte(args)))}
	}
	return Outcome{}, &endError{int(n)}
}

func (l *loop) help(_ context.Context, _ string, io IO) (Outcome, error) {
	var b strings.Builder
	row := func(left, right string) {
		fmt.Fprintf(&b, "  %-18s %s\n", left, right)
	}
	fmt.Fprintf(&b, "Each line is a command on %s; cd persists. Other words:\n", l.where())
	row("!COMMAND", "run a command on this machine")
	for _, name := range slices.Sorted(maps.Keys(l.builtins)) {
		builtin := l.builtins[name]
		if builtin.Help != "" {
			row(strings.TrimSpace(name+" "+builtin.Args), builtin.Help)
		}
	}
	if l.face.raw {
		b.WriteString("Keys: Ctrl-C stops a command (twice: kills it) or drops the line; Up and " +
			"Down\n" +
			"go through the history, which keeps no line that begins with a blank; Ctrl-A,\n" +
			"Ctrl-E, Ctrl-K, Ctrl-U, Ctrl-W and Ctrl-L edit.\n")
	}
	b.WriteString("A backslash in front (\\help) sends a word of this list to the other machine.\n")
	fmt.Fprint(io.Stdout, b.String())
	return Outcome{}, nil
}

func (l *loop) showHistory(_ context.Context, _ string, io IO) (Outcome, error) {
	var b strings.Builder
	n := l.history.Len()
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "%5d  %s\n", n-i, plain(l.history.At(i)))
	}
	fmt.Fprint(io.Stdout, b.String())
	return Outcome{}, nil
}

// local is !COMMAND: this machine's shell runs it on this terminal. It gets Ctrl-C from the
// terminal itself; without a terminal it has no input, since that is ours.
func (l *loop) local(line string) func(context.Context) (Outcome, error) {
	return func(ctx context.Context) (Outcome, error) {
		if line == "" {
			return Outcome{},
				&LineError{errors.New("after ! comes a command for this machine: !ls")}
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
			return Outcome{}, &LineError{err}
		}
		return localOutcome(exit), nil
	}
}
