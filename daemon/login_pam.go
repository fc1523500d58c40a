package daemon

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/daemon/pam"
	"minissh/daemon/service"
	"minissh/protocol"
)

// askPAM asks PAM about a client whose key is good. For a session that is not there yet, it opens
// PAM's, before the session: nobody else waits for modules that hang.
func (a *arrival) askPAM(hello *protocol.Hello) error {
	who := a.who.Account.Credential
	if a.s.opts.PAM == nil || who == nil {
		return nil
	}
	found, _ := a.s.sessions.Find(a.who.Owner, hello)
	login := pam.Login{User: a.who.Account.Name, Groups: who.Groups,
		Connection: service.Connection(a.who), Client: a.raw}
	if a.addr.IsValid() {
		login.Remote = a.addr.Addr().String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.s.opts.LoginGrace)
	defer cancel()
	var err error
	switch {
	case found != nil: // RULES B17
		found.Spare() // its client has come, and may have to wait
		err = a.s.opts.PAM.Check(ctx, login)
	case hello.Create:
		a.pam, err = a.s.opts.PAM.Open(ctx, login)
	}
	if err == nil || errors.Is(err, pam.ErrHungUp) {
		return err
	}
	a.s.opts.Audit.Note("login refused", a.who.Audited(true), "error", err.Error())
	a.s.tally.Refused(slog.LevelWarn, "Access denied by PAM", a.who.User, a.who.User,
		"Access denied for user "+logbook.Name(a.who.User)+" by PAM "+logbook.From(a.addr),
		"error", err.Error())
	refused, ok := errors.AsType[*pam.Refused](err)
	switch {
	case errors.Is(err, pam.ErrBusy):
		return logbook.Told{Err: protocol.Violate(protocol.CodeTooManySessions, "%v", err)}
	case !ok:
		return logbook.Told{Err: protocol.Violate(protocol.CodeInternal,
			"PAM does not answer here; the daemon's log says more")}
	}
	refusal := protocol.Violate(protocol.CodeKeyNotAuthorized, "%s", refusedWords(refused))
	if !refused.Passes && found != nil {
		return a.end(found, "PAM does not let this account in any more")
	}
	return logbook.Told{Err: refusal}
}

// refusedWords are what the user is told: a key that is listed has shown that it may know.
func refusedWords(refused *pam.Refused) string {
	if len(refused.Messages) == 0 {
		return "PAM does not let this account in"
	}
	return "PAM does not let this account in: " +
		logbook.Shorten(strings.TrimSpace(strings.Join(refused.Messages, " ")), 1024)
}

// closePAM closes what was opened for a session that did not begin.
func (a *arrival) closePAM() {
	if a.pam != nil {
		a.pam.Close()
	}
}

// descends makes everything that is started for a client descend from its PAM session.
func descends(who *access.Client, opened *pam.Session) {
	if opened == nil {
		return
	}
	as := *who.Account.Credential
	as.Groups, as.Origin = slices.Clone(opened.Groups()), opened
	who.Account.Credential = &as
	who.MustChange = opened.MustChange()
	if said := opened.Messages(); len(said) > 0 {
		who.Greeting = strings.TrimRight(strings.Join(said, "\n"), "\n") + "\n"
	}
}
