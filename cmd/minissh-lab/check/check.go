package check

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/speak"
)

// Text is one thing said in both languages.
type Text = cause.Text

// Belief is a misconception and the truth.
type Belief = cause.Belief

func tx(zh, en string, args ...any) Text { return cause.Say(zh, en, args...) }

// Side says which end the learner wrote.
type Side int

// The sides.
const (
	Server Side = iota
	Client
)

// Check is what a lesson's program must pass.
type Check struct {
	Lesson   string // as in `minissh-lab lesson`
	Port     int    // the course's port
	Datagram bool
	Files    bool // the program works with files of its folder
	Alone    bool // the program listens nowhere and connects to nobody
	TLS      bool // over TLS, with a certificate in the program's folder
	Server   []Case
	Client   []Case
}

// Cases are the cases of one side; none when the lesson has no such check.
func (c *Check) Cases(s Side) []Case {
	if s == Client {
		return c.Client
	}
	return c.Server
}

// Case is one attack.
type Case struct {
	Name  string
	What  Text // what is done
	Bonus bool // a failure is only a remark
	Ends  bool // a server may end by itself when it has answered
	run   func(*attack) error
}

// Failure is what the learner reads about a case that failed. All texts are safe
// for a terminal.
type Failure struct {
	Sent, Want, Got Text
	Belief          *Belief // what it is; nil when that is not known
	Proven          bool    // the evidence alone shows Belief; else it is what the case looks for
	NotUp           bool    // the program never came up: the other cases would say the same
	Said            string  // last line of the program's error output, quoted; "" for none
	Where           string  // the program's own line that failed, "my_server.py:12  …"; "" unknown
	wentOn          bool    // the program used the connection as if nothing had happened
	Follows         string  // the case whose bug this is, too, or if not Proven may be; "" for none
}

func (f *Failure) Error() string { return f.Got.En }

// Skipped is a case that cannot run here, and why.
type Skipped struct{ Why Text }

func (s *Skipped) Error() string { return s.Why.En }

// Result is the outcome of one case: Err is nil, a *Failure or a *Skipped.
type Result struct {
	Case *Case
	Err  error
}

// Failed is the failure, or nil.
func (r Result) Failed() *Failure {
	f, _ := errors.AsType[*Failure](r.Err)
	return f
}

// Options say what is checked, and how patiently.
type Options struct {
	Program []string // the learner's program; empty with Connect
	Connect bool     // a server that already runs at Address
	Network string   // tcp, udp or unix
	Address string   // where the program listens, or connects to
	Limit   time.Duration
	Start   time.Duration
	Only    string       // run only the case of this name
	Report  func(Result) // told of each case as it ends; may be nil
	Waiting func(Text)   // told of a long wait and its reason; may be nil
	BigEnd  bool         // lengths as '!i'

	daemon string // the last lesson's minisshd
}

// Limits that are not options.
const (
	DefaultLimit = 3 * time.Second  // longest wait for one answer
	DefaultStart = 10 * time.Second // longest wait for the program to come up
	enough       = 20 * time.Second // a check that has failed tries no more cases after this long
)

// Summary counts the outcomes.
type Summary struct {
	Passed, Failed, Remarks, Skipped int
	First                            string // the first case that failed; "" if none did
}

// OK reports that nothing failed and something was tried.
func (s Summary) OK() bool { return s.Failed == 0 && s.Passed > 0 }

