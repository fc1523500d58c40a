package run

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"minissh/client/terminal"
)

// answerTime is how long the other side may take to do what was typed after ~C.
const answerTime = time.Minute

// commandLine is ~C: it reads a line for us, which changes what is forwarded (ssh(1), ESCAPE
// CHARACTERS), while output waits. It returns what was typed after the line.
func (s *Shell) commandLine(typed []byte) (rest []byte) {
	m, forwards := s.conn.Messages, s.conn.Forwards
	s.stdout.hide()
	switch {
	case s.conn.Options.NoCommandLine:
		io.WriteString(m, "\r\nminissh: the command line is switched off "+
			"(EnableEscapeCommandline)\r\n")
		return typed
	case forwards == nil:
		io.WriteString(m, "\r\nminissh: nothing can be forwarded from here\r\n")
		return typed
	}
	release := s.stdout.hold()
	io.WriteString(m, "\r\nminissh> ")
	line, rest, ok := terminal.ReadLine(s.keys, typed, m)
	io.WriteString(m, "\r\n")
	release()
	if !ok {
		return rest
	}
	// The other side may take its time, and keys are for it meanwhile.
	s.commands.Go(func() {
		ctx, cancel := context.WithTimeout(s.typing, answerTime)
		defer cancel()
		said, err := forwards.Command(ctx, line)
		switch {
		case s.typing.Err() != nil:
		case err != nil:
			m.Error(err)
		case said != "":
			io.WriteString(m, strings.ReplaceAll(said, "\n", "\r\n")+"\r\n")
		}
	})
	return rest
}

// list is ~#.
func (s *Shell) list() {
	m := s.conn.Messages
	what := "session"
	if len(s.ch.Request().Command) > 0 {
		what = "command"
	}
	fmt.Fprintf(m, "The following connections are open:\r\n  #%d %s\r\n", s.ch.ID(), what)
	if s.conn.Forwards == nil {
		return
	}
	forwards, connections := s.conn.Forwards.List()
	for _, one := range connections {
		fmt.Fprintf(m, "  %s\r\n", one)
	}
	if len(forwards) > 0 {
		fmt.Fprintf(m, "Forwarded: %s\r\n", strings.Join(forwards, ", "))
	}
}
