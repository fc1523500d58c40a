package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// fileAccess admits the keys that authorized_keys files list, as the daemon's own account. The
// files are read at each login, so that a change counts at once.
type fileAccess struct {
	reading
	account process.Account
	book    atomic.Pointer[Book]
	judged  struct {
		sync.Mutex // guards the rest
		states     []fs.FileInfo
		at         time.Time
		could      bool
	}
}

var (
	_ Pairable = (*fileAccess)(nil)
	_ Reloader = (*fileAccess)(nil)
	_ Changer  = (*fileAccess)(nil)
	_ Settled  = (*fileAccess)(nil)
	_ Reporter = (*fileAccess)(nil)
)

// NewFileAccess makes the Access of a daemon that serves its own account.
func NewFileAccess(own process.Account, files []string, trust Trust, log *slog.Logger) Access {
	book := &Book{own: own, built: map[string]*Terms{}}
	book.build = func([]int) (*Terms, error) { return &Terms{Files: files, Trust: trust}, nil }
	return FileAccessBy(book, log)
}

// FileAccessBy is NewFileAccess where different logins may have different terms.
func FileAccessBy(book *Book, log *slog.Logger) Access {
	a := &fileAccess{reading: reading{log: log}, account: book.own}
	a.book.Store(book)
	return a
}

// Change implements Changer. There is no policy: whose account it is may log in.
func (a *fileAccess) Change(book *Book) {
	a.judged.Lock()
	defer a.judged.Unlock()
	a.book.Store(book)
	a.judged.at = time.Time{}
}

// Terms implements Settled. On a Unix socket the daemon's own user and root log in.
func (a *fileAccess) Terms(who *Client) (*Terms, error) {
	groups := who.Grant.groups
	if groups == nil {
		groups = &groupNames{life: context.Background(), acct: &a.account}
	}
	return a.book.Load().Terms(who.login(groups.get))
}

// read reads files.
func (a *fileAccess) read(names []string) (reports []FileReport) {
	owner := authorized.Owner{UID: a.account.UID, Home: a.account.Home}
	for _, name := range names {
		file, problems, err := authorized.Load(name, owner)
		reports = append(reports, FileReport{Path: name, Err: err, File: file, Problems: problems})
	}
	return reports
}

// invalidUser is why a user is not served, for the log alone.
type invalidUser struct{ error }

func (e invalidUser) Unwrap() error { return e.error }

var errUnknownUser = invalidUser{errors.New("no such user here")}

func (a *fileAccess) Authorize(who *Client) (*Grant, error) {
	groups := &groupNames{life: context.Background(), acct: &a.account}
	asked := *who
	asked.User = a.account.Name
	terms, unsure := a.book.Load().Terms(asked.login(groups.get))
	if unsure != nil {
		return nil, unsure
	}
	// An unknown user costs the same reading as a known one, and gets the same answer (ID6).
	entry, err := a.find(a.read(terms.Files), a.account.Name, who, &terms.Trust)
	switch {
	case who.User != a.account.Name:
		return nil, errUnknownUser
	case err != nil:
		return nil, err
	}
	grant := a.grant(entry, &terms.Trust)
	grant.groups = groups
	return grant, nil
}

// Reload implements Reloader: what is wrong with files is reported anew.
func (a *fileAccess) Reload() { a.told.forget() }

func (a *fileAccess) WouldDo(who *Client, fingerprints []string) string {
	if who.User != a.account.Name || len(fingerprints) == 0 {
		return ""
	}
	groups := &groupNames{life: context.Background(), acct: &a.account}
	at := who.login(groups.get)
	for terms, some := range byTerms(a.book.Load(), at, fingerprints) {
		found := wouldDo(a.good(a.read(terms.Files)), some, who.Addr.Addr(),
			func(entry *authorized.Entry) bool {
				return terms.Trust.revoked(keys.Proof{Key: entry.Key}) == nil
			})
		if found != "" {
			return found
		}
	}
	return ""
}

// MayLogIn implements Reporter.
func (a *fileAccess) MayLogIn(who *Client) (bool, error) {
	return a.WouldDo(who, []string{who.Fingerprint}) != "", nil
}

// wouldDo picks a fingerprint that a file lists for now and that address, in a line that may be
// used.
func wouldDo(files []*authorized.File, fingerprints []string, from netip.Addr,
	may func(*authorized.Entry) bool) string {
	for _, file := range files {
		for _, entry := range file.Entries {
			fingerprint := keys.Fingerprint(entry.Key)
			if !slices.Contains(fingerprints, fingerprint) {
				continue
			}
			if found, err := file.Find(entry.Key, from, time.Now()); err == nil && may(found) {
				return fingerprint
			}
		}
	}
	return ""
}

// PairedAccount implements Pairable.
func (a *fileAccess) PairedAccount(user string) (process.Account, error) {
	if user != a.account.Name {
		return process.Account{}, fmt.Errorf("this daemon serves %s alone", a.account.Name)
	}
	return a.account, readsPaired(a.names(), a.account)
}

// names are the files that list keys, for some login at least.
func (a *fileAccess) names() (names []string) {
	for _, terms := range a.book.Load().each() {
		for _, name := range terms.Files {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Paired implements Pairable: the files are read at each login.
func (a *fileAccess) Paired(string) {}

// readsPaired says whether the file of an account's paired keys is among those that are read.
func readsPaired(files []string, acct process.Account) error {
	if file := PairedFile(acct); !slices.Contains(files, file) {
		return fmt.Errorf("this daemon does not read %s, the file of paired keys: start it with "+
			"--authorized-keys %s as well", file, file)
	}
	return nil
}

// AnyoneCould says whether a key could log in. The files are parsed anew when they have changed,
// and once a second, since a line may expire and a folder become unsafe.
func (a *fileAccess) AnyoneCould() bool {
	a.judged.Lock()
	defer a.judged.Unlock()
	names := a.names()
	states := make([]fs.FileInfo, len(names))
	for i, name := range names {
		states[i], _ = os.Stat(name)
	}
	if time.Since(a.judged.at) >= judgedFor ||
		!slices.EqualFunc(states, a.judged.states, sameState) {
		a.judged.states, a.judged.at = states, time.Now()
		a.judged.could = slices.ContainsFunc(a.book.Load().each(), func(terms *Terms) bool {
			return terms.Trust.anyAuthority()
		}) || slices.ContainsFunc(a.good(a.read(names)), func(f *authorized.File) bool {
			return f.AnyUsable(time.Now())
		})
	}
	return a.judged.could
}

// sameState says whether a file seems to be what it was. Nil: there is no file.
func sameState(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) &&
		a.Mode() == b.Mode()
}

// Report implements Reporter: it looks at the daemon's own account.
func (a *fileAccess) Report(context.Context) ([]AccountReport, error) {
	report := AccountReport{Name: a.account.Name, UID: a.account.UID, Meant: true}
	for _, file := range a.read(a.names()) {
		report.add(file)
	}
	return []AccountReport{report}, nil
}

// ReportFor implements Reporter.
func (a *fileAccess) ReportFor(ctx context.Context, who *Client) (AccountReport, error) {
	report := AccountReport{Name: who.User, Meant: true}
	if who.User != a.account.Name {
		report.Refused = errUnknownUser
		return report, nil
	}
	report.UID = a.account.UID
	groups := &groupNames{life: ctx, acct: &a.account}
	terms, err := a.book.Load().Terms(who.login(groups.get))
	if err != nil {
		return report, err
	}
	for _, file := range a.read(terms.Files) {
		report.add(file)
	}
	return report, nil
}
