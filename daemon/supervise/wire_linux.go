package supervise

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// kind says what a message is about.
type kind string

// What a supervisor says.
const (
	kindKeys     kind = "keys"     // the first: names of the descriptors that were passed
	kindWanted   kind = "wanted"   // the answer to want
	kindGo       kind = "go"       // accept connections
	kindLeave    kind = "leave"    // accept none any more; serve the sessions to their end
	kindStop     kind = "stop"     // end everything, as at SIGTERM
	kindHurry    kind = "hurry"    // at once, as at a second one
	kindUpgraded kind = "upgraded" // how an upgrade went: PID, or Text and Hint
)

// What a generation says.
const (
	kindWant    kind = "want"    // Keys: of those that begin with Text the others are not wanted
	kindKeep    kind = "keep"    // keep a descriptor, named Text, for the next generation
	kindReady   kind = "ready"   // it would accept connections; it uses Keys
	kindLeft    kind = "left"    // it accepts none any more
	kindFailed  kind = "failed"  // it cannot start: Text and Hint
	kindUpgrade kind = "upgrade" // somebody asks for an upgrade
	kindTell    kind = "tell"    // Text is for the service manager
)

// message is one packet between a supervisor and a generation, which trust each other.
type message struct {
	Kind kind     `json:"kind"`
	Keys []string `json:"keys,omitempty"`
	Text string   `json:"text,omitempty"`
	Hint string   `json:"hint,omitempty"`
	PID  int      `json:"pid,omitempty"`
}

const (
	messageMost = 128 << 10
	// patience is how long the other end may take to make room for a message.
	patience = time.Second
)

// link is one end of the socket between them. It keeps messages apart.
type link struct {
	conn *net.UnixConn
	mu   sync.Mutex // one message at a time
}

// newLink takes over a descriptor.
func newLink(fd int) (*link, error) {
	f := os.NewFile(uintptr(fd), "supervisor")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("it is not a Unix socket")
	}
	return &link{conn: unixConn}, nil
}

// send sends a message with descriptors, which stay the caller's.
func (l *link) send(m message, fds ...int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _, err = l.conn.WriteMsgUnix(text, rights, nil)
	return err
}

// receive returns the next message, and the descriptors that came with it.
func (l *link) receive() (m message, fds []int, err error) {
	text, rights := make([]byte, messageMost), make([]byte, unix.CmsgSpace(4*4))
	n, rn, _, _, err := l.conn.ReadMsgUnix(text, rights)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return m, nil, err
	}
	fds = parseRights(rights[:rn])
	if err = json.Unmarshal(text[:n], &m); err != nil {
		closeFDs(fds)
	}
	return m, fds, err
}

// parseRights are the descriptors in a control message; they are close-on-exec already.
func parseRights(control []byte) (fds []int) {
	parts, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for i := range parts {
		if some, err := unix.ParseUnixRights(&parts[i]); err == nil {
			fds = append(fds, some...)
		}
	}
	return fds
}

func closeFDs(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// fileOf makes a file of a descriptor, which it takes over. Whether a socket blocks is a property
// of the socket, which other processes have too; os.File would make it block when asked for its
// descriptor, and one of them would hang in accept. It does not if it was made for something else.
func fileOf(fd int, name string) (*os.File, error) {
	defer unix.Close(fd)
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(null), name)
	if err := unix.Dup3(fd, null, unix.O_CLOEXEC); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
