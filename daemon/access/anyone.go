package access

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/daemon/logbook"
	"minissh/daemon/match"
	"minissh/daemon/process"
)

// Each connection from beyond loopback asks whether anybody could log in, before anything is known
// about who comes (RULES A12). So the answer must cost next to nothing, and nobody may have to wait
// for files that a user has made hang.

// judgedFor is how long an answer counts at most; after that every change has an effect.
const judgedFor = time.Second

// judgement keeps the answer to whether somebody could log in, if finding it out may take long.
type judgement struct {
	find func(likely string) string // who could log in, "": nobody; likely could when last asked

	mu       sync.Mutex // guards the rest
	somebody string     // the last answer
	judged   time.Time  // when that was
	under    bool       // somebody is finding it out anew
}

// anyone says whether somebody could log in. One caller at a time finds that out; meanwhile the
// others get the last answer.
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

// forget makes the next caller find it out anew. Meanwhile the last answer counts, as always: after
// a reload too, files that a user has made hang keep nobody out.
func (j *judgement) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.judged = time.Time{}
}

// AnyoneCould says whether some account has a key that could log in.
func (a *Accounts) AnyoneCould() bool { return a.somebody.anyone() }

// findSomebody looks at the accounts that are likeliest to have a key, and at most once a second at
// all others, which takes a while. Only one goroutine at a time runs it.
func (a *Accounts) findSomebody(likely string) string {
	ctx, cancel := context.WithTimeout(a.life, time.Minute)
	defer cancel()
	for _, terms := range a.book.Load().each() {
		if terms.Trust.anyAuthority() || terms.Keys != nil {
			return a.own.Name // or whoever has a certificate, or a key that a command lists
		}
	}
	for _, name := range append([]string{likely, a.own.Name}, a.book.Load().named()...) {
		if name != "" && a.couldBe(ctx, name) {
			return name
		}
	}
	if last := a.searched.Load(); last != nil && time.Since(*last) < judgedFor {
		return ""
	}
	found, now := a.search(ctx), time.Now()
	a.searched.Store(&now)
	return found
}

// search looks at all accounts for one that could log in, "" if there is none.
func (a *Accounts) search(ctx context.Context) string {
	all, err := process.Accounts(ctx)
	if err != nil {
		a.log.Warn("Accounts cannot be listed", "error", err.Error())
	}
	for _, acct := range all {
		if !strings.HasSuffix(acct.Shell, "nologin") && a.namedWell(acct) &&
			a.couldBe(ctx, acct.Name) {
			return acct.Name
		}
	}
	return ""
}

// namedWell says whether an account could be let in, as far as its name tells.
func (a *Accounts) namedWell(acct process.Account) bool {
	return slices.ContainsFunc(a.book.Load().each(), func(terms *Terms) bool {
		return terms.Policy.refusesName(acct) == ""
	})
}

// ways are the terms that an account's logins can have.
func (a *Accounts) ways(acct process.Account) ([]*Terms, error) {
	return a.book.Load().ways(&match.Login{User: acct.Name, Groups: a.groupsOf(acct, true).get})
}

// couldBe says whether an account has a usable key.
func (a *Accounts) couldBe(ctx context.Context, name string) bool {
	acct, err := process.LookupAccount(ctx, name)
	if err != nil {
		return false
	}
	ways, err := a.ways(acct)
	return err == nil && slices.ContainsFunc(ways, func(terms *Terms) bool {
		return a.couldBy(ctx, acct, terms)
	})
}

// couldBy says whether an account has a usable key where these terms hold.
func (a *Accounts) couldBy(ctx context.Context, acct process.Account, terms *Terms) bool {
	if terms.Policy.refuses(ctx, acct) != nil ||
		process.Closed(ctx, acct, a.asksPAM) != nil {
		return false
	}
	reports, err := a.read(ctx, acct, terms)
	if err != nil {
		a.log.Warn("Keys cannot be read", "user", logbook.Name(acct.Name), "error", err.Error())
	}
	now := time.Now()
	for _, file := range a.good(reports) {
		for _, entry := range file.Entries {
			if entry.Usable(now) && terms.Policy.refusesKey(acct, entry) == "" {
				return true
			}
		}
	}
	return false
}
