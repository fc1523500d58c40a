//go:build unix

package keeper

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/tty"
)

// adopt takes over a command that runs, with its terminal, from the daemon that is its parent
// (JO10).
func (k *keeper) adopt() error {
	if err := process.WriteMessage(os.Stdout, Answer{}); err != nil {
		return err
	}
	var what Adoption
	if err := process.ReadMessage(os.Stdin, process.MaxOrder, &what); err != nil {
		return err
	}
	shown, err := io.ReadAll(io.LimitReader(os.Stdin, protocol.MaxJobScreen))
	if err != nil {
		return err
	}
	socket, err := net.FileConn(os.NewFile(process.SocketFD, "socket"))
	if err != nil {
		return err
	}
	parent := socket.(*net.UnixConn)
	k.parent = parent // the daemon keeps the command's number as long as this is open
	terminal, err := receiveTerminal(parent)
	if err != nil {
		return err
	}
	size := tty.Size(terminal)
	k.p, err = process.Adopt(what.PID, string(what.TTY), terminal, func() (process.Result, bool) {
		return resultFrom(parent)
	})
	if err != nil {
		return err
	}
	k.order.Timeout = what.Timeout
	k.blind, k.window = len(shown) == 0, size
	k.out.screen = replayed(size, shown, replies{k})
	debug.FreeOSMemory() // it was needed once
	return k.keepAsNamed(what.Began)
}

// keepAsNamed is keep, without the name if another job has got it meanwhile.
func (k *keeper) keepAsNamed(began int64) error {
	s := storeOf(string(k.order.Home))
	turn, err := s.turn()
	if err != nil {
		return err
	}
	defer turn.Close()
	if s.admit(k.order.Name, time.Now()) != nil {
		k.order.Name = ""
	}
	return k.keep(began)
}

// receiveTerminal takes the descriptor of a terminal.
func receiveTerminal(parent *net.UnixConn) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := parent.ReadMsgUnix(make([]byte, 1), control)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return 0, errors.New("the daemon has passed no terminal")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	unix.CloseOnExec(fds[0])
	return fds[0], nil
}

// resultFrom waits for the daemon to say how the command has ended; not ok: it has gone.
func resultFrom(parent *net.UnixConn) (r process.Result, ok bool) {
	message := make([]byte, process.MaxAnswer)
	n, err := parent.Read(message)
	if err != nil || process.ReadMessage(bytes.NewReader(message[:n]), process.MaxAnswer,
		&r) != nil {
		parent.Close()
		return r, false
	}
	return r, true // and the socket stays open: the daemon keeps the command's number
}

// replayed is a screen on which output has been shown that a client had. What that asked of a
// terminal was answered then.
func replayed(size protocol.Size, shown []byte, reply io.WriteCloser) *screen {
	before := newScreen(size, nobody{})
	before.write(shown)
	s := newScreen(size, reply)
	s.write(before.redo())
	before.close()
	return s
}

// nobody takes what is for nobody.
type nobody struct{}

func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) Close() error                { return nil }
