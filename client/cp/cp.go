// Package cp is `minissh cp`: its command line (args.go, address.go), the transfer (cp.go), what
// goes from one machine to another through this one (passing.go), which names may come (asked.go),
// and what people and programs see of it (progress.go, bar.go).
package cp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// ExitPartly is cp's exit code when something was not copied.
const ExitPartly = 1

// Run is `minissh cp`. dialer makes a Dialer for a host. The result is the exit code: 0 when all
// was copied, ExitPartly when something was not, report.ExitFailure when a connection failed, 128+n
// after a signal.
func Run(ctx context.Context, plan *Plan, dialer func(host string) (*dial.Dialer, error), lines,
	messages io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := run.Signals(cancel)
	defer signals.Release()
	c := NewCopier(ctx, plan, messages)
	c.dialer = dialer
	if plan.JSON {
		c.View.Lines = lines
	}
	if f, ok := messages.(*os.File); ok && !plan.Quiet && term.IsTerminal(int(f.Fd())) {
		c.View.Screen = f
	}
	started := time.Now()
	defer atexit.Do(func() {
		c.View.End(time.Since(started), true)
		report.Error(messages, c.Interrupted(goesOn, nil))
	})()
	var err error
	for _, group := range plan.Groups() {
		if err = c.group(group); err != nil {
			break
		}
	}
	failed := c.View.End(time.Since(started), err != nil && refused(err))
	if code, caught := signals.Caught(); caught {
		report.Error(messages, c.Interrupted(goesOn, nil))
		return code
	}
	switch {
	case errors.Is(err, ErrFailed):
		return ExitPartly
	case err != nil:
		report.Error(messages, err)
		if refused(err) {
			return ExitPartly
		}
		return report.ExitFailure
	case failed:
		return ExitPartly
	}
	return 0
}

const goesOn = "the same command with --resume goes on"

// refused says whether a copy could not begin for a reason other than the connection: a missing
// target, a key that may not.
func refused(err error) bool {
	var local *files.Error
	var said *protocol.RemoteError
	return errors.As(err, &local) || errors.As(err, &said) &&
		(said.Code == protocol.CodeNoDirectory || said.Code == protocol.CodeServiceRefused)
}

// Copier carries out a plan.
type Copier struct {
	View *View

	ctx    context.Context
	plan   *Plan
	dialer func(host string) (*dial.Dialer, error)
	once   *Once // what goes to many hosts; nil: it goes to one
}

// NewCopier is for a plan that Put or Get carries out, until ctx is done.
func NewCopier(ctx context.Context, plan *Plan, messages io.Writer) *Copier {
	return &Copier{ctx: ctx, plan: plan, View: &View{Messages: messages, Quiet: plan.Quiet}}
}

// Interrupted is what to say of a copy that the user ended.
func (c *Copier) Interrupted(hint string, cause error) error {
	return report.Failed(cause, hint,
		"interrupted: %d copied; what was under way is kept unfinished, under another name%s",
		c.View.Sum().Stored, c.View.untold())
}

// Put copies the plan's sources from here over a connection, which stays.
func (c *Copier) Put(conn *dial.Connection) error {
	s, err := c.begin(conn, c.request(nil))
	if err != nil {
		return err
	}
	return s.end(c.send(s, c.plan.Sources))
}

// Get copies the plan's sources to here over a connection, which stays.
func (c *Copier) Get(conn *dial.Connection) error {
	s, err := c.begin(conn, c.request(c.plan.Sources))
	if err != nil {
		return err
	}
	place, err := c.localPlace()
	if err != nil {
		s.end(err)
		return err
	}
	defer place.Root.Close()
	place.Asked = c.plan.Asked(c.plan.Sources)
	return s.end(c.receive(s, place))
}

// group copies sources of one host.
func (c *Copier) group(sources []Address) error {
	from, to := sources[0].Host, c.plan.Target.Host
	switch {
	case from == "" && to != "":
		return c.put(sources)
	case from != "" && to == "":
		return c.get(sources)
	case from == "":
		return &UsageError{Msg: "neither side is on another machine",
			Advice: "plain cp copies on this machine"}
	}
	return c.between(sources)
}

// options are the transfer's, for either role.
func (c *Copier) options() files.Options {
	p := c.plan
	o := files.Options{
		Recursive: p.Recursive, Preserve: p.Preserve, Resume: p.Resume, Checksum: p.Checksum,
		Sync: p.Sync, Total: c.View.Screen != nil,
	}
	if c.once != nil {
		o.Content = c.once.Content
	}
	return o
}

// request is a put of the plan's, or a get of these sources.
func (c *Copier) request(sources []Address) *protocol.Files {
	p := c.plan
	if sources == nil {
		return &protocol.Files{
			Mode: protocol.FilesPut, Target: protocol.Bytes(p.Target.Path), Folder: p.IntoFolder(),
			Make: p.MakesFolder(), Preserve: p.Preserve, Checksum: p.Checksum, Sync: p.Sync,
		}
	}
	request := &protocol.Files{Mode: protocol.FilesGet, Recurse: p.Recursive, Resume: p.Resume,
		Total: c.View.Screen != nil}
	for _, s := range sources {
		request.Sources = append(request.Sources, protocol.Bytes(s.Path))
	}
	return request
}

// side is one end of a transfer on another machine.
type side struct {
	conn *dial.Connection
	own  bool // the connection ends with the transfer
	ch   *mux.Channel
	in   *mux.Reader
	stop func() bool
}

