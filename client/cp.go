package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"minissh/client/copying"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// ExitPartly is cp's exit code when something was not copied.
const ExitPartly = 1

// Copy is `minissh cp`. dial makes a Dialer for a host. The result is the exit code: 0 when all was copied, ExitPartly when something was not,
// ExitFailure when a connection failed, 128+n after a signal.
func Copy(ctx context.Context, plan *copying.Plan, dial func(host string) (*Dialer, error), lines, messages io.Writer) int {
	signals := catchSignals()
	defer signals.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals.whileDialing(cancel)
	c := &copier{ctx: ctx, plan: plan, dial: dial, view: &copying.View{Messages: messages}}
	if plan.JSON {
		c.view.Lines = lines
	}
	if f, ok := messages.(*os.File); ok && !plan.Quiet && term.IsTerminal(int(f.Fd())) {
		c.view.Screen = f
	}
	started := time.Now()
	defer beforeEnd(func() {
		c.view.End(time.Since(started), true)
		Report(messages, interrupted(c.view))
	})()
	var err error
	for _, group := range plan.Groups() {
		if err = c.group(group); err != nil {
			break
		}
	}
	failed := c.view.End(time.Since(started), err != nil && refused(err))
	if code, caught := signals.caught(); caught {
		Report(messages, interrupted(c.view))
		return code
	}
	switch {
	case errors.Is(err, copying.ErrFailed):
		return ExitPartly
	case err != nil:
		Report(messages, err)
		if refused(err) {
			return ExitPartly
		}
		return ExitFailure
	case failed:
		return ExitPartly
	}
	return 0
}

// interrupted is a copy that the user ended.
func interrupted(view *copying.View) error {
	return interruptedBy(view, "the same command with --resume goes on", nil)
}

func interruptedBy(view *copying.View, hint string, cause error) error {
	return fail(cause, hint, "interrupted: %d copied; what was under way is kept unfinished, under another name", view.Sum().Stored)
}

// refused says whether a copy could not begin for a reason that is not the connection's: a target that is not there, a key that may not.
func refused(err error) bool {
	var local *files.Error
	var said *protocol.RemoteError
	return errors.As(err, &local) || errors.As(err, &said) && (said.Code == protocol.CodeNoDirectory || said.Code == protocol.CodeServiceRefused)
}

// copier is one run of cp.
type copier struct {
	ctx  context.Context
	plan *copying.Plan
	dial func(host string) (*Dialer, error)
	view *copying.View
}

// side is one end of a transfer on another machine.
type side struct {
	d    *Dialer
	conn *Connection // nil: the session is somebody else's
	ch   *mux.Channel
	in   *mux.Reader
	stop func() bool
}

// group copies sources of one host.
func (c *copier) group(sources []copying.Address) error {
	from, to := sources[0].Host, c.plan.Target.Host
	switch {
	case from == "" && to != "":
		return c.put(sources)
	case from != "" && to == "":
		return c.get(sources)
	case from == "":
		return &copying.UsageError{Msg: "neither side is on another machine", Advice: "cp copies here"}
	}
	return c.between(sources)
}

// options are the transfer's, for either role.
func (c *copier) options() files.Options {
	return files.Options{
		Recursive: c.plan.Recursive, Preserve: c.plan.Preserve, Resume: c.plan.Resume, Checksum: c.plan.Checksum, Sync: c.plan.Sync, Total: c.view.Screen != nil,
	}
}

// request is a put of the plan's, or a get of these sources.
func (c *copier) request(sources []copying.Address) *protocol.Files {
	p := c.plan
	if sources == nil {
		return &protocol.Files{
			Mode: protocol.FilesPut, Target: protocol.Bytes(p.Target.Path), Folder: p.IntoFolder(), Make: p.MakesFolder(), Preserve: p.Preserve, Checksum: p.Checksum, Sync: p.Sync,
		}
	}
	request := &protocol.Files{Mode: protocol.FilesGet, Recurse: p.Recursive, Resume: p.Resume, Total: c.view.Screen != nil}
	for _, s := range sources {
		request.Sources = append(request.Sources, protocol.Bytes(s.Path))
	}
	return request
}

