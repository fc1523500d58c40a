//go:build unix

package keeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
	"minissh/daemon/process/stage"
	"minissh/protocol"
)

func init() { process.Helper(Verb, beKeeper) }

// keeper is a job while it runs.
type keeper struct {
	*folder
	order Order
	p     *process.Process
	lock  *os.File // held to the end
	out   *output
	err   *output
	noPTY error // why it has no terminal, though one was wanted
	blind bool  // nobody knows what its terminal showed when it was adopted
	// of a command that was adopted: its daemon. It is open as long as this process lives.
	parent *net.UnixConn

	over    chan struct{} // closed when the command has ended, and status says how
	lost    chan struct{} // closed when it could not be stopped, so that nobody knows when it ends
	drained chan struct{} // closed when all output has come
	typing  chan []byte   // what is typed on the terminal, by clients or by the terminal itself
	hurried context.Context
	hurry   func() // ends the time that a stop waits

	mu     sync.Mutex // guards the rest
	status status
	ended  bool               // too late to stop it
	why    string             // the job was stopped; one of protocol's How
	left   []protocol.Process // what could not be stopped
	visits map[*visit]bool    // who is attached
	window protocol.Size      // of the terminal, as somebody wanted it last
	stops  sync.WaitGroup     // a stop under way
	served sync.WaitGroup     // connections
}

// beKeeper is the keeper's whole life. The exit code tells nobody anything.
func beKeeper([]string) int {
	debug.SetGCPercent(50) // it is small, and there may be hundreds
	process.ResetSignals()
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	hup := make(chan os.Signal, 1) // nobody is told: it has no terminal
	signal.Notify(hup, syscall.SIGHUP)
	var order Order
	if err := process.ReadMessage(os.Stdin, process.MaxOrder, &order); err != nil {
		fmt.Fprintf(os.Stderr, "the order: %v\n", err)
		return 2
	}
	k, listener, err := begin(order)
	if err == nil && order.Adopt {
		if err = k.adopt(); err != nil {
			os.RemoveAll(k.dir)
		}
	}
	if err != nil {
		process.WriteMessage(os.Stdout, refused(err))
		return 1
	}
	answer := Answer{Job: &k.status.JobRecord}
	if k.noPTY != nil {
		answer.NoPTY = k.noPTY.Error()
	}
	process.WriteMessage(os.Stdout, answer)
	leaveDaemon()
	go k.accept(listener)
	go func() {
		for range stop { // the second one does not wait
			go k.stop(protocol.HowCancelled)
		}
	}()
	k.end()
	listener.Close()
	os.Remove(filepath.Join(k.dir, socketFile))
	k.served.Wait()
	k.lock.Close()
	return 0
}

// leaveDaemon gives up the pipes to the daemon, which may end now.
func leaveDaemon() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	for fd := range 3 {
		unix.Dup2(int(null.Fd()), fd)
	}
}

// begin makes the job's directory and its socket, and starts its command, unless that is adopted.
func begin(order Order) (k *keeper, l *net.UnixListener, err error) {
	s := storeOf(string(order.Home))
	turn, err := s.turn()
	if err != nil {
		return nil, nil, err
	}
	defer turn.Close()
	if err := s.admit(order.Name, time.Now()); err != nil {
		return nil, nil, err
	}
	f, err := s.create()
	if err != nil {
		return nil, nil, err
	}
	k = &keeper{folder: f, order: order, over: make(chan struct{}), lost: make(chan struct{}),
		drained: make(chan struct{}), typing: make(chan []byte), visits: map[*visit]bool{}}
	k.hurried, k.hurry = context.WithCancel(context.Background())
	if l, err = k.listen(); err == nil {
		err = k.makeSpool()
	}
	if err == nil && !order.Adopt {
		err = k.start()
	}
	if err != nil {
		os.RemoveAll(f.dir)
		return nil, nil, err
	}
	return k, l, nil
}

