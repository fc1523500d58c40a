package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

// Config is what a server is made from.
type Config struct {
	Dialect *dialect.Dialect
	Network string // tcp, udp or unix, see ParseAddress
	Address string
	Options dialect.Options // Events is not used: see Log
	Conns   int             // most connections at a time; 0 is 64

	// Log is told everything that happens, one call at a time, in each connection's
	// order; nil for nobody. e.Data is valid until it returns.
	Log func(peer Peer, e dialect.Event)
}

// Peer names one connection; of a UDP server, all its datagrams.
type Peer struct {
	N    int    // 1 for the first connection
	Addr string // safe for a terminal
}

// Opened and Closed are the first and the last event of each stream connection; Zh
// and En say why it ended.
const (
	Opened dialect.Op = "opened"
	Closed dialect.Op = "closed"
)

// Server is a listening socket.
type Server struct {
	cfg    Config
	stream net.Listener   // or
	packet net.PacketConn // one of the two

	logMu sync.Mutex // held during Log
}

// Listen binds the address. A Unix socket gets mode 0600, and a file that a server
// which is gone has left there is removed.
func Listen(cfg Config) (*Server, error) {
	if cfg.Conns <= 0 {
		cfg.Conns = 64
	}
	s := &Server{cfg: cfg}
	var err error
	if cfg.Dialect.Datagram {
		s.packet, err = net.ListenPacket(Family(cfg.Network, cfg.Address), cfg.Address)
	} else {
		s.stream, err = ListenStream(cfg.Network, cfg.Address)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ListenStream binds an address of ParseAddress's, tcp or unix, as Listen does.
func ListenStream(network, address string) (net.Listener, error) {
	if network == "unix" {
		return listenUnix(address)
	}
	return net.Listen(Family(network, address), address)
}

// listenUnix binds path; a socket file that nobody answers on is replaced, any
// other file is left alone. At no time can others connect to it.
func listenUnix(path string) (net.Listener, error) {
	l, err := bindUnix(path)
	if InUse(err) {
		info, statErr := os.Lstat(path)
		if statErr != nil || info.Mode()&os.ModeSocket == 0 {
			return nil, err
		}
		if c, dialErr := net.DialTimeout("unix", path, time.Second); dialErr == nil {
			c.Close()
			return nil, err
		}
		if os.Remove(path) != nil {
			return nil, err
		}
		l, err = bindUnix(path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// bindUnix makes a socket file that is its owner's alone from the first moment.
func bindUnix(path string) (l net.Listener, err error) {
	ownersAlone(func() { l, err = net.Listen("unix", path) })
	return l, err
}

// Addr is the bound address.
func (s *Server) Addr() net.Addr {
	if s.packet != nil {
		return s.packet.LocalAddr()
	}
	return s.stream.Addr()
}

// Close gives the address back. Serve closes too: Close is for a server that is
// never served.
func (s *Server) Close() error {
	if s.packet != nil {
		return s.packet.Close()
	}
	return s.stream.Close()
}

// Serve serves until ctx ends (nil) or listening fails, then closes the socket and
// waits for every connection to end.
func (s *Server) Serve(ctx context.Context) error {
	defer s.Close()
	if s.packet != nil {
		o := s.cfg.Options
		o.Events = s.logTo(Peer{N: 1, Addr: "udp"})
		return s.cfg.Dialect.ServePacket(ctx, s.packet, o)
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { s.stream.Close() })()

	slots := make(chan struct{}, s.cfg.Conns)
	for n := 1; ; n++ {
		conn, err := s.stream.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if temporary(err) {
				s.log(Peer{N: n}, note("accept 出错："+speak.Clean(err.Error()),
					"accept: "+speak.Clean(err.Error())))
				select { // such as too many open files: it must not spin
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
			return err
		}
		peer := Peer{N: n, Addr: speak.Clean(conn.RemoteAddr().String())}
		select {
		case slots <- struct{}{}:
		default:
			s.log(peer, note(fmt.Sprintf("连接太多（%d），拒绝", s.cfg.Conns),
				fmt.Sprintf("too many connections (%d), refused", s.cfg.Conns)))
			conn.Close()
			continue
		}
		all.Go(func() {
			defer func() { <-slots }()
			s.serve(ctx, conn, peer)
		})
	}
}

// temporary reports an accept error after which the next accept may succeed.
func temporary(err error) bool { return !errors.Is(err, net.ErrClosed) }

// serve is the life of one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn, peer Peer) {
	defer conn.Close()
	s.log(peer, dialect.Event{Op: Opened, Zh: "连上了", En: "connected"})
	o := s.cfg.Options
	o.Events = s.logTo(peer)
	err := s.cfg.Dialect.Serve(ctx, conn, o)
	if err == nil || ctx.Err() != nil {
		s.log(peer, dialect.Event{Op: Closed, Zh: "结束", En: "closed"})
		return
	}
	zh, en, hintZh, hintEn := dialect.Explain(err)
	s.log(peer, dialect.Event{Op: Closed, Zh: "断开：" + zh + hintIn("（", hintZh, "）"),
		En: "closed: " + en + hintIn(" (", hintEn, ")")})
}

func hintIn(before, hint, after string) string {
	if hint == "" {
		return ""
	}
	return before + hint + after
}

func note(zh, en string) dialect.Event { return dialect.Event{Op: dialect.Note, Zh: zh, En: en} }

func (s *Server) logTo(peer Peer) func(dialect.Event) {
	return func(e dialect.Event) { s.log(peer, e) }
}

func (s *Server) log(peer Peer, e dialect.Event) {
	if s.cfg.Log == nil {
		return
	}
	s.logMu.Lock()
	defer s.logMu.Unlock()
	s.cfg.Log(peer, e)
}
