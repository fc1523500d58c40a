package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// Accounts is the Access of root's daemon, which serves every account of the system (RULES A7).
// What the system says about the account, the policy, and the user's own files, read with the
// user's own rights, decide about a login. A user who is not served gets the same answer as a key
// that is not listed, after the same work.
type Accounts struct {
	reading
	own    process.Account
	policy atomic.Pointer[Policy]
	files  atomic.Pointer[[]string] // with %h and %u
	reader *keyReader
	life   context.Context // ends with Close, and then everything that logins wait for
	end    context.CancelFunc

	somebody judgement
	searched atomic.Pointer[time.Time] // when all accounts were last looked at; nil: not yet
}

var (
	_ ByUID    = (*Accounts)(nil)
	_ Pairable = (*Accounts)(nil)
	_ Reloader = (*Accounts)(nil)
	_ Changer  = (*Accounts)(nil)
	_ Reporter = (*Accounts)(nil)
	_ Warmer   = (*Accounts)(nil)
	_ Closer   = (*Accounts)(nil)
)

// DefaultAccountFiles lists the files whose keys count without --authorized-keys.
var DefaultAccountFiles = []string{"%h/.ssh/authorized_keys", "%h/.config/minissh/authorized_keys"}

// NewAccounts makes the Access of a daemon that runs as root. files are names with %h and %u; a
// name without them is for the daemon's own account.
func NewAccounts(own process.Account, policy Policy, files []string, trust Trust,
	log *slog.Logger) (*Accounts, error) {
	a := &Accounts{reading: reading{log: log}, own: own}
	if err := a.Change(policy, files, trust); err != nil {
		return nil, err
	}
	a.reader = newKeyReader(own)
	a.life, a.end = context.WithCancel(context.Background())
	a.somebody.find = a.findSomebody
	return a, nil
}

// Change implements Changer.
func (a *Accounts) Change(policy Policy, files []string, trust Trust) error {
	if err := policy.Check(); err != nil {
		return err
	}
	for _, file := range files {
		if _, err := Expand(file, a.own, true); err != nil {
			return err
		}
	}
	a.policy.Store(&policy)
	a.files.Store(&files)
	a.trust.Store(trust.of(a.own))
	return nil
}

// lookup limits the time of everything that one login asks of the system.
func (a *Accounts) lookup() (context.Context, context.CancelFunc) {
	return context.WithTimeout(a.life, 10*time.Second)
}

// Warm makes the first login as quick as later ones: it starts a reader and stages. Those of PAM's
// sessions do not begin here.
func (a *Accounts) Warm() {
	if !a.policy.Load().PAM {
		process.KeepReady()
	}
	ctx, cancel := a.lookup()
	defer cancel()
	a.reader.read(ctx, nobody, []string{"/nonexistent"})
}

// Close ends what the Access keeps running, and the logins that wait for users' files. It may be
// called again.
func (a *Accounts) Close() error {
	a.end()
	process.EndReady()
	a.reader.close()
	return nil
}

// Reload makes problems be reported anew, and everything be judged anew.
func (a *Accounts) Reload() {
	a.told.forget()
	a.somebody.forget()
	a.searched.Store(nil)
}

// nobody stands for an account that is not served: it has no files.
var nobody = process.Account{Name: "nobody", UID: 65534, GID: 65534, Home: "/nonexistent",
	Credential: &process.Credential{UID: 65534, GID: 65534}}

// account finds a user's account and says whether it is served; the error is an invalidUser.
func (a *Accounts) account(ctx context.Context, user string) (process.Account, error) {
	acct, err := process.LookupAccount(ctx, user)
	if err != nil {
		return nobody, invalidUser{unlessItPasses(err)}
	}
	return acct, a.judge(ctx, acct)
}

// unlessItPasses is Revoked if an account is not there or closed, and not just unknown for now.
func unlessItPasses(err error) error {
	if _, closed := errors.AsType[*process.ClosedError](err); closed ||
		errors.Is(err, process.ErrNoAccount) {
		return Revoked{Err: err}
	}
	return err
}

// judge says why an account is not served, and logs once what can be done about it.
func (a *Accounts) judge(ctx context.Context, acct process.Account) error {
	err := a.judgement(ctx, acct)
	hint := logbook.Hint(err)
	if hint != "" && a.told.news("account "+acct.Name, err.Error()) {
		a.log.Warn("The account "+logbook.Name(acct.Name)+" cannot log in", "why", err.Error(),
			"hint", hint)
	}
	return err
}