// makeSpool takes the job, and makes the files of its output.
func (k *keeper) makeSpool() (err error) {
	if k.lock, err = k.folder.lock(); err != nil {
		return err
	}
	b := &budget{wait: k.order.Wait, left: k.order.Spool}
	for _, stream := range []struct {
		to   **output
		name string
	}{{&k.out, stdoutFile}, {&k.err, stderrFile}} {
		file, err := os.OpenFile(filepath.Join(k.dir, stream.name),
			os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		*stream.to = newOutput(file, b)
		(*stream.to).told = func() { k.note(false) }
	}
	return nil
}

// start starts the command.
func (k *keeper) start() (err error) {
	spec := k.order.spec()
	own := stage.Arrival{Home: string(k.order.Home), EnvFile: k.order.EnvFile}
	for _, pair := range k.order.EnvAfter {
		own.EnvAfter = append(own.EnvAfter, string(pair))
	}
	spec.Env, _ = own.Environment(spec.Env)
	spec.Cgroup = process.CommandCgroup()
	k.p, err = process.Start(spec)
	if err != nil && spec.Cgroup != "" && !errors.Is(err, process.ErrNoPTY) {
		spec.Cgroup = "" // the system may refuse that alone (RULES C5)
		k.p, err = process.Start(spec)
	}
	if errors.Is(err, process.ErrNoPTY) {
		k.noPTY, spec.PTY = err, nil
		k.p, err = process.Start(spec)
	}
	if err != nil {
		return err
	}
	if spec.PTY == nil {
		k.p.Stdin.Close() // JO4
	} else {
		k.out.screen = newScreen(spec.PTY.Size, replies{k})
	}
	if err := k.keep(time.Now().UnixMilli()); err != nil {
		k.p.End()
		return err
	}
	return nil
}

// keep begins to keep a command that runs since began (JO3).
func (k *keeper) keep(began int64) error {
	words := k.order.Command
	k.status = status{Boot: bootID(), Keeper: os.Getpid(), JobRecord: protocol.JobRecord{
		ID: k.id(), Name: k.order.Name, State: protocol.JobRunning,
		Command: words[:min(len(words), protocol.MaxJobCommand)], PID: k.p.PID,
		PTY: k.p.TTY != "", Began: began}}
	if err := k.write(k.status, false); err != nil {
		return err
	}
	if k.p.TTY != "" {
		go k.keyboard()
	}
	var reading sync.WaitGroup
	reading.Go(func() { k.out.keep(k.p.Stdout) })
	reading.Go(func() { k.err.keep(k.p.Stderr) })
	go func() { reading.Wait(); close(k.drained) }()
	return nil
}

// end sees the job to its end: the command's, that of its output, and of what is written about it.
func (k *keeper) end() {
	var deadline <-chan time.Time
	if after := k.order.timeout(); after > 0 {
		t := time.NewTimer(after)
		defer t.Stop()
		deadline = t.C
	}
	select {
	case <-k.p.Done():
	case <-k.lost:
	case <-deadline:
		k.stop(protocol.HowDeadline)
		select {
		case <-k.p.Done():
		case <-k.lost:
		}
	}
	k.mu.Lock()
	k.ended = true
	k.mu.Unlock()
	k.p.Drain()
	k.stops.Wait() // what is told to be dead is dead
	k.mu.Lock()
	k.status.State, k.status.Ended = protocol.JobEnded, time.Now().UnixMilli()
	k.status.Exit = k.outcome()
	k.write(k.status, false)
	stopped := k.why != ""
	k.mu.Unlock()
	close(k.over)
	if stopped { // what escaped may hold the output
		k.letGo()
	}
	<-k.drained
	k.note(true)
	k.p.Close()
}

// outcome is how the command has ended (EX6). The caller holds mu.
func (k *keeper) outcome() *protocol.Exit {
	exit := &protocol.Exit{}
	select {
	case <-k.p.Done():
		exit = k.p.Result().Exit()
	default: // lost
	}
	if k.why != "" {
		exit.How = k.why
	}
	exit.Left = k.left
	return exit.Fit()
}

// note writes the status as it is now.
func (k *keeper) note(sync bool) {
	k.out.mu.Lock()
	dropped := k.out.dropped
	k.out.mu.Unlock()
	k.err.mu.Lock()
	dropped += k.err.dropped
	k.err.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status.Attached, k.status.Dropped = len(k.visits), dropped
	k.status.Stdout, k.status.Stderr = k.size(stdoutFile), k.size(stderrFile)
	k.write(k.status, sync) // on a full disk the last one holds
}

// record is the job as it is now.
func (k *keeper) record() protocol.JobRecord {
	k.note(false)
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status.JobRecord
}

// stop ends the command and its kernel session (EX7). The first why counts; a second stop does not
// wait for the grace.
func (k *keeper) stop(why string) {
	k.mu.Lock()
	if k.ended {
		k.mu.Unlock()
		return
	}
	if k.why != "" {
		k.mu.Unlock()
		k.hurry()
		return
	}
	k.why = why
	k.stops.Add(1)
	k.mu.Unlock()
	defer k.stops.Done()
	k.out.hurry()
	k.err.hurry()
	left, _ := k.p.Stop(k.hurried, k.order.grace())
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, survivor := range left {
		k.left = append(k.left, protocol.Process{PID: survivor.PID, Name: survivor.Comm})
		if survivor.PID == k.p.PID {
			close(k.lost)
		}
	}
}

// letGo gives up the output of a job that has ended, which something that it left running holds.
func (k *keeper) letGo() {
	t := time.NewTimer(k.order.grace())
	defer t.Stop()
	select {
	case <-k.drained:
	case <-t.C:
		k.p.Stdout.Close()
		k.p.Stderr.Close()
	}
}

// keyboard types on the job's terminal. It waits for as long as the program reads nothing, and ends
// with this process.
func (k *keeper) keyboard() {
	for p := range k.typing {
		k.p.Stdin.Write(p) // fails when the job has ended
	}
}

// replies types a terminal's answers on the job's terminal while nobody is attached whose own
// terminal answers. It never waits: what comes while the keyboard is busy is dropped.
type replies struct{ k *keeper }

func (r replies) Write(p []byte) (int, error) {
	if !r.k.typed() {
		select {
		case r.k.typing <- slices.Clone(p):
		default:
		}
	}
	return len(p), nil
}

func (replies) Close() error { return nil }

// typed says whether somebody is attached who types.
func (k *keeper) typed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for v := range k.visits {
		if !v.watches {
			return true
		}
	}
	return false
}

// listen makes the socket where the keeper answers.
func (k *keeper) listen() (*net.UnixListener, error) {
	old := unix.Umask(0o177)
	defer unix.Umask(old)
	return reach(k.dir, func(dir string) (*net.UnixListener, error) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketFile)})
		if err == nil {
			l.SetUnlinkOnClose(false) // by that name it could be another one then
		}
		return l, err
	})
}
