package pam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"minissh/daemon/process"
	"minissh/daemon/turns"
)

// verb starts this program as a PAM process.
const verb = "pam"

// OpenTime is how long PAM may take to answer about a login.
const OpenTime = 30 * time.Second

// turnsMost is how many logins of one account PAM is asked about at once. Its modules may hang for
// that account alone, and each of those processes is root's.
const turnsMost = 8

// ErrBusy means that too many logins of an account wait for PAM.
var ErrBusy = errors.New("too many logins of this user wait for PAM already")

// Service opens sessions.
type Service struct {
	root  process.Account
	log   *slog.Logger
	life  context.Context // ends with Close, and then every question
	end   context.CancelFunc
	turns *turns.Turns[string] // by account

	mu      sync.Mutex // guards the rest
	closed  bool
	filling bool
	waiting *worker // started early, for the next login; nil: there is none
}

// New makes the service of a daemon whose account is root. At most waiting logins of one account
// wait for PAM; the next one is refused (ErrBusy).
func New(root process.Account, waiting int, log *slog.Logger) *Service {
	s := &Service{root: root, log: log,
		turns: turns.New[string](turnsMost, waiting)}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// worker is a PAM process that has not been asked yet.
type worker struct {
	p      *process.Process
	socket *net.UnixConn
	heard  chan struct{} // closed when what it said is in the log
}

func (s *Service) start() (*worker, error) {
	p, socket, err := process.StartSocket(s.root, verb)
	if err != nil {
		return nil, err
	}
	w := &worker{p, socket, make(chan struct{})}
	go s.listen(w)
	return w, nil
}

// listen logs what a PAM process or a module writes to standard error, if any does.
func (s *Service) listen(w *worker) {
	text, _ := io.ReadAll(io.LimitReader(w.p.Stderr, 1024))
	if len(text) > 0 {
		s.log.Warn("The PAM process said", "pid", w.p.PID, "text", string(text))
	}
	close(w.heard)
	io.Copy(io.Discard, w.p.Stderr)
}

// part leaves a worker to its last task, which is to close its session, and waits for nothing.
func (w *worker) part() {
	w.socket.Close()
	go func() {
		<-w.p.Done()
		late := time.NewTimer(time.Second) // what modules have left behind may hold the pipe open
		defer late.Stop()
		select {
		case <-w.heard:
		case <-late.C:
		}
		w.p.Close()
	}()
}

// dismiss ends a worker that has nothing open.
func (w *worker) dismiss() {
	w.socket.Close()
	w.p.Retire()
}

// kill ends a worker that does not answer: TERM lets it end what its modules have started, too.
// Nobody waits for one that cannot be killed.
func (w *worker) kill() {
	w.socket.Close()
	go func() {
		w.p.Signal("TERM")
		late := time.NewTimer(termTime)
		defer late.Stop()
		select {
		case <-w.p.Done():
		case <-late.C:
		}
		w.p.End()
	}()
}

// termTime is how long a worker may take to end after TERM.
const termTime = 10 * time.Second

// Warm starts a PAM process early, so that the next login need not wait for that.
func (s *Service) Warm() {
	s.mu.Lock()
	wanted := s.waiting == nil && !s.filling && !s.closed
	s.filling = s.filling || wanted
	s.mu.Unlock()
	if !wanted {
		return
	}
	w, err := s.start()
	s.mu.Lock()
	s.filling = false
	kept := err == nil && !s.closed
	if kept {
		s.waiting = w
	}
	s.mu.Unlock()
	if err == nil && !kept {
		w.dismiss()
	}
}

// Close ends the PAM process that was started early, and the logins that wait for PAM. Sessions go
// on.
func (s *Service) Close() error {
	s.end()
	s.mu.Lock()
	w := s.waiting
	s.waiting, s.closed = nil, true
	s.mu.Unlock()
	if w != nil {
		w.dismiss()
	}
	return nil
}

// take is a PAM process to be asked.
func (s *Service) take() (*worker, error) {
	s.mu.Lock()
	w := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if w != nil {
		select {
		case <-w.p.Done(): // somebody has ended it while it waited
			w.dismiss()
		default:
			return w, nil
		}
	}
	return s.start()
}

// Check asks whether an account may still log in. The error is a *Refused if PAM says no.
func (s *Service) Check(ctx context.Context, login Login) error {
	login.Again = true
	w, _, err := s.ask(ctx, login)
	if err == nil {
		w.dismiss()
	}
	return err
}

// Open asks whether an account may log in, and opens its session. The error is a *Refused if PAM
// says no.
func (s *Service) Open(ctx context.Context, login Login) (*Session, error) {
	w, a, err := s.ask(ctx, login)
	if err != nil {
		return nil, err
	}
	go s.Warm()
	w.p.Stdin.Close()
	w.p.Stdout.Close()
	session := &Session{worker: w, answer: a}
	for _, pair := range a.Environment {
		session.environment = append(session.environment, string(pair))
	}
	return session, nil
}

// ask gives a login to a PAM process. If the error is not nil, that is gone.
func (s *Service) ask(ctx context.Context, login Login) (*worker, *answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, OpenTime, errLate)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	ctx, done := untilGone(ctx, login.Client)
	defer done()
	over, err := s.turns.Take(ctx, login.User)
	if errors.Is(err, turns.ErrTooMany) {
		err = ErrBusy
	}
	if err != nil {
		return nil, nil, err
	}
	w, err := s.take()
	if err != nil {
		over()
		return nil, nil, fmt.Errorf("no PAM process can be started: %w", err)
	}
	answered := false
	defer func() {
		if answered {
			over()
		} else { // one that cannot be killed counts until it is dead
			go func() { <-w.p.Done(); over() }()
		}
	}()
	stop := context.AfterFunc(ctx, w.kill)
	a := new(answer)
	if err = process.WriteMessage(w.p.Stdin, login); err == nil {
		err = process.ReadMessage(w.p.Stdout, process.MaxOrder, a)
	}
	if !stop() {
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		w.kill()
		return nil, nil, errors.New("the PAM process ended without an answer")
	}
	if answered = true; a.Failed == "" {
		return w, a, nil
	}
	w.dismiss()
	if a.Broken {
		return nil, nil, fmt.Errorf("PAM does not work: %s: %s", a.Failed, a.Why)
	}
	return nil, nil, &Refused{a.Failed, a.Why, a.Messages, a.Passes}
}

var errLate = fmt.Errorf("PAM has not answered within %v", OpenTime)
