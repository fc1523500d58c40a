package daemon

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// Whether anybody could log in is asked for each connection from beyond loopback, before anything is
// known of who comes (RULES A12). So it must cost next to nothing, and whoever comes must not wait for
// files that a user has made hang.

// judgedFor is how long an answer counts at most, and how soon a change shows that nothing else tells of.
const judgedFor = time.Second

// judgement keeps the answer to whether somebody could log in, where finding it out may take long.
type judgement struct {
	find func(likely string) string // who could log in, "" if nobody; likely is who could when last asked

	mu       sync.Mutex // guards the rest
	somebody string     // the last answer
	judged   time.Time  // when that was
	under    bool       // somebody is finding it out anew
}

// anyone says whether somebody could log in. Of many who ask, one at a time finds that out; the last
// answer counts for the others meanwhile.
func (j *judgement) anyone() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.somebody != "" && time.Since(j.judged) < judgedFor || j.under {
		return j.somebody != ""
	}
	j.under = true
	likely := j.somebody
	j.mu.Unlock()
	found := j.find(likely)
	j.mu.Lock()
	j.somebody, j.judged, j.under = found, time.Now(), false
	return found != ""
}

// proved notes a user who has just logged in.
func (j *judgement) proved(user string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.somebody, j.judged = user, time.Now()
}

// forget has the next one who asks find it out anew. The last answer counts for the others meanwhile, as always: files
// that a user has made hang keep nobody out after a reload.
func (j *judgement) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.judged = time.Time{}
}

// AnyoneCould says whether some account has a key that could log in.
func (a *Accounts) AnyoneCould() bool { return a.somebody.anyone() }

// findSomebody looks at the accounts that are likeliest to have a key, and at all others at most once a
// second: that takes a while. One goroutine at a time is here.
func (a *Accounts) findSomebody(likely string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	found := a.first(ctx, append([]string{likely, a.own.Name}, a.policy.named()...))
	if last := a.searched.Load(); found == "" && (last == nil || time.Since(*last) >= judgedFor) {
		found = a.search(ctx)
		now := time.Now()
		a.searched.Store(&now)
	}
	return found
}

// first is the first of some names that could log in, "" if none could.
func (a *Accounts) first(ctx context.Context, names []string) string {
	for _, name := range names {
		if name != "" && a.couldBe(ctx, name) {
			return name
		}
	}
	return ""
}

// search looks at all accounts for one that could log in, "" if there is none.
func (a *Accounts) search(ctx context.Context) string {
	all, err := process.Accounts(ctx)
	if err != nil {
		a.log.Warn("Accounts cannot be listed", "error", err.Error())
	}
	for _, acct := range all {
		if a.policy.refuses(acct) == "" && !strings.HasSuffix(acct.Shell, "nologin") && a.couldBe(ctx, acct.Name) {
			return acct.Name
		}
	}
	return ""
}

// couldBe says whether an account has a usable key.
func (a *Accounts) couldBe(ctx context.Context, name string) bool {
	acct, err := process.LookupAccount(ctx, name)
	if err != nil || a.policy.refuses(acct) != "" || process.Closed(ctx, acct) != nil {
		return false
	}
	files, err := a.load(ctx, acct)
	if err != nil {
		a.log.Warn("Keys cannot be read", "user", logName(name), "error", err.Error())
	}
	now := time.Now()
	for _, file := range files {
		for _, entry := range file.Entries {
			if entry.Usable(now) && a.policy.refusesKey(acct, entry) == "" {
				return true
			}
		}
	}
	return false
}

// AnyoneCould says whether a key could log in. The files are parsed anew when they have changed, and
// once a second, since a line may expire and a folder become unsafe.
func (a *fileAccess) AnyoneCould() bool {
	a.judged.Lock()
	defer a.judged.Unlock()
	states := make([]fs.FileInfo, len(a.files))
	for i, name := range a.files {
		states[i], _ = os.Stat(name)
	}
	if time.Since(a.judged.at) >= judgedFor || !slices.EqualFunc(states, a.judged.states, sameState) {
		a.judged.states, a.judged.at, a.judged.could = states, time.Now(), a.anyoneListed()
	}
	return a.judged.could
}

// sameState says whether a file seems to be what it was. Nil is no file.
func sameState(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

func (a *fileAccess) anyoneListed() bool {
	return slices.ContainsFunc(a.load(), func(file *authorized.File) bool { return file.AnyUsable(time.Now()) })
}
