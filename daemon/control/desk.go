package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/daemon/supervise"
	"minissh/protocol/mux"
)

// Config is what a Desk needs of its daemon. Nothing in it changes after NewDesk.
type Config struct {
	Account   process.Account // the daemon's own
	Access    access.Access
	Sessions  *mux.Registry // each labelled with a *Visit
	StopGrace time.Duration
	Software  string // name and version told to askers
	Log       *slog.Logger
	Tally     *logbook.Tally
	Audit     *audit.Log // nil: there is none
	// Place says where the daemon is to be found now. It and Older are the only calls from here to
	// a higher package.
	Place func() Place
	// what passes the sockets on to the next daemon; nil: nobody does
	Generation *supervise.Generation
	// Older lists the sockets of the daemons before it (ListenForNewer); may be nil.
	Older func() []string
}

// Place is where other programs find a daemon.
type Place struct {
	HostKey   string           `json:"host_key"`  // type and fingerprint
	Reachable []netip.AddrPort `json:"reachable"` // for others, the likeliest first; none: loopback
	Port      uint16           `json:"port"`      // on loopback; 0: on Unix sockets only
}

// Desk is where people ask a running daemon: who is here, to end somebody, for pairing codes.
type Desk struct {
	Config
	codes   *pairings
	visits  atomic.Int64   // so far
	endings sync.WaitGroup // sessions that an administrator ends

	mu      sync.Mutex // guards the rest
	closed  bool
	sockets []*socket
	own     *socket // where other generations ask; nil: nowhere
}

// NewDesk makes a desk that nobody can ask yet.
func NewDesk(config Config) *Desk { return &Desk{Config: config, codes: newPairings()} }

// verb answers one request. ctx ends when the asker is gone or the daemon is stopped; say sends an
// event before the answer, and only one goroutine at a time may call it.
type verb func(ctx context.Context, d *Desk, args json.RawMessage, say func(event any) error) (
	answer any, err error)

// verbs are all requests.
var verbs = map[string]verb{"who": who, "end": end, "pair": pair, "upgrade": upgrade}

// Listen opens the control socket at path, and makes its directory if that is missing. A socket
// that a dead daemon left is replaced; if another daemon has it, the error is ErrTaken.
func (d *Desk) Listen(path string) error {
	return d.listen(path, 0o600, askersMost, func(uid uint32) map[string]verb {
		if uid != 0 && uid != uint32(os.Geteuid()) {
			return nil
		}
		return verbs
	})
}

// ListenForUsers opens the socket next to a control socket where users ask for codes.
func (d *Desk) ListenForUsers(control string) error {
	if _, all := d.Access.(access.ByUID); !all || os.Geteuid() != 0 {
		return errors.New("only a daemon of root pairs for others")
	}
	if control == rootsPath() { // whoever chose another place has made its folder
		if err := os.Chmod(filepath.Dir(control), 0o711); err != nil {
			return err
		}
	}
	return d.listen(PairSocket(control), 0o666, userAskers, func(uid uint32) map[string]verb {
		if uid == 0 || uid == access.OverflowUID() {
			return nil
		}
		return map[string]verb{"pair": pairFor(uid)}
	})
}

// listen opens a socket where those verbs can be asked that allowed returns.
func (d *Desk) listen(path string, mode os.FileMode, each int,
	allowed func(uint32) map[string]verb) error {
	listener, lock, err := openSocket(path, mode, d.Generation)
	if err != nil {
		return err
	}
	s := d.newSocket(listener, lock, each, allowed)
	d.mu.Lock()
	taken := d.closed ||
		slices.ContainsFunc(d.sockets, func(other *socket) bool { return other.each == each })
	if !taken {
		d.sockets = append(d.sockets, s)
	}
	d.mu.Unlock()
	if taken {
		s.close()
		return errors.New("the daemon has a control socket already, or is being stopped")
	}
	s.work.Go(s.accept)
	return nil
}

func (d *Desk) newSocket(listener *net.UnixListener, lock io.Closer, each int,
	allowed func(uint32) map[string]verb) *socket {
	s := &socket{desk: d, each: each, allowed: allowed, listener: listener, lock: lock,
		conns: map[*net.UnixConn]uint32{}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// Open says whether the daemon may be reached from beyond loopback: somebody could log in, or pair
// with an administrator's code (RULES A12).
func (d *Desk) Open() bool { return d.codes.underWay() || d.Access.AnyoneCould() }

// Refuse lets no new socket be opened; the daemon is being stopped.
func (d *Desk) Refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}

// Leave has another generation of the daemon answer at the sockets from now on.
func (d *Desk) Leave() {
	d.Refuse()
	for _, s := range d.sockets { // nothing is added any more
		s.leave()
	}
}

// Close closes the sockets, and waits for the requests at them.
func (d *Desk) Close() {
	d.Refuse()
	for _, s := range d.sockets { // nothing is added any more
		s.close()
	}
	if d.own != nil {
		d.own.close()
	}
	d.endings.Wait()
}
