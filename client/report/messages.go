// Package report is how the client speaks to people. Messages are "minissh: what went wrong" and
// "minissh: hint: what to type" on standard error, or in the file of -E; standard output belongs to
// the command. Text from the other side is quoted before it reaches a terminal.
package report

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"minissh/client/options"
	"minissh/protocol"
)

// Messages is where people read messages, at the level of -v or -q. Several goroutines may use it.
type Messages struct {
	to      io.Writer
	options *options.Options // says the level
	mu      sync.Mutex       // one message at a time; guards the rest
	via     func([]byte) []byte
}

// New returns the messages of one connection.
func New(to io.Writer, o *options.Options) *Messages { return &Messages{to: to, options: o} }

// Write writes a message whatever the level.
func (m *Messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.via != nil {
		if _, err := m.to.Write(m.via(p)); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return m.to.Write(p)
}

// Via has each message made ready for the terminal just before it is written there; nil: no more.
func (m *Messages) Via(f func(message []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.via = f
}

// Say writes a message from the given level on.
func (m *Messages) Say(level options.LogLevel, format string, args ...any) {
	if m.options.LogLevel >= level {
		fmt.Fprintf(m, "minissh: "+format+"\n", args...)
	}
}

// Debug writes a message with -v.
func (m *Messages) Debug(format string, args ...any) {
	m.Say(options.LevelDebug1, format, args...)
}

// Announce writes lines in ssh's own words, which people and programs rely on.
func (m *Messages) Announce(lines ...string) {
	if m.options.LogLevel < options.LevelInfo {
		return
	}
	if len(lines) > 0 { // whole, since others may write too
		io.WriteString(m, strings.Join(lines, "\n")+"\n")
	}
}

// Error says why a host could not be served; with -q it is silent, as in ssh.
func (m *Messages) Error(err error) {
	if m.options.LogLevel > options.LevelQuiet {
		Error(m, err)
	}
}

// File is what the messages go to, if that is a file.
func (m *Messages) File() *os.File {
	f, _ := m.to.(*os.File)
	return f
}

// Interactive says whether a person reads the messages.
func (m *Messages) Interactive() bool {
	f := m.File()
	return f != nil && term.IsTerminal(int(f.Fd())) && m.options.LogLevel > options.LevelQuiet
}

// Target is what to type after minissh, or one of its verbs, to reach the same account again.
func Target(o *options.Options) string {
	if o.Socket != "" {
		return o.Alias
	}
	target := o.User + "@" + o.Alias
	if o.Port != protocol.DefaultPort {
		target = fmt.Sprintf("-p %d %s", o.Port, target)
	}
	return target
}

// Again is Target with the options that decide who is reached, and as whom: for a line that is
// typed later, or elsewhere.
func Again(o *options.Options) string {
	var line strings.Builder
	for _, word := range o.Reach {
		if word == "" || strings.Trim(word, plainLetters) != "" {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		line.WriteString(word + " ")
	}
	return line.String() + Target(o)
}

// plainLetters mean themselves to every shell.
const plainLetters = "@%+=:,./-_~0123456789abcdefghijklmnopqrstuvwxyz" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Plain is the innermost reason of a failed call, without the addresses, which the message has
// already.
func Plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}