// open connects to a host and asks for a transfer.
func (c *Copier) open(host string, request *protocol.Files) (*side, error) {
	d, err := c.dialer(host)
	if err != nil {
		return nil, err
	}
	s := &side{own: true}
	s.conn, err = d.Dial(c.ctx, func(session *mux.Session) (err error) {
		s.ch, err = session.Open(&protocol.Open{Service: "files", Files: request})
		return err
	})
	if err != nil {
		return nil, err
	}
	c.View.Follow(s.conn)
	s.watch(c.ctx)
	return s, nil
}

// begin asks for a transfer on a connection that is there.
func (c *Copier) begin(conn *dial.Connection, request *protocol.Files) (*side, error) {
	ch, err := conn.Session.Open(&protocol.Open{Service: "files", Files: request})
	if err != nil {
		return nil, err
	}
	s := &side{conn: conn, ch: ch}
	s.watch(c.ctx)
	return s, nil
}

// watch waits for the user's wish to stop.
func (s *side) watch(ctx context.Context) {
	s.in = s.ch.Reader(protocol.TypeStdout)
	s.stop = context.AfterFunc(ctx, func() {
		s.abort()
		if s.own {
			wait := run.Farewell // the other side may not answer
			if s.conn.Lost() != nil {
				wait = 0
			}
			time.AfterFunc(wait, func() { s.conn.Session.Close(nil) })
		}
	})
}

func (s *side) abort() { s.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled}) }

func (s *side) out() io.Writer { return s.ch.Writer(protocol.TypeStdin) }

// end closes a side after its transfer and finds the reason if that broke off.
func (s *side) end(err error) error {
	s.stop()
	s.ch.EOF(protocol.TypeStdin)
	if err != nil {
		s.abort()
	}
	lost := s.in.Rest()
	s.ch.Close(nil)
	if s.own {
		s.conn.Session.Close(nil)
	}
	if err == nil {
		return nil
	}
	return s.why(err, lost)
}

// put copies from here.
func (c *Copier) put(sources []Address) error {
	s, err := c.open(c.plan.Target.Host, c.request(nil))
	if err != nil {
		return err
	}
	return s.end(c.send(s, sources))
}

func (c *Copier) send(s *side, sources []Address) error {
	var list []files.Source
	for _, a := range sources {
		list = append(list, files.Source{Path: a.Path})
	}
	sum, err := files.Send(files.Stream{In: s.in, Out: s.out(), Abort: s.abort}, list, c.options(),
		c.View.From(s.conn.Options.Alias))
	c.View.Add(sum)
	return err
}

// get copies to here.
func (c *Copier) get(sources []Address) error {
	place, err := c.localPlace()
	if err != nil {
		return err
	}
	defer place.Root.Close()
	request := c.request(sources)
	request.Single = place.Rename != ""
	place.Asked = c.plan.Asked(sources)
	s, err := c.open(sources[0].Host, request)
	if err != nil {
		return err
	}
	return s.end(c.receive(s, place))
}

// localPlace is the target here.
func (c *Copier) localPlace() (*files.Place, error) {
	open := files.OpenPlace
	if c.plan.MakesFolder() {
		open = func(limit *os.Root, target string, _ bool) (*files.Place, error) {
			return files.MakePlace(limit, target)
		}
	}
	place, err := open(nil, c.plan.Target.Path, c.plan.IntoFolder())
	if err != nil {
		advice := ""
		var special *files.SpecialError
		if errors.As(err, &special) && c.dialer != nil {
			if d, err := c.dialer(c.plan.Sources[0].Host); err == nil {
				advice = fmt.Sprintf("minissh %s 'cat FILE' >%s writes into it",
					report.Target(d.Options), c.plan.Target.Path)
			}
		}
		return nil, report.Failed(err, advice, "%s: %v", protocol.Quote(c.plan.Target.Path), err)
	}
	return place, nil
}

func (c *Copier) receive(s *side, place *files.Place) error {
	sum, err := files.Receive(s.in, s.out(), place, c.options(), c.View.From(s.conn.Options.Alias))
	c.View.Add(sum)
	return err
}

// between copies from one machine to another, through this one.
func (c *Copier) between(sources []Address) error {
	from, err := c.open(sources[0].Host, c.request(sources))
	if err != nil {
		return err
	}
	to, err := c.open(c.plan.Target.Host, c.request(nil))
	if err != nil {
		from.end(err)
		return err
	}
	passing := &passing{view: c.View, asked: c.plan.Asked(sources),
		from: c.View.From(from.conn.Options.Alias), to: c.View.From(to.conn.Options.Alias),
		names: map[int64]passed{}}
	answers := make(chan error, 1)
	go func() {
		err := files.Tap(from.out(), to.in, passing.answer)
		from.ch.EOF(protocol.TypeStdin)
		if err != nil {
			from.abort()
		}
		answers <- err
	}()
	sendErr := files.Tap(to.out(), from.in, passing.record)
	to.ch.EOF(protocol.TypeStdin)
	if sendErr != nil {
		to.abort()
	}
	answerErr := <-answers
	c.View.Add(files.Summary{Bytes: passing.bytes})
	// It is unknown whose stream broke first: each side is asked, and the one that has a reason is
	// believed.
	err = to.end(answerErr)
	fromErr := from.end(sendErr)
	var link *mux.LinkLost
	var broken *protocol.Violation
	if err == nil || errors.As(sendErr, &broken) || errors.As(fromErr, &link) &&
		!errors.As(err, &link) || fromErr != nil &&
		strings.Contains(err.Error(), string(protocol.CodeCancelled)) {
		// a broken rule, or a lost connection, is a reason; the other end's complaint follows from
		// it
		err = fromErr
	}
	return err
}
