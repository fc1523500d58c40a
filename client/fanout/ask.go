package fanout

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/client/knownhosts"
	"minissh/client/nodeset"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// hostVerdict is what known_hosts says of a host's key.
type hostVerdict = knownhosts.Verdict

// askAfter is how long a host with an unknown key waits for others, to be asked about together.
const askAfter = 3 * time.Second

// mostAnswers is how often a question is put again.
const mostAnswers = 5

// questions puts questions to the user, one at a time, while nothing else is shown. Those about
// unknown hosts are put together, when no host is on its way to a login any more.
type questions struct {
	f  *fleet
	mu sync.Mutex // one question at a time

	waiting sync.Mutex // guards the rest
	onWay   int        // hosts whose login is not over
	unknown []unknown
	later   *time.Timer
	open    bool // a question about hosts is being put
}

// unknown is a host whose key the user is to judge.
type unknown struct {
	host *host
	hostVerdict
	answer chan error
}

// Line asks for a line.
func (q *questions) Line(question string) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.f.screen.pause()()
	return terminal.Questions{}.Line(question)
}

// Secret asks without showing what is typed.
func (q *questions) Secret(question string) ([]byte, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.f.screen.pause()()
	return terminal.Questions{}.Secret(question)
}

// more says that so many hosts are on their way to a login.
func (q *questions) more(n int) {
	q.waiting.Lock()
	defer q.waiting.Unlock()
	q.onWay += n
}

// settled says that one is not any more.
func (q *questions) settled() {
	q.waiting.Lock()
	defer q.waiting.Unlock()
	q.onWay--
	q.together()
}

// once is settled, for who calls it more than once.
func (q *questions) once() func() { return sync.OnceFunc(q.settled) }

// together asks about the hosts that wait, if no others are on their way. The caller holds waiting.
func (q *questions) together() {
	if len(q.unknown) == 0 || q.onWay > len(q.unknown) {
		return
	}
	q.askNow()
}

// askNow asks about those that wait now. The caller holds waiting.
func (q *questions) askNow() {
	if q.later != nil {
		q.later.Stop()
		q.later = nil
	}
	if all := q.unknown; len(all) > 0 && !q.open {
		q.unknown, q.open = nil, true
		go func() {
			q.ask(all)
			q.waiting.Lock()
			defer q.waiting.Unlock()
			q.open = false
			q.askNow() // about those that came meanwhile
		}()
	}
}

// aboutHost waits until the user has judged a host's key. The host gives its place to another
// meanwhile.
func (q *questions) aboutHost(h *host, v hostVerdict) error {
	u := unknown{h, v, make(chan error, 1)}
	h.f.to(h, stateAsking)
	<-h.f.slots
	q.waiting.Lock()
	q.unknown = append(q.unknown, u)
	q.together()
	if len(q.unknown) > 0 && q.later == nil {
		q.later = time.AfterFunc(askAfter, func() {
			q.waiting.Lock()
			defer q.waiting.Unlock()
			q.askNow()
		})
	}
	q.waiting.Unlock()
	var err error
	select {
	case err = <-u.answer:
	case <-h.f.ctx.Done():
		err = h.f.ctx.Err()
	}
	h.f.slots <- struct{}{}
	h.f.to(h, stateConnecting)
	return err
}

// to puts a host into a state.
func (f *fleet) to(h *host, s state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.state = s
}

// ask puts one question about all, and gives each its answer.
func (q *questions) ask(all []unknown) {
	slices.SortFunc(all, func(a, b unknown) int {
		return nodeset.Compare(a.host.name, b.host.name)
	})
	names := make([]string, len(all))
	var text strings.Builder
	if len(all) == 1 {
		text.WriteString("This host is not known:\n")
	} else {
		fmt.Fprintf(&text, "%d hosts are not known:\n", len(all))
	}
	for i, u := range all {
		names[i] = u.host.name
		fmt.Fprintf(&text, "  %s  %s %s", terminal.Printable(u.host.name), keys.TypeName(u.Key),
			u.Shown.Fingerprint(u.Key))
		if n := len(u.Others); n > 0 {
			fmt.Fprintf(&text, "  (known_hosts has this key under %d other names)", n)
		}
		text.WriteString("\n")
	}
	example := names[0]
	if len(names) > 2 {
		example = nodeset.Of(names[:2]...).Fold()
	}
	fmt.Fprintf(&text, "minisshd shows its own when it starts to listen. Which are right? "+
		"(yes for all, no, or names: %s) ", terminal.Printable(example))
	question := text.String()
	for try := 0; ; try++ {
		answer, err := q.Line(question)
		right, misread := accepted(answer, names)
		if err == nil && misread != nil && try < mostAnswers {
			question = fmt.Sprintf("%v\nWhich are right? (yes, no, or names) ", misread)
			continue
		}
		for _, u := range all {
			if err == nil && misread == nil && right.Has(u.host.name) {
				u.answer <- nil
			} else {
				u.answer <- &knownhosts.Refusal{Status: knownhosts.Unknown, Err: err}
			}
		}
		return
	}
}

// accepted are the names that an answer accepts.
func accepted(answer string, names []string) (*nodeset.Set, error) {
	switch answer = strings.TrimSpace(answer); {
	case strings.EqualFold(answer, "yes"):
		return nodeset.Of(names...), nil
	case answer == "", strings.EqualFold(answer, "no"):
		return nodeset.Of(), nil
	}
	right, err := nodeset.Parse(answer, nil)
	if err != nil {
		return nodeset.Of(), err
	}
	asked := nodeset.Of(names...)
	for _, name := range right.Names() {
		if !asked.Has(name) {
			return nodeset.Of(), report.Failed(nil, "", "%s is not among them",
				terminal.Printable(name))
		}
	}
	return right, nil
}
