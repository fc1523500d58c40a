package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Visit is what is known about a session, for those who ask who is here. Its number is the daemon's
// own: the session's name is a secret of its client.
type Visit struct {
	// First is the client as it logged in when the session began.
	First *access.Client

	number int64

	mu      sync.Mutex // guards the rest
	account string
	from    netip.AddrPort // of the newest link
	local   net.Addr       // of that link
	links   int            // so far
	running []*activity    // in the order in which they began
}

type activity struct {
	service, command string // command is clipped
	since            time.Time
}

// commandShown is how many bytes of a command are kept: it may be 64 KiB long, and thousands may
// run.
const commandShown = 512

// NewVisit numbers a daemon's sessions, from 1. The Visit becomes its session's label.
func (d *Desk) NewVisit(who *access.Client) *Visit {
	return &Visit{number: d.number(), First: who, account: who.Account.Name, from: who.Addr,
		local: who.Local}
}

// number is the next session's: one that no generation of the daemon has given.
func (d *Desk) number() int64 {
	if n := d.Generation.Number(); n > 0 {
		return n
	}
	return d.visits.Add(1)
}

// Arrives notes where a session's client is, and says how many links the session has had with this
// one.
func (v *Visit) Arrives(who *access.Client) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.account, v.from, v.local = who.Account.Name, who.Addr, who.Local
	v.links++
	return v.links
}

// Number is the session's, as minisshd who shows it.
func (v *Visit) Number() int64 { return v.number }

// From is where the client's newest link comes from.
func (v *Visit) From() netip.AddrPort {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.from
}

// Client is a session's client where it is now.
func (v *Visit) Client(who *access.Client) *access.Client {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := *who
	now.Addr, now.Local = v.from, v.local
	return &now
}

// Begins notes in words what a channel does; the function that it returns notes the end.
func (v *Visit) Begins(service, words string) (ends func()) {
	a := &activity{service: service, command: logbook.Shorten(words, commandShown),
		since: time.Now()}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running = append(v.running, a)
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.running = slices.DeleteFunc(v.running, func(other *activity) bool { return other == a })
	}
}

// SessionInfo is about one session. Times are in seconds.
type SessionInfo struct {
	ID       int64          `json:"id"`
	User     string         `json:"user"`
	From     string         `json:"from"`             // "192.0.2.1:4711", or "unix socket"
	Key      string         `json:"key"`              // type and fingerprint, or "uid N"
	Age      int64          `json:"age_s"`            // since it began
	Idle     int64          `json:"idle_s"`           // since anything but signs of life
	In       int64          `json:"bytes_in"`         // of frames, from the client
	Out      int64          `json:"bytes_out"`        // to the client
	Away     bool           `json:"away,omitempty"`   // its connection is lost: it awaits another
	Lost     int64          `json:"lost_s,omitempty"` // since when
	Held     int64          `json:"held_s,omitempty"` // for how much longer
	Ending   bool           `json:"ending,omitempty"` // its commands are being stopped
	Old      bool           `json:"old,omitempty"`    // in a daemon that was replaced
	Commands []ActivityInfo `json:"commands"`         // what is being done in it
}

// ActivityInfo is about one command, or another service.
type ActivityInfo struct {
	Service string `json:"service"`
	Command string `json:"command"` // of exec, its first 512 bytes; "" is a login shell
	Age     int64  `json:"age_s"`
}

// WhoInfo is the answer to "who".
type WhoInfo struct {
	Sessions []SessionInfo `json:"sessions"` // by number
	// daemons that were replaced and do not answer
	Silent int `json:"silent,omitempty"`
}

// EndArgs are the arguments of "end".
type EndArgs struct {
	ID int64 `json:"id"`
}

// EndInfo is the answer to "end": the session as it was, and whether all that ran in it is gone.
type EndInfo struct {
	Session SessionInfo `json:"session"`
	Stopped bool        `json:"stopped"`
}

