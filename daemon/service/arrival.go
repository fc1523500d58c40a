package service

import (
	"slices"
	"strings"
	"sync"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/logins"
	"minissh/daemon/process"
	"minissh/daemon/process/stage"
	"minissh/protocol"
)

const (
	motd = "/etc/motd"
	// everybodysRC is for those who have no ~/.ssh/rc. It is not sshd's /etc/ssh/sshrc: that is
	// sshd's, and may rely on what only sshd gives it (cookies for X11 on its input).
	everybodysRC = "/etc/minisshd/rc"
)

// arrives adds to a command what its account finds at a login, as sshd does. It is the account's
// own process that looks for the files (RULES D1); a daemon of one user's own does none of it.
func (h *Host) arrives(spec *process.Spec, open *protocol.Open, who *access.Client,
	service authorized.Service) {
	if who.Account.Credential == nil || who.MustChange {
		return
	}
	a, may := &spec.Arrival, who.Permits
	*a = ownEnvironment(spec, who)
	a.Shell, a.RC = who.Account.Shell, everybodysRC
	a.UserRC = service.Name != authorized.Subsystem.Name && !may.NoUserRC &&
		may.ForceCommand == "" && who.Grant.Allows(authorized.UserRC) == nil
	if service.Name != authorized.Exec.Name || !open.Shell || who.Grant.Forced || open.PTY == nil {
		return // what begins is not a screen with a login shell
	}
	a.Greets, a.Greeting = true, who.Greeting
	if last, ok := h.Logins.Last(who.Account.UID); ok && !may.NoLastLogin {
		a.Greeting += last.Words()
	}
	if !may.NoMotd {
		a.Motd = motd
	}
}

// ownEnvironment has ~/.ssh/environment read, if that may be. It does not change what says how the
// client came here, as with sshd, and what the settings and PAM have set.
func ownEnvironment(spec *process.Spec, who *access.Client) stage.Arrival {
	a := stage.Arrival{Home: who.Account.Dir()}
	as := who.Account.Credential
	if as == nil || !who.Permits.UserEnvironment {
		return a
	}
	a.EnvFile = true
	for _, pair := range spec.Env {
		if name, _, _ := strings.Cut(pair, "="); slices.Contains(ownNames, name) {
			a.EnvAfter = append(a.EnvAfter, pair)
		}
	}
	if as.Origin != nil {
		a.EnvAfter = append(a.EnvAfter, as.Origin.Environment()...)
	}
	a.EnvAfter = setAlways(a.EnvAfter, who)
	return a
}

// record is a terminal's session in the machine's books.
type record struct {
	book *logins.Book

	mu    sync.Mutex
	login logins.Login // no Line: nothing is recorded
}

// records has a session on a terminal recorded, as soon as that begins. end ends that.
func (h *Host) records(spec *process.Spec, who *access.Client) *record {
	r := &record{book: h.Logins}
	if h.Logins == nil {
		return r
	}
	spec.Begins = func(pid int, tty string) {
		line, is := strings.CutPrefix(tty, "/dev/")
		if !is {
			return
		}
		r.end() // of a start that has failed
		login := logins.Login{Line: line, User: who.Account.Name, UID: who.Account.UID,
			Addr: who.Addr.Addr(), PID: pid}
		if login.Addr.IsValid() {
			login.Host = login.Addr.String()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.login = login
		r.book.Begin(login)
	}
	return r
}

// end records that nobody sits at the terminal any more. It may be called again.
func (r *record) end() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.login.Line != "" {
		r.book.End(r.login)
		r.login = logins.Login{}
	}
}
