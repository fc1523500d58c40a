package master

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"minissh/client/report"
	"minissh/protocol"
)

// Command is what another process runs over our connection, as ssh, scp and sftp do with a
// ControlPath. Its terminal, if it has one, is in raw mode already.
type Command struct {
	Line      string // a subsystem's name; else empty: a login shell
	Subsystem bool
	PTY       bool
	Term      string
	Escape    int // a byte, or -1
	Agent     bool
	Env       [][2]protocol.Bytes
	Files     [3]*os.File // its standard input, output and error; the Owner closes them
}

// Commands run what other processes ask for (client/run).
type Commands interface {
	// Run returns the exit code. It calls opened when the other side has begun, with a pty or
	// without. ctx ends with the process that has asked.
	Run(ctx context.Context, c *Command, opened func(pty bool)) (code int, err error)
}

// mostCommands is how many commands may run at the same time; the daemon may take fewer.
const mostCommands = 64

// longestEnvironment is how many variables one request may have.
const longestEnvironment = 1024

// readCommand reads what follows the number of such a request.
func readCommand(b *body) (*Command, error) {
	b.text() // reserved
	c := &Command{PTY: b.number() != 0}
	b.number() // X11, which is for nobody
	c.Agent, c.Subsystem = b.number() != 0, b.number() != 0
	c.Escape = int(int32(b.number()))
	if c.Escape < 0 || c.Escape > 255 {
		c.Escape = -1
	}
	c.Term, c.Line = b.text(), b.text()
	for len(b.rest) > 0 && !b.bad {
		name, value, _ := strings.Cut(b.text(), "=")
		if len(c.Env) == longestEnvironment {
			return nil, errors.New("too many variables")
		}
		c.Env = append(c.Env, [2]protocol.Bytes{protocol.Bytes(name), protocol.Bytes(value)})
	}
	if b.bad {
		return nil, errors.New("it is not a command")
	}
	return c, nil
}

// command reads one, with its files, and returns what runs it and returns when it has ended; nil if
// it is refused. Nothing else comes over conn after it. The files come before a refusal is sent:
// ssh sends them before it reads, and would tell of nothing but a broken pipe.
func (o *Owner) command(conn *net.UnixConn, id uint32, b *body) (run func()) {
	refuse := func(err error) {
		newMessage(refused, id).text(report.Plain(err).Error()).writeTo(conn)
	}
	var files [3]*os.File
	closeFiles := func() {
		for _, f := range files {
			f.Close() // of nil, too
		}
	}
	for i := range files {
		var err error
		if files[i], err = receiveFile(conn); err != nil {
			closeFiles()
			refuse(err)
			return nil
		}
	}
	c, err := readCommand(b)
	if err != nil {
		closeFiles()
		refuse(err)
		return nil
	}
	c.Files = files
	return func() {
		defer closeFiles()
		o.run(conn, id, c, refuse)
	}
}

// run runs a command, and returns when it has ended.
func (o *Owner) run(conn *net.UnixConn, id uint32, c *Command, refuse func(error)) {
	select {
	case o.running <- struct{}{}:
		defer func() { <-o.running }()
	default:
		refuse(errors.New("too many commands run over this connection"))
		return
	}
	conn.SetDeadline(time.Time{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		io.Copy(io.Discard, conn) // until the process that has asked is gone
	}()
	session, begun := o.number.Add(1), false
	code, err := o.commands.Run(ctx, c, func(pty bool) {
		begun = true
		newMessage(opened, id, session).writeTo(conn)
		if c.PTY && !pty {
			newMessage(withoutTTY, session).writeTo(conn)
		}
	})
	switch {
	case err == nil:
		newMessage(exit, session, uint32(code)).writeTo(conn)
	case !begun:
		refuse(err)
	}
}
