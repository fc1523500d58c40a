package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// visit is what is known of a session for those who ask who is here. Its number is the daemon's own: the session's name is a secret of its client.
type visit struct {
	number int64
	key    string // "ED25519 SHA256:…", or "uid N"
	share  *share // what it counts against

	mu      sync.Mutex // guards the rest
	account string
	from    netip.AddrPort // of the newest link
	running []*activity    // in the order in which they began
}

type activity struct {
	service, command string // command is clipped
	since            time.Time
}

// commandShown is how many bytes of a command are kept for those who ask: a command may be 64 KiB long, and thousands may run.
const commandShown = 512

// newVisit numbers a daemon's sessions, from 1.
func (s *Server) newVisit(who *peer, mine *share) *visit {
	v := &visit{number: s.visitors.Add(1), key: who.key, share: mine}
	v.arrives(who)
	return v
}

// arrives notes where a session is spoken to from.
func (v *visit) arrives(who *peer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.account, v.from = who.account.Name, who.addr
}

// begins notes that a channel is being served; its end is noted by calling what it returns.
func (v *visit) begins(open *protocol.Open, grant *Grant) (ends func()) {
	a := &activity{service: open.Service, since: time.Now()}
	if open.Service == authorized.ServiceExec {
		command := asked(open)
		if grant.Forced {
			command = grant.Command
		}
		a.command = clip(command, commandShown)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running = append(v.running, a)
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.running = slices.DeleteFunc(v.running, func(other *activity) bool { return other == a })
	}
}

// SessionInfo tells of one session. Times are in seconds.
type SessionInfo struct {
	ID       int64          `json:"id"`
	User     string         `json:"user"`
	From     string         `json:"from"`             // "192.0.2.1:4711", or "unix socket"
	Key      string         `json:"key"`              // type and fingerprint, or "uid N"
	Age      int64          `json:"age_s"`            // since it began
	Idle     int64          `json:"idle_s"`           // since anything was said in it but signs of life
	In       int64          `json:"bytes_in"`         // of frames, from the client
	Out      int64          `json:"bytes_out"`        // to the client
	Away     bool           `json:"away,omitempty"`   // its connection is lost, and it waits for another
	Ending   bool           `json:"ending,omitempty"` // it is over, and its commands are being stopped
	Commands []ActivityInfo `json:"commands"`         // what is being done in it
}

// ActivityInfo tells of one command, or of another service.
type ActivityInfo struct {
	Service string `json:"service"`
	Command string `json:"command"` // of exec, its first 512 bytes; "" is a login shell
	Age     int64  `json:"age_s"`
}

// WhoInfo is the answer to "who".
type WhoInfo struct {
	Sessions []SessionInfo `json:"sessions"` // by number
}

// EndArgs is what "end" is told.
type EndArgs struct {
	ID int64 `json:"id"`
}

// EndInfo is the answer to "end": the session as it was, and whether everything that ran in it is gone.
type EndInfo struct {
	Session SessionInfo `json:"session"`
	Stopped bool        `json:"stopped"`
}

// Who lists the sessions, by number.
func (s *Server) Who() []SessionInfo {
	list := []SessionInfo{}
	for _, entry := range s.sessions.Entries() {
		list = append(list, sessionInfo(entry))
	}
	slices.SortFunc(list, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func sessionInfo(entry mux.Entry) SessionInfo {
	v, now, traffic := visitOf(entry.Session), time.Now(), entry.Session.Traffic()
	v.mu.Lock()
	defer v.mu.Unlock()
	info := SessionInfo{
		ID: v.number, User: v.account, From: "unix socket", Key: v.key, In: traffic.In, Out: traffic.Out,
		Age: seconds(now.Sub(entry.Since)), Idle: seconds(now.Sub(entry.Since)), Commands: []ActivityInfo{},
		Ending: traffic.Ended, Away: !traffic.Linked && !traffic.Ended,
	}
	if v.from.IsValid() {
		info.From = v.from.String()
	}
	if traffic.Last.After(entry.Since) {
		info.Idle = seconds(now.Sub(traffic.Last))
	}
	for _, a := range v.running {
		info.Commands = append(info.Commands, ActivityInfo{Service: a.service, Command: a.command, Age: seconds(now.Sub(a.since))})
	}
	return info
}

func visitOf(session *mux.Session) *visit { return session.Label().(*visit) }

func seconds(d time.Duration) int64 { return int64(max(d, 0) / time.Second) }

func controlWho(_ context.Context, s *Server, _ json.RawMessage, _ func(any) error) (any, error) {
	return WhoInfo{s.Who()}, nil
}

// controlEnd hangs up one session, and answers when what ran in it is dead.
func controlEnd(ctx context.Context, s *Server, args json.RawMessage, _ func(any) error) (any, error) {
	var asked EndArgs
	if err := json.Unmarshal(args, &asked); err != nil {
		return nil, &ControlError{What: "end needs the number of a session"}
	}
	entries := s.sessions.Entries()
	i := slices.IndexFunc(entries, func(e mux.Entry) bool { return visitOf(e.Session).number == asked.ID })
	if i < 0 {
		return nil, &ControlError{fmt.Sprintf("there is no session %d", asked.ID), "minisshd who lists the sessions"}
	}
	info := sessionInfo(entries[i])
	s.log.Info("Session ended by the administrator", "session", info.ID, "user", info.User, "from", info.From, "commands", len(info.Commands))
	gone := make(chan struct{})
	session := entries[i].Session
	s.ending.Go(func() {
		defer close(gone)
		session.Close(&protocol.Reason{Code: protocol.CodeEndedByAdmin, Message: "the administrator ended this session"})
		session.Wait()
	})
	patience := time.NewTimer(s.opts.StopGrace + controlPatience)
	defer patience.Stop()
	select {
	case <-gone:
		return EndInfo{info, true}, nil
	case <-patience.C:
	case <-ctx.Done():
	}
	return EndInfo{info, false}, nil
}
