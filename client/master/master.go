// Package master is the process that owns a ControlPath (ssh_config(5), ControlMaster), and those
// that ask for it (-O): the owner says that it is there, and which process it is, ends, changes
// what its connection forwards, and runs others' commands over it. The messages are those of
// OpenSSH (PROTOCOL.mux), so that ssh may ask, and with it scp and sftp, which have its path built
// in. minissh itself has a connection for each command, which opens in milliseconds.
//
// mux.go has the messages, master.go the owner's side, command.go what it does for a command,
// ask.go the other side, and forward.go what both say of forwards.
package master

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// patience is how long one message may take.
const patience = 10 * time.Second

// most is how many may ask at the same time.
const most = 16

// Owner is a process that owns a ControlPath.
type Owner struct {
	path     string
	forwards Forwards
	commands Commands
	listener net.Listener
	end      func() // ends this process, for -O exit
	stop     sync.Once
	slots    chan struct{} // of those that ask
	running  chan struct{} // the commands
	number   atomic.Uint32 // of the last command
}

// Own makes the socket, with mode 0600. end is called when somebody asks this process to end. If
// another process owns the path the result is nil, as in ssh: ours goes on without.
func Own(path string, messages *report.Messages, forwards Forwards, commands Commands,
	end func()) (*Owner, error) {
	hint := "-S none goes on without a socket"
	listener, err := listen(path)
	if errors.Is(err, fs.ErrExist) {
		messages.Debug("the socket %s is another process's", protocol.Quote(path))
		return nil, nil
	} else if err != nil {
		return nil, report.Failed(err, hint, "cannot make the socket %s: %v",
			protocol.Quote(path), report.Plain(err))
	}
	o := &Owner{path: path, forwards: forwards, commands: commands, listener: listener, end: end,
		slots: make(chan struct{}, most), running: make(chan struct{}, mostCommands)}
	atexit.Do(o.Stop)
	go o.serve()
	return o, nil
}

// listen makes a socket in a directory that nobody else can enter, since its mode is not yet right,
// and gives it its name when somebody answers. An old one that nobody owns any more goes away.
func listen(path string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".m")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	inside := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", inside)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err = os.Chmod(inside, 0o600); err == nil {
		err = os.Link(inside, path)
	}
	if errors.Is(err, fs.ErrExist) && !alive(path) {
		if info, gone := os.Lstat(path); gone == nil && info.Mode()&fs.ModeSocket != 0 {
			os.Remove(path)
			err = os.Link(inside, path)
		}
	}
	if err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// alive says whether somebody listens on a socket.
func alive(path string) bool {
	conn, err := net.DialTimeout("unix", path, patience)
	if err == nil {
		conn.Close()
	}
	return err == nil || !errors.Is(err, syscall.ECONNREFUSED)
}

// Stop removes the socket; nobody can ask any more. It may be called again.
func (o *Owner) Stop() {
	o.stop.Do(func() {
		os.Remove(o.path)
		o.listener.Close()
	})
}

// Linger is Stop, and waits for the commands that run: as ssh, which does not end before.
func (o *Owner) Linger() {
	o.Stop()
	for range mostCommands {
		o.running <- struct{}{}
	}
}

// serve answers until the socket is closed. Each goroutine that it starts ends within patience, or
// with a command.
func (o *Owner) serve() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		o.slots <- struct{}{}
		go func() {
			conn := conn.(*net.UnixConn)
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			var then func()
			uid, err := transport.PeerUID(conn)
			if err == nil && (uid == 0 || int64(uid) == int64(os.Getuid())) {
				then = o.answer(conn)
			}
			<-o.slots
			if then != nil {
				then()
			}
		}()
	}
}

// answer serves one that asks. What takes longer is then done: a command.
func (o *Owner) answer(conn *net.UnixConn) (then func()) {
	if newMessage(hello, version).writeTo(conn) != nil {
		return nil
	}
	for {
		kind, b, err := readMessage(conn)
		if err != nil {
			return nil
		}
		id := b.number()
		switch kind {
		case hello:
			if id != version {
				return nil
			}
		case aliveCheck:
			err = newMessage(isAlive, id, uint32(os.Getpid())).writeTo(conn)
		case stopListening:
			o.Stop()
			err = newMessage(ok, id).writeTo(conn)
		case openForward, closeForward:
			// the other side may take its time, and the answer then needs some more
			conn.SetDeadline(time.Now().Add(2 * patience))
			err = o.change(kind, id, b).writeTo(conn)
		case terminate:
			o.Stop()
			if newMessage(ok, id).writeTo(conn) == nil {
				conn.Close()
			}
			o.end()
			return nil
		case newCommand:
			return o.command(conn, id, b)
		default:
			err = newMessage(refused, id).text("minissh does not do that for others").
				writeTo(conn)
		}
		if err != nil {
			return nil
		}
	}
}
