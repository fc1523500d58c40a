package service

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/logins"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// Service answers one kind of OPEN.
type Service interface {
	// Key is its name in OPEN, and which options of authorized_keys close it to a key.
	Key() authorized.Service
	// Serve runs a channel to its end, or says why it refuses before it has sent anything.
	Serve(*Host, *mux.Channel, *access.Client) *protocol.Reason
}

// table has all that this daemon offers, by name. A service that is not here cannot be reached, and
// one that is here is reached through Find alone.
var table = newTable()

func newTable() map[string]Service {
	f, r := newForward(), &running{of: map[place]*command{}}
	return tabled(append(jobs(r), exec{f.listeners, r}, newLines(f.listeners),
		subsystem{f.listeners}, copying{}, f, agent{f})...)
}

func tabled(all ...Service) map[string]Service {
	named := map[string]Service{}
	for _, one := range all {
		named[one.Key().Name] = one
	}
	return named
}

// Find is the service that a channel asks for, or why it is refused. It asks whether the key may
// use the service: no service can forget that. A key learns nothing of the others.
func Find(name string, grant *access.Grant) (Service, *protocol.Reason) {
	found := table[name]
	if found == nil {
		return nil,
			refusal(protocol.CodeUnknownService,
				"this daemon offers "+strings.Join(slices.Sorted(maps.Keys(table)), ", "))
	}
	if err := grant.Allows(found.Key()); err != nil {
		return nil, refusal(protocol.CodeServiceRefused, err.Error())
	}
	return found, nil
}

// changer is the program that changes a password that has expired, as with sshd.
const changer = "/usr/bin/passwd"

// Changes says why a channel is refused to somebody whose password has expired: what is asked for
// is not done, but on a terminal the password can be changed.
func Changes(open *protocol.Open, who *access.Client) *protocol.Reason {
	if !who.MustChange || open.Service == authorized.Exec.Name && open.PTY != nil &&
		who.Grant.Allows(authorized.PTY) == nil {
		return nil
	}
	return refusal(protocol.CodeServiceRefused, "the password of this account has expired; a "+
		"terminal is needed to change it: minissh -t")
}

// Words are what is done in a channel, for those who ask who is here: a command, or "".
func Words(open *protocol.Open, grant *access.Grant) string {
	switch {
	case open.Service == authorized.Lines.Name:
		return string(open.Command)
	case open.Service == authorized.Forward.Name && open.Connect != nil:
		return open.Connect.String()
	case open.Service == authorized.Forward.Name && open.Listen != nil:
		return "-R " + open.Listen.String()
	case open.Service == authorized.Job.Name && open.Job != nil:
		return strings.TrimSpace("job " + open.Job.Do + " " + open.Job.Name)
	case open.Service == authorized.Agent.Name && !open.Accept:
		return "-A"
	case open.Service != authorized.Exec.Name && open.Service != authorized.Subsystem.Name:
		return ""
	case grant.Forced:
		return grant.Command
	case open.Service == authorized.Subsystem.Name:
		return open.Name
	}
	return asked(open)
}

// Host is what services have of the daemon that they run in. Nothing in it changes.
type Host struct {
	StopGrace   time.Duration   // between HUP and KILL
	HelperStart time.Duration   // for a helper's first answer
	HelperGrace time.Duration   // for a helper to end by itself when its channel is gone
	Hurried     context.Context // ends when no command is waited for any more
	Stopping    <-chan struct{} // closed when the daemon is being stopped
	Log         *slog.Logger
	Tally       *logbook.Tally
	Logins      *logins.Book // where sessions on terminals are recorded; nil: nowhere
	Audit       *audit.Log   // nil: there is none
	// commands that have become jobs: their keepers wait to hear from here how they end
	Outliving atomic.Int64
}

// commandLogged is how many bytes of a text are in the log; the audit log has all of it.
const commandLogged = 512

// noted tells the audit log what a client does, and logs it, or counts it.
func (h *Host) noted(who *access.Client, what string, args ...any) {
	h.Audit.Note(what, who.Audited(true), args...)
	args = slices.Clone(args)
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = logbook.Shorten(text, commandLogged)
		}
	}
	h.Tally.Noted(what, who.User, who.Addr, what+" for "+logbook.Name(who.User)+" "+
		logbook.From(who.Addr), args...)
}

// Audited tells the audit log what a client asks for, before it is done. The answer is not nil if
// that log has no room for it, and so it must not be done.
func (h *Host) Audited(who *access.Client, channel uint32, open *protocol.Open) *protocol.Reason {
	if h.Audit == nil || onlyCompletes(open) {
		return nil
	}
	args := []any{"channel", channel, "service", open.Service}
	if text := asked(open); text != "" {
		args = append(args, "command", text)
	}
	if words := Words(open, who.Grant); words != "" && words != asked(open) {
		args = append(args, "what", words)
	}
	if who.Grant.Forced {
		args = append(args, "forced", who.Grant.Command)
	}
	if len(open.Dir) > 0 {
		args = append(args, "dir", string(open.Dir))
	}
	if open.Files != nil && open.Service == authorized.Files.Name {
		args = append(args, "mode", open.Files.Mode, "what", what(open.Files))
	}
	err := h.Audit.Begin("request", who.Audited(true), append(args, "tty", open.PTY != nil)...)
	if err != nil {
		return refusal(protocol.CodeServiceRefused, err.Error())
	}
	return nil
}

// onlyCompletes says that all that is asked for is how a word may go on, which is not work.
func onlyCompletes(open *protocol.Open) bool {
	return open.Service == authorized.Lines.Name && open.In != 0 && open.Complete != nil &&
		open.CheckLine() == nil
}

// untilGone is a context that ends when the client does not want the channel any more.
type untilGone struct {
	context.Context
	ch *mux.Channel
}

func wanted(ch *mux.Channel) context.Context { return untilGone{context.Background(), ch} }

func (u untilGone) Done() <-chan struct{} { return u.ch.Gone() }

func (u untilGone) Err() error {
	select {
	case <-u.ch.Gone():
		return context.Canceled
	default:
		return nil
	}
}

// cancelled answers an opener that has left before OPENED (CH9).
var cancelled = refusal(protocol.CodeCancelled, "the channel was closed before the work began")

func refusal(code protocol.Code, message string) *protocol.Reason {
	return &protocol.Reason{Code: code, Message: message}
}
