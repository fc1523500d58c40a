package daemon

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
	"slices"
	"sync"
	"time"

	"minissh/protocol"
	"minissh/protocol/transport"
)

// The control socket is where the administrator asks a running daemon. It is a Unix socket of mode 0600, and both ends ask the kernel who the
// other is. One connection is one request, a line {"verb":…,"args":{…}}; the answer is lines too: any number of {"event":…}, then one
// {"answer":…} or {"error":…,"hint":…}. An asker that hangs up takes its request back.

// controlVerb answers one request. ctx ends when the asker is gone or the daemon is stopped; say, to be called from one goroutine at a time, sends an
// event ahead of the answer.
type controlVerb func(ctx context.Context, s *Server, args json.RawMessage, say func(event any) error) (answer any, err error)

// controlVerbs is all that can be asked.
var controlVerbs = map[string]controlVerb{
	"who":  controlWho,
	"end":  controlEnd,
	"pair": controlPair,
}

const (
	controlMost     = 64               // askers at once
	controlRequest  = 64 << 10         // bytes of a request
	controlAnswer   = 64 << 20         // bytes of all answers to one
	controlPatience = 10 * time.Second // for a request to come, and for each line of the answer to be taken
)

// ErrNoDaemon says that nobody listens on a control socket.
var ErrNoDaemon = errors.New("no minisshd of yours is running here")

// ControlError is what the daemon answers instead of doing what it was asked.
type ControlError struct{ What, Advice string }

func (e *ControlError) Error() string { return e.What }

// Hint is what can be typed; "" if nothing is known.
func (e *ControlError) Hint() string { return e.Advice }

type controlAsk struct {
	Verb string          `json:"verb"`
	Args json.RawMessage `json:"args,omitempty"`
}

type controlLine struct {
	Event  json.RawMessage `json:"event,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  string          `json:"error,omitempty"`
	Hint   string          `json:"hint,omitempty"`
}

// control is the daemon's end.
type control struct {
	s        *Server
	each     int                                     // connections at once of one uid
	verbs    func(uid uint32) map[string]controlVerb // what it may ask for; nil: nothing
	listener net.Listener
	lock     io.Closer // held as long as the socket is ours
	ctx      context.Context
	cancel   context.CancelFunc
	work     sync.WaitGroup

	mu     sync.Mutex          // guards the rest
	conns  map[net.Conn]uint32 // whose they are
	closed bool
}

// ListenControl opens the control socket at path, and makes its directory if that is not there. A socket that a dead daemon left is replaced; if
// another daemon has it, the error is ErrControlTaken. Shutdown closes it, after everything else.
func (s *Server) ListenControl(path string) error {
	return s.listenControl(path, 0o600, controlMost, func(uid uint32) map[string]controlVerb {
		if uid != 0 && uid != uint32(os.Geteuid()) {
			return nil
		}
		return controlVerbs
	})
}

// listenControl opens a socket where what verbs allows can be asked.
func (s *Server) listenControl(path string, mode os.FileMode, each int, verbs func(uint32) map[string]controlVerb) error {
	listener, lock, err := listenControl(path, mode)
	if err != nil {
		return err
	}
	c := &control{s: s, each: each, verbs: verbs, listener: listener, lock: lock, conns: map[net.Conn]uint32{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	s.mu.Lock()
	taken := s.stopped || slices.ContainsFunc(s.controls, func(other *control) bool { return other.each == each })
	if !taken {
		s.controls = append(s.controls, c)
	}
	s.mu.Unlock()
	if taken {
		c.close()
		return errors.New("the daemon has a control socket already, or is being stopped")
	}
	c.work.Go(c.accept)
	return nil
}

// ErrControlTaken says that another living daemon has the control socket.
var ErrControlTaken = errors.New("another minisshd has the control socket")

// openControl takes the lock that goes with a control socket, then the socket: whoever holds the lock may replace what stands there.
func openControl(path string, mode os.FileMode, lockFile func(string) (io.Closer, error)) (net.Listener, io.Closer, error) {
	if len(path) > maxSocketPath {
		return nil, nil, fmt.Errorf("%s is too long for a socket's path: the most is %d bytes", protocol.Quote(path), maxSocketPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	if err := privateDir(dir); err != nil {
		return nil, nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, nil, fmt.Errorf("%s is there and is no socket: choose another path", path)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, nil, err
	}
	listener, err := listenUnix(path, mode)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return listener, lock, nil
}

// maxSocketPath fits sockaddr_un on every system, with its NUL.
const maxSocketPath = 103

func (c *control) close() {
	c.cancel()
	c.listener.Close()
	c.mu.Lock()
	c.closed = true
	for conn := range c.conns {
		conn.Close()
	}
	c.mu.Unlock()
	c.work.Wait()
	c.lock.Close() // last: until then nobody may take the path
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-c.ctx.Done():
			}
			continue
		}
		uid, err := transport.PeerUID(conn.(*net.UnixConn))
		if err != nil || !c.enter(conn, uid) {
			conn.Close()
			continue
		}
		c.work.Go(func() {
			defer c.leave(conn)
			c.serve(conn.(*net.UnixConn), uid)
		})
	}
}

func (c *control) enter(conn net.Conn, uid uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := 0
	for _, other := range c.conns {
		if other == uid {
			mine++
		}
	}
	if c.closed || len(c.conns) >= controlMost || mine >= c.each {
		return false
	}
	c.conns[conn] = uid
	return true
}

func (c *control) leave(conn net.Conn) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}

// serve answers one asker.
func (c *control) serve(conn *net.UnixConn, uid uint32) {
	verbs := c.verbs(uid)
	if verbs == nil {
		c.s.tally.refused(slog.LevelWarn, "Control refused", uid, fmt.Sprintf("uid %d", uid), "Control refused", "uid", uid)
		return
	}
	say := func(line controlLine) error {
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		conn.SetWriteDeadline(time.Now().Add(controlPatience))
		_, err = conn.Write(append(text, '\n'))
		return err
	}
	conn.SetReadDeadline(time.Now().Add(controlPatience))
	var ask controlAsk
	text, err := bufio.NewReaderSize(io.LimitReader(conn, controlRequest), 4096).ReadBytes('\n')
	if err != nil {
		return // gone, too slow or too long
	}
	if err := json.Unmarshal(text, &ask); err != nil {
		say(controlLine{Error: "the request is no JSON object"})
		return
	}
	verb := verbs[ask.Verb]
	if verb == nil {
		say(controlLine{Error: "this minisshd does not know " + protocol.Quote(clip(ask.Verb, 64)), Hint: "use a daemon of the same version: " + c.s.opts.Software + " is running"})
		return
	}
	conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	c.work.Go(func() { // until the asker hangs up, or leave closes the connection
		defer cancel()
		conn.Read(make([]byte, 1))
	})
	answer, err := verb(ctx, c.s, ask.Args, func(event any) error {
		text, err := json.Marshal(event)
		if err != nil {
			return err
		}
		return say(controlLine{Event: text})
	})
	line := controlLine{}
	if err == nil {
		line.Answer, err = json.Marshal(answer)
	}
	if err != nil {
		line = controlLine{Error: err.Error()}
		var hinter interface{ Hint() string }
		if errors.As(err, &hinter) {
			line.Hint = hinter.Hint()
		}
	}
	say(line)
}
