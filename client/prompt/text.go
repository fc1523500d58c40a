package prompt

import (
	"bytes"
	"fmt"
	"strings"

	"minissh/client/terminal"
	"minissh/protocol"
)

// where names the other side.
func (l *loop) where() string {
	host := l.cfg.Host
	if l.cfg.Where != nil {
		host = l.cfg.Where()
	}
	host = terminal.Printable(host)
	if l.cfg.User == "" {
		return host
	}
	return terminal.Printable(l.cfg.User) + "@" + host
}

// label is the prompt: user@host:~/dir$ and a blank, # for root.
func (l *loop) label() string {
	mark := "$ "
	if l.cfg.User == "root" {
		mark = "# "
	}
	if l.dir == nil {
		return l.where() + mark
	}
	return l.where() + ":" + terminal.Printable(string(inHome(l.dir, l.cfg.Home))) + mark
}

// inHome writes a directory at or below home with ~.
func inHome(dir, home []byte) []byte {
	home = bytes.TrimRight(home, "/")
	if len(home) == 0 || !bytes.HasPrefix(dir, home) || len(dir) > len(home) &&
		dir[len(home)] != '/' {
		return dir
	}
	return append([]byte("~"), dir[len(home):]...)
}

// ended says how a line ended, if it failed; "" otherwise.
func ended(o Outcome) string {
	took := ""
	if o.Duration > 0 {
		took = ", " + protocol.Took(o.Duration)
	}
	switch {
	case o.Signal != "":
		name := terminal.Printable(strings.TrimPrefix(o.Signal, "SIG"))
		return "[ended by signal " + name + took + "]"
	case o.Code != 0:
		return fmt.Sprintf("[exit %d%s]", o.Code, took)
	}
	return ""
}