// Who lists the sessions, by number.
func (d *Desk) Who() []SessionInfo {
	list := []SessionInfo{}
	for _, entry := range d.Sessions.Entries() {
		list = append(list, sessionInfo(entry))
	}
	slices.SortFunc(list, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func sessionInfo(entry mux.Entry) SessionInfo {
	v, now, traffic := VisitOf(entry.Session), time.Now(), entry.Session.Traffic()
	v.mu.Lock()
	defer v.mu.Unlock()
	info := SessionInfo{
		ID: v.number, User: v.account, From: logbook.Address(v.from), Key: v.First.Key,
		In: traffic.In, Out: traffic.Out,
		Age: seconds(now.Sub(entry.Since)), Idle: seconds(now.Sub(entry.Since)),
		Commands: []ActivityInfo{},
		Ending:   traffic.Ended,
	}
	if w := traffic.Waiting; w != nil {
		info.Away, info.Lost, info.Held = true, seconds(now.Sub(w.Since)), seconds(w.Until.Sub(now))
	}
	if traffic.Last.After(entry.Since) {
		info.Idle = seconds(now.Sub(traffic.Last))
	}
	for _, a := range v.running {
		info.Commands = append(info.Commands, ActivityInfo{Service: a.service, Command: a.command,
			Age: seconds(now.Sub(a.since))})
	}
	return info
}

// VisitOf is the visit that is a session's label.
func VisitOf(session *mux.Session) *Visit { return session.Label().(*Visit) }

func seconds(d time.Duration) int64 { return int64(max(d, 0) / time.Second) }

// who lists the sessions of this generation, and of those before it.
func who(ctx context.Context, d *Desk, _ json.RawMessage, _ func(any) error) (any, error) {
	all := WhoInfo{Sessions: d.Who()}
	for _, path := range d.older() {
		var theirs WhoInfo
		if err := askSoon(ctx, path, "who", nil, &theirs); err != nil {
			all.Silent++
			continue
		}
		for _, session := range theirs.Sessions {
			session.Old = true
			all.Sessions = append(all.Sessions, session)
		}
	}
	slices.SortFunc(all.Sessions, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// end hangs up one session of this generation, or of one before it.
func end(ctx context.Context, d *Desk, args json.RawMessage, say func(any) error) (any, error) {
	answer, err := endOwn(ctx, d, args, say)
	if said, ok := errors.AsType[*Error](err); !ok || said != errNoSession {
		return answer, err
	}
	silent := 0
	for _, path := range d.older() {
		var theirs EndInfo
		bounded, cancel := context.WithTimeout(ctx, endTime)
		err := Ask(bounded, []string{path}, "end", args, nil, &theirs)
		cancel()
		if err == nil {
			return theirs, nil
		}
		if said, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(said.What, none) {
			silent++
		}
	}
	if silent > 0 {
		return nil, &Error{"this daemon has no such session, and an old one that may have it " +
			"does not answer", "minisshd who lists the sessions; try again"}
	}
	var asked EndArgs
	json.Unmarshal(args, &asked) // it has been understood above
	return nil, &Error{fmt.Sprintf(none+" session %d", asked.ID),
		"minisshd who lists the sessions"}
}

// endTime is how long an old daemon may take to end a session: its commands have a grace.
const endTime = 30 * time.Second

// none is how all answers begin that say that a session is not there.
const none = "there is no"

var errNoSession = &Error{What: none + " such session here"}

// whoOwn lists the sessions of this generation.
func whoOwn(_ context.Context, d *Desk, _ json.RawMessage, _ func(any) error) (any, error) {
	return WhoInfo{Sessions: d.Who()}, nil
}

// endOwn hangs up one session of this generation, and answers when what ran in it is dead.
func endOwn(ctx context.Context, d *Desk, args json.RawMessage, _ func(any) error) (any, error) {
	var asked EndArgs
	if err := json.Unmarshal(args, &asked); err != nil {
		return nil, &Error{What: "end needs the number of a session"}
	}
	entries := d.Sessions.Entries()
	i := slices.IndexFunc(entries, func(e mux.Entry) bool {
		return VisitOf(e.Session).number == asked.ID
	})
	if i < 0 {
		return nil, errNoSession
	}
	info := sessionInfo(entries[i])
	d.Log.Info("Session ended by the administrator", "session", info.ID, "user", info.User, "from",
		info.From, "commands", len(info.Commands))
	gone := make(chan struct{})
	session := entries[i].Session
	d.endings.Go(func() {
		defer close(gone)
		session.Close(&protocol.Reason{Code: protocol.CodeEndedByAdmin,
			Message: "the administrator ended this session"})
		session.Wait()
	})
	patience := time.NewTimer(d.StopGrace + patience)
	defer patience.Stop()
	select {
	case <-gone:
		return EndInfo{info, true}, nil
	case <-patience.C:
	case <-ctx.Done():
	}
	return EndInfo{info, false}, nil
}
