package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// A daemon that has been replaced, an older generation, serves its sessions to their end. Their
// clients come back to the newest one, which gives it their connections (RE9). Each generation has
// two sockets in one directory: NAME.links takes connections, NAME.desk answers who and end. A
// newer one keeps a connection to the first of these for as long as the older one lives: along it
// go connections one way, and in the end what the older one remembers the other.

// handover is what a generation has to do with others.
type handover struct {
	s        *Server
	name     string
	dir      string
	listener *net.UnixListener // nil: no newer generation finds this one
	lives    atomic.Int32      // older generations; 0: nobody looks at a ClientHello

	mu    sync.Mutex // guards the rest
	older map[string]*elder
	newer []*net.UnixConn
	ended bool
}

// elder is an older generation, as a newer one knows it.
type elder struct {
	name string
	conn *net.UnixConn
	gone chan struct{} // closed when it has ended, and what it remembers is known here
}

const (
	linksEnd, deskEnd, youngEnd = ".links", ".desk", ".young"
	// handTime is how long another generation may take for anything.
	handTime = time.Second
	// rememberMost bounds a message about a session that has ended.
	rememberMost = 8 << 10
	// headroom is how far above the numbers of a daemon's sessions those of the next one begin, if
	// they cannot count together.
	headroom = 1000
)

// Handover opens this generation's sockets in a directory, which is made if it is not there, and
// meets the older generations that are there. It comes before all other sockets.
func (s *Server) Handover(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := control.PrivateDir(filepath.Dir(dir)); err != nil { // else dir may be anything
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return errors.Join(err, fmt.Errorf("%s is not a directory", dir))
	}
	if err := control.PrivateDir(dir); err != nil {
		return err
	}
	name := make([]byte, 8)
	rand.Read(name)
	h := &handover{s: s, dir: dir, name: hex.EncodeToString(name), older: map[string]*elder{}}
	s.handover = h
	h.meetOlder()
	err := h.listen()
	if err != nil {
		h.listener = nil
		return err
	}
	go h.accept()
	return nil
}

// listen opens the sockets where newer generations find this one.
func (h *handover) listen() error {
	links := h.path(h.name, linksEnd)
	if len(links) > control.MaxSocketPath {
		return fmt.Errorf("%s is too long for a socket's path", h.dir)
	}
	if err := h.s.desk.ListenForNewer(h.path(h.name, deskEnd)); err != nil {
		return err
	}
	// under its name it listens already: one that does not is dead
	young := h.path(h.name, youngEnd)
	var err error
	h.listener, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: young, Net: "unixpacket"})
	if err != nil {
		return err
	}
	h.listener.SetUnlinkOnClose(false)
	if err := os.Rename(young, links); err != nil {
		h.listener.Close()
		return err
	}
	return nil
}

func (h *handover) path(name, end string) string { return filepath.Join(h.dir, name+end) }

// generation is this daemon's name for its clients, "" if they could not come back to it.
func (s *Server) generation() string {
	if s.handover == nil || s.handover.listener == nil {
		return ""
	}
	return s.handover.name
}

// meetOlder connects to the generations that live, and removes what dead ones have left.
func (h *handover) meetOlder() {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name, end, _ := strings.Cut(entry.Name(), ".")
		if name == h.name || len(name) != len(h.name) || !protocol.ValidGeneration(name) ||
			entry.Type() != os.ModeSocket ||
			!slices.Contains([]string{linksEnd, deskEnd, youngEnd}, "."+end) {
			continue // not ours to touch
		}
		if "."+end != linksEnd {
			info, err := entry.Info()
			_, dead := os.Lstat(h.path(name, linksEnd))
			if err == nil && dead != nil && time.Since(info.ModTime()) > time.Minute { // nobody's
				os.Remove(filepath.Join(h.dir, entry.Name()))
			}
			continue
		}
		conn, err := net.DialTimeout("unixpacket", h.path(name, linksEnd), handTime)
		if errors.Is(err, unix.ECONNREFUSED) {
			os.Remove(h.path(name, deskEnd))
			os.Remove(h.path(name, linksEnd))
		}
		if err != nil {
			continue
		}
		e := &elder{name: name, conn: conn.(*net.UnixConn), gone: make(chan struct{})}
		if !ours(e.conn) {
			conn.Close()
			continue
		}
		h.mu.Lock()
		h.older[name] = e
		h.mu.Unlock()
		h.lives.Add(1)
		go h.inherit(e)
		if h.s.opts.Generation.Counts() {
			continue // together with that one
		}
		if last := control.HighestOf(context.Background(), h.path(name, deskEnd)); last > 0 {
			h.s.opts.Generation.Above(last, headroom)
		}
	}
}

// ours says whether the other end is root's or of our own account (RULES A8).
func ours(conn *net.UnixConn) bool {
	uid, err := transport.PeerUID(conn)
	return err == nil && (uid == 0 || uid == uint32(os.Geteuid()))
}

// inherit takes what an older generation remembers, which it says at its end.
func (h *handover) inherit(e *elder) {
	text := make([]byte, rememberMost)
	for {
		n, err := e.conn.Read(text)
		if err != nil || n == 0 {
			break
		}
		var ended mux.Ended
		if json.Unmarshal(text[:n], &ended) == nil {
			h.s.sessions.Remember(ended)
		}
	}
	e.conn.Close()
	h.mu.Lock()
	delete(h.older, e.name)
	h.mu.Unlock()
	h.lives.Add(-1)
	close(e.gone)
}

// elders says whether any older generation lives.
func (s *Server) elders() bool { return s.handover != nil && s.handover.lives.Load() > 0 }

// desks lists the sockets where older generations are asked.
func (s *Server) desks() (list []string) {
	h := s.handover
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range h.older {
		list = append(list, h.path(name, deskEnd))
	}
	return list
}

// accept serves newer generations.
func (h *handover) accept() {
	for {
		conn, err := h.listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			<-time.After(handTime) // no descriptors left, say
			continue
		}
		h.mu.Lock()
		welcome := !h.ended && ours(conn)
		if welcome {
			h.newer = append(h.newer, conn)
		}
		h.mu.Unlock()
		if !welcome {
			conn.Close()
			continue
		}
		go h.take(conn)
	}
}

// bequeath tells the newer generations which sessions have ended here, and takes no more
// connections from them. False: there is none yet.
func (h *handover) bequeath() bool {
	h.mu.Lock()
	newer := slices.Clone(h.newer)
	h.mu.Unlock()
	heard := false
	for _, conn := range newer {
		heard = h.tellEnded(conn) == nil || heard
	}
	if heard {
		for _, conn := range newer {
			conn.Close()
		}
	}
	return heard
}

// tellEnded tells one of them.
func (h *handover) tellEnded(to *net.UnixConn) error {
	for _, ended := range h.s.sessions.Ended() {
		text, err := json.Marshal(ended)
		if err != nil || len(text) > rememberMost {
			continue
		}
		to.SetWriteDeadline(time.Now().Add(handTime))
		if _, err := to.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// close ends this generation's part in it.
func (h *handover) close() {
	if h.listener != nil {
		os.Remove(h.path(h.name, linksEnd))
		h.listener.Close()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for _, conn := range h.newer {
		conn.Close()
	}
	for _, e := range h.older {
		e.conn.Close()
	}
}
