package conform

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/protocol"
)

// daemonProbes are all that is tried on a daemon, in the order of the pages.
func daemonProbes() []Probe {
	return slices.Concat(wireProbes, channelProbes, execProbes, sessionProbes, fileProbes,
		programProbes, lineProbes, forwardProbes, jobProbes, carrierProbes, loginProbes,
		certificateProbes, daemonVectors(), fileVectors())
}

// Daemon grades a daemon: one that it starts, on a Unix socket of its own, or one that runs
// already. The error says why nothing could be tried.
func Daemon(ctx context.Context, o Options) (*Report, error) {
	s := &stage{ctx: ctx, o: &o, report: &Report{Role: "daemon"}}
	if len(o.Program) > 0 {
		dir, err := os.MkdirTemp("", "lab-conform-") // a socket's path may have about 100 bytes
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		s.socket = filepath.Join(dir, "s")
		if err := s.start(); err != nil {
			return nil, err
		}
		defer func() { s.program.end(s.o.Patience) }()
	}
	s.all(daemonProbes())
	if len(o.Program) > 0 && ctx.Err() == nil && wanted(&o, shutdownProbe) {
		s.tell(s.once(shutdownProbe))
	}
	return s.report.sorted(), ctx.Err()
}

// stage is where probes of a daemon run.
type stage struct {
	ctx     context.Context
	o       *Options
	socket  string   // of the program that we started
	program *program // nil: it runs already

	mu     sync.Mutex
	report *Report // owned by mu
}

// start starts the daemon under test.
func (s *stage) start() error {
	os.Remove(s.socket)
	program, err := startProgram(arguments(s.o.Program, [2]string{"{address}", "unix:" + s.socket}))
	if err != nil {
		return err
	}
	if err := program.await(s.ctx, s.socket, s.o.Patience); err != nil {
		program.end(0)
		return err
	}
	s.program = program
	return nil
}

// all runs probes: those that wait for a time of the pages beside all others.
func (s *stage) all(probes []Probe) {
	var slow sync.WaitGroup
	for i, p := range probes {
		if !p.slow || !wanted(s.o, p) {
			continue
		}
		slow.Go(func() {
			if !s.o.Slow {
				s.tell(Result{Rule: p.Rule, Probe: p.Name, What: p.What, Outcome: Unreached,
					Want: tx("要等很久，没有试：去掉 --quick",
						"it takes long, and was not tried: leave out --quick")})
				return
			}
			s.tell(s.apart(i, p))
		})
	}
	for _, p := range probes {
		if !p.slow && wanted(s.o, p) && s.ctx.Err() == nil {
			s.tell(s.once(p))
		}
	}
	slow.Wait()
}

// apart runs a slow probe with a daemon of its own: what another probe does to the daemon meanwhile
// is not this one's.
func (s *stage) apart(number int, p Probe) Result {
	if s.socket == "" {
		return s.once(p)
	}
	own := &stage{ctx: s.ctx, o: s.o, socket: fmt.Sprint(s.socket, number)}
	if err := own.start(); err != nil {
		return Result{Rule: p.Rule, Probe: p.Name, What: p.What, Outcome: Unreached,
			Want: same(err.Error())}
	}
	defer func() { own.program.end(0) }()
	return own.once(p)
}

// wanted says whether --only asks for a probe.
func wanted(o *Options, p Probe) bool {
	return o.Only == "" || o.Only == p.Name || o.Only == p.Rule || o.Only == group(p.Rule)
}

func (s *stage) tell(r Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Results = append(s.report.Results, r)
	if s.o.Tell != nil {
		s.o.Tell(r)
	}
}

// once runs one probe. A daemon that ends over it has failed, and is started again for the next.
func (s *stage) once(p Probe) Result {
	t := &trial{ctx: s.ctx, o: s.o, unix: s.socket, probe: p, stage: s}
	r := t.try()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.program == nil || !s.program.hasEnded() || s.ctx.Err() != nil ||
		p.Name == shutdownProbe.Name {
		return r
	}
	r.Outcome = Fails
	r.Want = tx("守护进程继续运行", "a daemon that keeps running")
	r.Got = tx("它结束了："+s.program.lastWords(), "it has ended: "+s.program.lastWords())
	s.program.end(0)
	if err := s.start(); err != nil {
		r.Got.En += "; " + err.Error()
	}
	return r
}

// shutdownProbe comes last: it ends the daemon.
var shutdownProbe = Probe{Rule: "SE11", Name: "shutdown", What: tx("SIGTERM：先说 shutting_down",
	"SIGTERM: it says shutting_down at once"), run: shutdown}

func shutdown(t *trial) {
	busy, idle := t.login(nil), t.login(nil)
	channel, _ := busy.start("echo up; " + waits)
	idle.sync(nil)
	t.stage.program.p.Signal("TERM")
	want := same("NOTICE shutting_down, grace_ms")
	f := busy.until(want, func(f protocol.Frame) bool { return f.Type == protocol.TypeNotice })
	var n protocol.Notice
	f.Decode(&n)
	if n.Notice != protocol.NoticeShuttingDown || n.Grace < 0 ||
		!strings.Contains(string(f.Payload), "grace_ms") {
		t.fail(want, same(shown(f)))
	}
	idle.goodbye()
	busy.send(frame(protocol.TypeSignal, channel, `{"signal":"KILL"}`))
	if e := busy.finish(channel); e.exit == nil || e.exit.Signal != "KILL" {
		t.fail(same("EXIT signalled KILL"), same(exitOr(e)))
	}
	busy.goodbye()
}

// goodbye takes GOODBYE with shutting_down.
func (k *talk) goodbye() {
	want := same("GOODBYE shutting_down")
	for end := time.Now().Add(k.t.o.Patience); ; {
		f, err := k.next(time.Until(end))
		switch {
		case err != nil:
			k.t.fail(want, ended(err))
		case f.Type == protocol.TypeGoodbye &&
			strings.Contains(string(f.Payload), `"shutting_down"`):
			return
		case f.Type == protocol.TypeGoodbye || f.Type == protocol.TypeError:
			k.t.fail(want, same(fmt.Sprint(shown(f))))
		}
	}
}
