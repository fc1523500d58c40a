package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/daemon/turns"
	"minissh/protocol/keys"
)

// Accounts is the Access of root's daemon, which serves every account of the system (RULES A7).
// What the system says about the account, the policy, and the user's own files, read with the
// user's own rights, decide about a login. A user who is not served gets the same answer as a key
// that is not listed, after the same work.
type Accounts struct {
	reading
	own    process.Account
	book   atomic.Pointer[Book]
	reader *keyReader
	life   context.Context // ends with Close, and then everything that logins wait for
	end    context.CancelFunc

	// whether PAM is asked about logins, as this daemon was started: a book that says otherwise
	// waits for the next one, and until then nobody else would know who is locked
	asksPAM  bool
	somebody judgement
	searched atomic.Pointer[time.Time] // when all accounts were last looked at; nil: not yet
	asking   atomic.Int64              // nanoseconds that a KeysCommand took last
	commands *turns.Turns[netip.Prefix]
}

var (
	_ ByUID    = (*Accounts)(nil)
	_ Pairable = (*Accounts)(nil)
	_ Reloader = (*Accounts)(nil)
	_ Changer  = (*Accounts)(nil)
	_ Settled  = (*Accounts)(nil)
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
	book, err := Plain(own, Terms{Policy: policy, Files: files, Trust: trust})
	if err != nil {
		return nil, err
	}
	return AccountsBy(book, log), nil
}

// AccountsBy is NewAccounts where different logins may have different terms.
func AccountsBy(book *Book, log *slog.Logger) *Accounts {
	a := &Accounts{reading: reading{log: log}, own: book.own}
	a.book.Store(book)
	if plain, err := book.of(nil); err == nil {
		a.asksPAM = plain.Policy.PAM
	}
	a.reader = newKeyReader(a.own)
	a.commands = turns.New[netip.Prefix](commandsAtOnce, math.MaxInt)
	a.life, a.end = context.WithCancel(context.Background())
	a.somebody.find = a.findSomebody
	return a
}

// Change implements Changer.
func (a *Accounts) Change(book *Book) { a.book.Store(book) }

// lookup limits the time of everything that one login asks of the system.
func (a *Accounts) lookup() (context.Context, context.CancelFunc) {
	return context.WithTimeout(a.life, 10*time.Second)
}