// judgement says why an account is not served, whatever its keys.
func (a *Accounts) judgement(ctx context.Context, acct process.Account) error {
	if err := a.policy.Load().refuses(ctx, acct); err != nil {
		return invalidUser{err}
	}
	if err := process.Closed(ctx, acct, a.policy.Load().PAM); err != nil {
		return invalidUser{unlessItPasses(err)}
	}
	return nil
}

// names are an account's files.
func (a *Accounts) names(acct process.Account) (names []string) {
	for _, template := range *a.files.Load() {
		if name, _ := Expand(template, acct, acct.Name == a.own.Name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// read reads an account's files, as the account.
func (a *Accounts) read(ctx context.Context, acct process.Account) (reports []FileReport,
	err error) {
	names := a.names(acct)
	if len(names) == 0 {
		return nil, nil
	}
	texts, err := a.reader.read(ctx, acct, names)
	for i, text := range texts {
		report := FileReport{Path: names[i], Err: text.err()}
		if report.Err == nil {
			report.File, report.Problems = authorized.Parse(names[i], text.Text)
		}
		reports = append(reports, report)
	}
	return reports, err
}

// Authorize admits a user with one of the user's own keys.
func (a *Accounts) Authorize(user string, proof keys.Proof, from netip.Addr) (*Grant, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	acct, refused := a.account(ctx, user)
	if refused != nil {
		acct = nobody // its own files are not read
	}
	reports, err := a.read(ctx, acct)
	entry, why := a.find(reports, acct.Name, proof, from)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, err
	case why != nil:
		return nil, why
	}
	if why := a.policy.Load().refusesKey(acct, entry); why != "" {
		return nil, Revoked{Err: errors.New(why)}
	}
	a.somebody.proved(user)
	grant := a.grant(entry)
	grant.Account = &acct
	return grant, nil
}

// WouldDo picks one of the fingerprints that would admit the user.
func (a *Accounts) WouldDo(user string, fingerprints []string, from netip.Addr) string {
	if len(fingerprints) == 0 {
		return ""
	}
	ctx, cancel := a.lookup()
	defer cancel()
	acct, err := a.account(ctx, user)
	if err != nil {
		acct = nobody
	}
	reports, _ := a.read(ctx, acct)
	return wouldDo(a.good(reports), fingerprints, from, func(entry *authorized.Entry) bool {
		return a.policy.Load().refusesKey(acct, entry) == "" &&
			a.trust.Load().revoked(keys.Proof{Key: entry.Key}) == nil
	})
}

// AuthorizeUID admits those whom the kernel names at the other end of a Unix socket: each uid as
// its own account, root as any that is served (RULES A8). --permit-root is about keys only.
func (a *Accounts) AuthorizeUID(user string, uid uint32) (*Grant, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	acct, err := process.LookupAccount(ctx, user)
	if err != nil {
		return nil, invalidUser{unlessItPasses(err)}
	}
	if uid != 0 && uid != acct.UID {
		return nil, fmt.Errorf("uid %d may not log in as %s", uid, logbook.Name(user))
	}
	if acct.UID == 0 { // root as itself: there is nothing that it could not do without us
		return &Grant{Account: &acct, Where: "uid 0"}, nil
	}
	if err := a.judge(ctx, acct); err != nil {
		return nil, err
	}
	return &Grant{Account: &acct, Where: fmt.Sprintf("uid %d", uid)}, nil
}

// PairedAccount implements Pairable.
func (a *Accounts) PairedAccount(user string) (process.Account, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	acct, err := a.account(ctx, user)
	if err != nil {
		return acct, fmt.Errorf("%s cannot log in here: %w", logbook.Name(user), err)
	}
	return acct, readsPaired(a.names(acct), acct)
}

// Paired implements Pairable.
func (a *Accounts) Paired(user string) { a.somebody.proved(user) }

// readFile is the result of reading one file.
type readFile struct {
	Text    []byte
	Missing bool   `json:",omitempty"`
	Unsafe  []byte `json:",omitempty"` // the path of authorized.ModeError
	Dir     bool   `json:",omitempty"`
	Err     []byte `json:",omitempty"`
}

func (f *readFile) err() error {
	switch {
	case f.Missing:
		return fs.ErrNotExist
	case f.Unsafe != nil:
		return &authorized.ModeError{Path: string(f.Unsafe), Dir: f.Dir}
	case f.Err != nil:
		return errors.New(string(f.Err))
	}
	return nil
}