// Run runs the cases of one side. The error is trouble with the lab or the
// command line (a *Trouble), not of the learner's program.
func Run(ctx context.Context, c *Check, side Side, o Options) (Summary, error) {
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	if o.Start <= 0 {
		o.Start = DefaultStart
	}
	var sum Summary
	if c.Lesson == "own" && o.daemon == "" {
		daemon, remove, err := prepareOwn(ctx)
		if err != nil {
			return sum, err
		}
		defer remove()
		o.daemon = daemon
	}
	cases := c.Cases(side)
	began := time.Now()
	roots := map[*Belief]string{} // of each bug that was proven the first case that shows it
	var root string               // the first of all
	for i := range cases {
		cs := &cases[i]
		if o.Only != "" && cs.Name != o.Only {
			continue
		}
		if sum.Failed > 0 && time.Since(began) > enough {
			sum.Skipped += len(cases) - i
			break
		}
		err := runCase(ctx, c, cs, side, o)
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if trouble, ok := errors.AsType[*Trouble](err); ok {
			return sum, trouble
		}
		f, failed := errors.AsType[*Failure](err)
		switch {
		case failed && !f.Proven:
			f.Follows = root
		case failed && roots[f.Belief] != "":
			f.Follows = roots[f.Belief]
		case failed && !cs.Bonus:
			if roots[f.Belief] = cs.Name; root == "" {
				root = cs.Name
			}
		}
		if o.Report != nil {
			o.Report(Result{Case: cs, Err: err})
		}
		_, skipped := errors.AsType[*Skipped](err)
		switch {
		case err == nil:
			sum.Passed++
		case skipped:
			sum.Skipped++
		case cs.Bonus:
			sum.Remarks++
		default:
			if sum.Failed++; sum.First == "" {
				sum.First = cs.Name
			}
		}
		if failed && f.NotUp && o.Only == "" {
			sum.Skipped += len(cases) - i - 1
			break
		}
	}
	return sum, nil
}

// Trouble is something that keeps the lab from checking at all.
type Trouble struct {
	Text Text
	Hint string // a command line, or ""
}

func (t *Trouble) Error() string { return t.Text.En }

// attack is one case while it runs.
type attack struct {
	ctx      context.Context
	check    *Check
	side     Side
	o        Options
	work     *workFolder
	prog     *program // the learner's program, nil with Connect
	conns    []net.Conn
	cert     *tls.Certificate // of the lab as a server; nil without TLS
	served   bool             // the program that runs has been connected to
	hostile  bool             // a length that must not be believed was sent
	overtime int              // how often it got more time because it was busy
	slept    bool             // it has been seen to sleep between a question and its answer
	waited   bool             // for TIME_WAIT, or it must not be
	busy     bool             // the address has been seen to be free, or it does not matter
}

// runCase gives the case a fresh folder and ends its program afterwards.
func runCase(ctx context.Context, c *Check, cs *Case, side Side, o Options) error {
	work, err := newWorkFolder(c.Files)
	if err != nil {
		return &Trouble{Text: tx("建不了临时目录：%v", "cannot make a temporary folder: %v", err)}
	}
	defer work.Close()
	a := &attack{ctx: ctx, check: c, side: side, o: o, work: work}
	defer a.endProgram()
	defer func() { // now that it is judged: a RST may make the program say something
		for _, c := range a.conns {
			leave(c)
		}
	}()
	if c.TLS {
		if err := a.secure(); err != nil {
			return &Trouble{Text: tx("证书没有做成：%v", "cannot make a certificate: %v", err)}
		}
	}
	err = cs.run(a)
	if err == nil {
		if side == Server {
			a.linger()
		}
		a.calm()
		if f := a.left(cs); f != nil {
			f.Sent = cs.What
			err = f
		}
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		if away := a.away(); away != nil { // whatever else was seen follows from it
			away.Sent, f = f.Sent, away
		}
		a.explain(f)
		return f
	}
	if err == nil || isKnown(err) || ctx.Err() != nil {
		return err
	}
	return a.explain(&Failure{Got: text("%s", speak.Clean(err.Error()))})
}

// left is a failure if the program has ended after a case that it has passed, and should not have.
func (a *attack) left(cs *Case) *Failure {
	f := a.crash()
	switch {
	case f != nil:
		f.Want = tx("答完以后还在运行", "it has answered, and keeps running")
		return f
	case a.side == Client:
		return nil
	case cs.Ends:
		return a.away()
	}
	return a.stays()
}

func isKnown(err error) bool {
	_, skipped := errors.AsType[*Skipped](err)
	_, trouble := errors.AsType[*Trouble](err)
	return skipped || trouble
}