// Warm makes the first login as quick as later ones: it starts a reader and stages. Those of PAM's
// sessions do not begin here.
func (a *Accounts) Warm() {
	if !a.asksPAM {
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

// candidate is a user who asks to log in, and what the system and the settings say.
type candidate struct {
	acct    process.Account // nobody: there is none
	groups  *groupNames
	terms   *Terms
	refused error // why the user is not served, whatever the keys: an invalidUser
}

// account finds a client's account and its terms, and says whether it is served. The error says
// that nobody can tell.
func (a *Accounts) account(ctx context.Context, who *Client) (c candidate, err error) {
	c.acct, err = process.LookupAccount(ctx, who.User)
	if err != nil {
		c.acct, c.refused = nobody, invalidUser{unlessItPasses(err)}
	}
	c.groups = a.groupsOf(c.acct, c.refused == nil)
	if c.terms, err = a.book.Load().Terms(who.login(c.groups.get)); err != nil {
		return c, err
	}
	if c.refused == nil {
		c.refused = a.judge(ctx, c.acct, c.terms)
	}
	return c, nil
}

func (a *Accounts) groupsOf(acct process.Account, there bool) *groupNames {
	g := &groupNames{life: a.life}
	if there {
		g.acct = &acct
	}
	return g
}

// Terms implements Settled. The groups are those of the login.
func (a *Accounts) Terms(who *Client) (*Terms, error) {
	return a.book.Load().Terms(who.login(who.Grant.groups.get))
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
func (a *Accounts) judge(ctx context.Context, acct process.Account, terms *Terms) error {
	err := a.judgement(ctx, acct, terms)
	hint := logbook.Hint(err)
	if hint != "" && a.told.news("account "+acct.Name, err.Error()) {
		a.log.Warn("The account "+logbook.Name(acct.Name)+" cannot log in", "why", err.Error(),
			"hint", hint)
	}
	return err
}

// judgement says why an account is not served, whatever its keys.
func (a *Accounts) judgement(ctx context.Context, acct process.Account, terms *Terms) error {
	if err := terms.Policy.refuses(ctx, acct); err != nil {
		return invalidUser{err}
	}
	if err := process.Closed(ctx, acct, a.asksPAM); err != nil {
		return invalidUser{unlessItPasses(err)}
	}
	return nil
}

// names are an account's files.
func (a *Accounts) names(acct process.Account, terms *Terms) (names []string) {
	for _, template := range terms.Files {
		if name, _ := Expand(template, acct, acct.Name == a.own.Name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// read reads an account's files, as the account.
func (a *Accounts) read(ctx context.Context, acct process.Account, terms *Terms) (
	reports []FileReport, err error) {
	names := a.names(acct, terms)
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
func (a *Accounts) Authorize(who *Client) (*Grant, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	c, unsure := a.account(ctx, who)
	if unsure != nil {
		return nil, unsure
	}
	acct := c.acct
	if c.refused != nil {
		acct = nobody // its own files are not read
	}
	reports, err := a.read(ctx, acct, c.terms)
	entry, why := a.find(reports, acct.Name, who, &c.terms.Trust)
	if list := c.terms.Keys; list != nil && c.refused != nil {
		a.pretend(ctx, who)
	} else if list != nil && err == nil && why != nil && entry == nil {
		entry, why = a.findListed(ctx, list, acct, who, &c.terms.Trust, why)
	}
	switch {
	case c.refused != nil:
		return nil, c.refused
	case err != nil:
		return nil, err
	case why != nil:
		return nil, why
	}
	if why := c.terms.Policy.refusesKey(acct, entry); why != "" {
		return nil, Revoked{Err: errors.New(why)}
	}
	a.somebody.proved(who.User)
	grant := a.grant(entry, &c.terms.Trust)
	grant.Account, grant.groups = &acct, c.groups
	return grant, nil
}

// WouldDo picks one of the fingerprints that would admit the user. What holds for a login may
// depend on the key.
func (a *Accounts) WouldDo(who *Client, fingerprints []string) string {
	found, _ := a.wouldDo(who, fingerprints)
	return found
}

// MayLogIn implements Reporter.
func (a *Accounts) MayLogIn(who *Client) (bool, error) {
	found, unsure := a.wouldDo(who, []string{who.Fingerprint})
	return found != "", unsure
}

// wouldDo is WouldDo that says if nobody can tell. A command that is told of the key itself is not
// asked: about that it says nothing.
func (a *Accounts) wouldDo(who *Client, fingerprints []string) (found string, unsure error) {
	if len(fingerprints) == 0 {
		return "", nil
	}
	ctx, cancel := a.lookup()
	defer cancel()
	c, unsure := a.account(ctx, who)
	if unsure != nil {
		return "", unsure
	}
	book, at := a.book.Load(), who.login(c.groups.get)
	for terms, some := range byTerms(book, at, fingerprints) {
		acct, served := c.acct, c.groups.acct != nil && a.judgement(ctx, c.acct, terms) == nil
		if !served {
			acct = nobody
		}
		reports, err := a.read(ctx, acct, terms)
		if err != nil {
			unsure = err
		}
		switch list := terms.Keys; {
		case list == nil || list.OfKey():
		case served:
			if report := a.listed(ctx, list, acct, who, keys.Proof{}); report.Err == nil {
				reports = append(reports, report)
			} else if err == nil {
				unsure = fmt.Errorf("no file admits it, and %s (%s) cannot tell: %w", commandName,
					list.Words[0], report.Err)
			}
		default:
			a.pretend(ctx, who)
		}
		found := wouldDo(a.good(reports), some, who.Addr.Addr(),
			func(entry *authorized.Entry) bool {
				return terms.Policy.refusesKey(acct, entry) == "" &&
					terms.Trust.revoked(keys.Proof{Key: entry.Key}) == nil
			})
		if found != "" {
			return found, nil
		}
	}
	return "", unsure
}

// AuthorizeUID admits those whom the kernel names at the other end of a Unix socket: each uid as
// its own account, root as any that is served (RULES A8). --permit-root is about keys only.
func (a *Accounts) AuthorizeUID(who *Client) (*Grant, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	acct, err := process.LookupAccount(ctx, who.User)
	if err != nil {
		return nil, invalidUser{unlessItPasses(err)}
	}
	if who.UID != 0 && who.UID != acct.UID {
		return nil, fmt.Errorf("uid %d may not log in as %s", who.UID, logbook.Name(who.User))
	}
	grant := &Grant{Account: &acct, Where: fmt.Sprintf("uid %d", who.UID),
		groups: a.groupsOf(acct, true)}
	if acct.UID == 0 { // root as itself: there is nothing that it could not do without us
		return grant, nil
	}
	terms, err := a.book.Load().Terms(who.login(grant.groups.get))
	if err == nil {
		err = a.judge(ctx, acct, terms)
	}
	if err != nil {
		return nil, err
	}
	return grant, nil
}

// PairedAccount implements Pairable. What holds from no address counts.
func (a *Accounts) PairedAccount(user string) (process.Account, error) {
	ctx, cancel := a.lookup()
	defer cancel()
	c, err := a.account(ctx, &Client{User: user})
	if err == nil {
		err = c.refused
	}
	if err != nil {
		return c.acct, fmt.Errorf("%s cannot log in here: %w", logbook.Name(user), err)
	}
	return c.acct, readsPaired(a.names(c.acct, c.terms), c.acct)
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