// open connects to a host and asks for a transfer.
func (c *copier) open(host string, request *protocol.Files) (*side, error) {
	d, err := c.dial(host)
	if err != nil {
		return nil, err
	}
	s := &side{d: d}
	s.conn, err = d.Dial(c.ctx, func(session *mux.Session) (err error) {
		s.ch, err = session.Open(&protocol.Open{Service: "files", Files: request})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.begin(c.ctx)
	return s, nil
}

// begin watches for the user's wish to stop.
func (s *side) begin(ctx context.Context) {
	s.in = s.ch.Reader(protocol.TypeStdout)
	s.stop = context.AfterFunc(ctx, func() {
		s.abort()
		if s.conn != nil { // a prompt's session goes on
			time.AfterFunc(farewell, func() { s.conn.Session.Close(nil) }) // the other side may not answer
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
	if s.conn != nil {
		s.conn.Session.Close(nil)
	}
	if err == nil {
		return nil
	}
	return s.why(err, lost)
}

// why puts into words what broke a transfer off.
func (s *side) why(err, lost error) error {
	host := s.d.Options.Alias
	const again = "the same command with --resume goes on where it stopped"
	var link *mux.LinkLost
	var broken *protocol.Violation
	switch {
	case errors.As(err, &broken):
		return fail(err, "", "%s breaks the protocol: %v", host, broken)
	case s.in.Reason != nil && s.in.Exit == nil && s.in.Reason.Code != "":
		said := &protocol.RemoteError{Reason: *s.in.Reason}
		switch said.Code {
		case protocol.CodeUnknownService:
			return fail(said, "rsync -e minissh, or scp -O -S minissh, may do", "%s has no service for files: %v", host, said)
		case protocol.CodeNoDirectory:
			return fail(said, fmt.Sprintf("minissh %s mkdir FOLDER makes one", Target(s.d.Options)), "%s: %s", host, said.Message)
		case protocol.CodeServiceRefused, protocol.CodeBadRequest, protocol.CodeTooManyCommands:
			return fail(said, "", "%s: %s", host, said.Message)
		case protocol.CodeShuttingDown:
			return fail(said, again, "minisshd on %s is being stopped", host)
		}
		return fail(said, "", "%s gave up: %v", host, said)
	case errors.As(lost, &link):
		return fail(lost, again, "the connection to %s was lost: %v", host, plainError(link.Cause))
	case lost != nil:
		return fail(lost, again, "the session with %s ended: %v", host, lost)
	}
	return fail(err, again, "the transfer with %s broke off: %v", host, err)
}

// put copies from here.
func (c *copier) put(sources []copying.Address) error {
	s, err := c.open(c.plan.Target.Host, c.request(nil))
	if err != nil {
		return err
	}
	return s.end(c.send(s, sources))
}

func (c *copier) send(s *side, sources []copying.Address) error {
	var list []files.Source
	for _, a := range sources {
		list = append(list, files.Source{Path: a.Path})
	}
	sum, err := files.Send(files.Stream{In: s.in, Out: s.out(), Abort: s.abort}, list, c.options(), c.view.From(s.d.Options.Alias))
	c.view.Add(sum)
	return err
}

// get copies to here.
func (c *copier) get(sources []copying.Address) error {
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
func (c *copier) localPlace() (*files.Place, error) {
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
		if errors.As(err, &special) && len(c.plan.Sources) > 0 {
			if d, err := c.dial(c.plan.Sources[0].Host); err == nil {
				advice = fmt.Sprintf("minissh %s 'cat FILE' >%s writes into it", Target(d.Options), c.plan.Target.Path)
			}
		}
		return nil, fail(err, advice, "%s: %v", protocol.Quote(c.plan.Target.Path), err)
	}
	return place, nil
}

func (c *copier) receive(s *side, place *files.Place) error {
	sum, err := files.Receive(s.in, s.out(), place, c.options(), c.view.From(s.d.Options.Alias))
	c.view.Add(sum)
	return err
}

// between copies from one machine to another, through this one.
func (c *copier) between(sources []copying.Address) error {
	from, err := c.open(sources[0].Host, c.request(sources))
	if err != nil {
		return err
	}
	to, err := c.open(c.plan.Target.Host, c.request(nil))
	if err != nil {
		from.end(err)
		return err
	}
	passing := &passing{view: c.view, asked: c.plan.Asked(sources), from: c.view.From(from.d.Options.Alias), to: c.view.From(to.d.Options.Alias), names: map[int64]passed{}}
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
	c.view.Add(files.Summary{Bytes: passing.bytes})
	// Whose stream broke first is not known: each side is asked, and the one that has a reason is believed.
	err = to.end(answerErr)
	fromErr := from.end(sendErr)
	var link *mux.LinkLost
	var broken *protocol.Violation
	if err == nil || errors.As(sendErr, &broken) || errors.As(fromErr, &link) && !errors.As(err, &link) || fromErr != nil && strings.Contains(err.Error(), string(protocol.CodeCancelled)) {
		err = fromErr // a broken rule, or a lost connection, is a reason; that the other end complains follows from it
	}
	return err
}
