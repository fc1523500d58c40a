package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"minissh/daemon/logbook"
	"minissh/daemon/supervise"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// The control socket is where the administrator asks a running daemon. It is a Unix socket of mode
// 0600, and both ends ask the kernel who the other is. One connection is one request, a line
// {"verb":…,"args":{…}}; the answer is lines too: any number of {"event":…}, then one {"answer":…}
// or {"error":…,"hint":…}. An asker that hangs up withdraws its request.

const (
	askersMost  = 64               // at once
	requestMost = 64 << 10         // bytes of a request
	answerMost  = 64 << 20         // bytes of all answers to one
	patience    = 10 * time.Second // for a request, and for each line of the answer to be taken
)

// ErrNoDaemon says that nobody listens on a control socket.
var ErrNoDaemon = errors.New("no minisshd of yours is running here")

// Error is the daemon's answer when it does not do what it was asked.
type Error struct{ What, Advice string }

var _ logbook.Hinter = (*Error)(nil)

func (e *Error) Error() string { return e.What }

// Hint is what to type; "" if nothing is known.
func (e *Error) Hint() string { return e.Advice }

type ask struct {
	Verb string          `json:"verb"`
	Args json.RawMessage `json:"args,omitempty"`
}

type line struct {
	Event  json.RawMessage `json:"event,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  string          `json:"error,omitempty"`
	Hint   string          `json:"hint,omitempty"`
}

// socket is the daemon's end.
type socket struct {
	desk     *Desk
	each     int                              // connections at once of one uid
	allowed  func(uid uint32) map[string]verb // what it may ask for; nil: nothing
	listener *net.UnixListener
	lock     io.Closer // held as long as the socket is ours
	ctx      context.Context
	cancel   context.CancelCauseFunc
	work     sync.WaitGroup

	mu     sync.Mutex               // guards the rest
	conns  map[*net.UnixConn]uint32 // their uids
	closed bool
	left   bool // it is another generation's
}

// ErrTaken says that another living daemon has the control socket.
var ErrTaken = errors.New("another minisshd has the control socket")

// openSocket takes the lock that goes with a control socket, then the socket: whoever holds the
// lock may replace what is there.
func openSocket(path string, mode os.FileMode, gen *supervise.Generation) (*net.UnixListener,
	io.Closer, error) {
	if len(path) > MaxSocketPath {
		return nil, nil, fmt.Errorf("%s is too long for a socket's path: the most is %d bytes",
			protocol.Quote(path), MaxSocketPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	if err := PrivateDir(dir); err != nil {
		return nil, nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, nil, fmt.Errorf("%s is there and is not a socket: choose another path", path)
	}
	lock, err := takeLock(path+".lock", gen)
	if err != nil {
		return nil, nil, err
	}
	listener, err := Listening(gen, "control/"+path, path, mode)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return listener, lock, nil
}

// takeLock takes a lock, which belongs to all generations of this daemon together.
func takeLock(path string, gen *supervise.Generation) (io.Closer, error) {
	key := "lock/" + path
	if held := gen.Take(key); held != nil {
		return held, nil
	}
	lock, err := flock(path)
	if err != nil {
		return nil, err
	}
	if c, ok := lock.(syscall.Conn); ok {
		err = gen.Keep(key, c)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// Listening is ListenUnix, or takes the listener that an earlier generation has opened, and that
// still has its name.
func Listening(gen *supervise.Generation, key, path string, mode os.FileMode) (*net.UnixListener,
	error) {
	if held := gen.Take(key); held != nil {
		defer held.Close()
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
			l, err := net.FileListener(held)
			if unix, ok := l.(*net.UnixListener); ok {
				return unix, nil
			}
			return nil, fmt.Errorf("%s is not a Unix socket any more: %w", path, err)
		}
	}
	l, err := ListenUnix(path, mode)
	if err != nil {
		return nil, err
	}
	unix := l.(*net.UnixListener)
	if err := gen.Keep(key, unix); err != nil {
		unix.Close()
		return nil, err
	}
	return unix, nil
}

// MaxSocketPath fits sockaddr_un on every system, with its NUL.
const MaxSocketPath = 103

// leave has another generation answer from now on. What was asked goes on, but for codes: their
// clients will come to the other one.
func (s *socket) leave() {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	s.listener.SetUnlinkOnClose(false)
	s.listener.Close()
	s.lock.Close()
	s.cancel(errReplaced)
}

var errReplaced = &Error{"this minisshd is being replaced, and its codes are worthless now",
	"minisshd pair shows new ones"}

func (s *socket) close() {
	s.cancel(nil)
	s.mu.Lock()
	if !s.left {
		s.listener.SetUnlinkOnClose(true) // also if an earlier generation opened it
	}
	s.listener.Close()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	s.lock.Close() // last: until then nobody may take the path
}

func (s *socket) accept() {
	for {
		accepted, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.ctx.Done():
			}
			continue
		}
		conn := accepted.(*net.UnixConn)
		uid, err := transport.PeerUID(conn)
		if err != nil || !s.enter(conn, uid) {
			conn.Close()
			continue
		}
		s.work.Go(func() {
			defer s.forget(conn)
			s.serve(conn, uid)
		})
	}
}

func (s *socket) enter(conn *net.UnixConn, uid uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := 0
	for _, other := range s.conns {
		if other == uid {
			mine++
		}
	}
	if s.closed || len(s.conns) >= askersMost || mine >= s.each {
		return false
	}
	s.conns[conn] = uid
	return true
}

func (s *socket) forget(conn *net.UnixConn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// serve answers one asker.
func (s *socket) serve(conn *net.UnixConn, uid uint32) {
	allowed := s.allowed(uid)
	if allowed == nil {
		s.desk.Tally.Refused(slog.LevelWarn, "Control refused", uid, fmt.Sprintf("uid %d", uid),
			"Control refused", "uid", uid)
		return
	}
	say := func(l line) error {
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		conn.SetWriteDeadline(time.Now().Add(patience))
		_, err = conn.Write(append(text, '\n'))
		return err
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	var asked ask
	text, err := bufio.NewReaderSize(io.LimitReader(conn, requestMost), 4096).ReadBytes('\n')
	if err != nil {
		return // gone, too slow or too long
	}
	if err := json.Unmarshal(text, &asked); err != nil {
		say(line{Error: "the request is not a JSON object"})
		return
	}
	answering := allowed[asked.Verb]
	if answering == nil {
		say(line{
			Error: "this minisshd does not know " + protocol.Quote(logbook.Shorten(asked.Verb, 64)),
			Hint:  "use a daemon of the same version: " + s.desk.Software + " is running"})
		return
	}
	conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.work.Go(func() { // until the asker hangs up, or forget closes the connection
		defer cancel()
		conn.Read(make([]byte, 1))
	})
	answer, err := answering(ctx, s.desk, asked.Args, func(event any) error {
		text, err := json.Marshal(event)
		if err != nil {
			return err
		}
		return say(line{Event: text})
	})
	var last line
	if err == nil {
		last.Answer, err = json.Marshal(answer)
	}
	if err != nil {
		last = line{Error: err.Error(), Hint: logbook.Hint(err)}
	}
	say(last)
}

// ListenUnix listens on a socket file with those permissions. It replaces a dead socket.
func ListenUnix(path string, mode os.FileMode) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s is there and is not a socket: choose another path", path)
		}
		// Only a refusal shows that nobody listens: EAGAIN means that somebody is busy, and EACCES
		// that it is not our business.
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("another program listens on %s", path)
		} else if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("another program may listen on %s: %w", path, err)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	var l net.Listener
	err := withUmask(0o777&^int(mode), func() (err error) {
		l, err = net.Listen("unix", path)
		return err
	})
	return l, err
}
