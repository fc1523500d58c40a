package prompt

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minissh/client/cp"
	"minissh/client/editor"
	"minissh/client/report"
	"minissh/client/run"
)

// put is the prompt's `put FILE… [TARGET]`: files of this machine go to the other side, relative
// names there being in the current directory.
func (r *runner) put(ctx context.Context, args string, io IO) (Outcome, error) {
	return r.copy(ctx, args, "put", io)
}

// get is the prompt's `get FILE… [TARGET]`: files of the other side come to the directory that
// minissh runs in, or below it.
func (r *runner) get(ctx context.Context, args string, io IO) (Outcome, error) {
	return r.copy(ctx, args, "get", io)
}

func (r *runner) copy(ctx context.Context, args, verb string, io IO) (Outcome, error) {
	plan, err := r.plan(ctx, args, verb)
	if err != nil {
		return Outcome{}, &editor.LineError{Err: err}
	}
	started := time.Now()
	c := cp.NewCopier(ctx, plan, io.Stderr)
	c.View.Screen = io.Terminal
	transfer := c.Put
	if verb == "get" {
		transfer = c.Get
	}
	c.View.Follow(r.conn)
	defer r.watchLink()
	failed := make(chan error, 1)
	go func() { failed <- transfer(r.conn) }()
	unanswered, forget := r.unanswered(ctx)
	defer forget()
	select {
	case err = <-failed:
	case <-unanswered: // it ends when the link is back
		err = context.Canceled
	}
	if err != nil {
		c.View.End(time.Since(started), true)
		if context.Cause(ctx) == context.Canceled { // by the user; a lost session has its reason
			err = c.Interrupted(verb+" --resume, with the same words, goes on", err)
		}
		return r.failedCopy(err)
	}
	outcome := Outcome{Duration: time.Since(started)}
	if c.View.End(outcome.Duration, false) {
		outcome.Code = cp.ExitPartly
	}
	return outcome, nil
}

// failedCopy distinguishes a failed copy from the end of everything.
func (r *runner) failedCopy(err error) (Outcome, error) {
	if r.conn.Session.Err() != nil {
		return Outcome{}, run.KnownOf(r.conn, nil).Unknown(err)
	}
	return Outcome{}, &editor.LineError{Err: err}
}

// fileWords splits names at blanks; quotes keep blanks, and a backslash makes the next character
// ordinary.
func fileWords(text string) (words []string, err error) {
	var word strings.Builder
	begun, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case c == '\\' && quote != '\'' && filepath.Separator == '/' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			begun = true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if quote != 0 {
		return nil, report.Failed(nil, "", "a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// fromHome replaces a ~ at the front by the local home directory, as a shell does.
func fromHome(name string) string {
	rest, ok := strings.CutPrefix(name, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return name
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return name
	}
	return home + rest
}
