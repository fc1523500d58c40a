//go:build unix

package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// tell answers with a job's record (JO2).
func tell(ch *mux.Channel, r protocol.JobRecord) {
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: r.PID})
	if text, err := json.Marshal(r); err == nil {
		ch.Write(protocol.TypeStdout, append(text, '\n'))
	}
	ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int)})
}

// visit is a client that is attached to a job.
type visit struct {
	ch      *mux.Channel
	types   chan<- []byte // takes what it types; nil: it does not
	watches bool
	gone    chan struct{} // closed when it is to take no more
	leave   func()        // closes it

	mu   sync.Mutex
	over *protocol.Reason // why it ended before the job; first one counts
}

func newVisit(ch *mux.Channel, types chan<- []byte) *visit {
	v := &visit{ch: ch, types: types, gone: make(chan struct{})}
	v.leave = sync.OnceFunc(func() { close(v.gone) })
	return v
}

// end ends the visit ahead of the job.
func (v *visit) end(code protocol.Code, message string) {
	v.mu.Lock()
	if v.over == nil {
		v.over = &protocol.Reason{Code: code, Message: message}
	}
	v.mu.Unlock()
	v.leave()
	v.ch.Close(v.over) // so that nothing waits for it to take output
}

// attach serves a client that is attached (JO4 to JO6).
func (k *keeper) attach(ch *mux.Channel, job *protocol.Job) *protocol.Reason {
	v := newVisit(ch, nil)
	if k.p.TTY != "" && !job.Watch {
		v.types = k.typing
	}
	v.watches = job.Watch
	k.enter(v, job.Share || job.Watch)
	defer k.depart(v)
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: k.p.PID, TTY: protocol.Bytes(k.p.TTY)})
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { k.requests(v, stop) })
	others.Go(v.input)
	if !v.watches && job.Screen {
		k.resize(protocol.Size{Rows: job.Rows, Cols: job.Cols})
		k.askToDraw()
	}
	out, screen := k.from(v, job)
	err := v.carry(out, k.err.follow(0, job.New, v.gone), screen)
	switch {
	case err != nil:
		v.end(protocol.CodeInternal, "the job's output cannot be read: "+err.Error())
	case v.reason() == nil:
		select {
		case <-k.over:
			ch.End(k.record().Exit)
		case <-v.gone:
		}
	}
	close(stop)
	v.leave()
	others.Wait()
	return v.reason()
}

func (v *visit) reason() *protocol.Reason {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.over
}

// enter lets a client in, and others out (JO6).
func (k *keeper) enter(v *visit, beside bool) {
	k.mu.Lock()
	var out []*visit
	for other := range k.visits {
		if !beside && !other.watches {
			out = append(out, other)
		}
	}
	k.visits[v] = true
	k.mu.Unlock()
	for _, other := range out {
		other.end(protocol.CodeTakenOver, "another client is attached to the job now")
	}
	k.note(false)
}

func (k *keeper) depart(v *visit) {
	k.mu.Lock()
	delete(k.visits, v)
	k.mu.Unlock()
	k.note(false)
}

// resize gives the job's terminal a size. rows 0 leaves it.
func (k *keeper) resize(size protocol.Size) {
	if k.out.screen == nil || size.Rows == 0 || size.Cols == 0 || !size.Valid() {
		return
	}
	k.mu.Lock()
	k.window = size
	k.mu.Unlock()
	k.setSize(size)
}

func (k *keeper) setSize(size protocol.Size) {
	k.out.mu.Lock()
	k.out.screen.resize(size)
	k.out.mu.Unlock()
	k.p.Resize(size)
}

// drawTime is how long a program may take to notice another size.
const drawTime = 300 * time.Millisecond

// askToDraw has a program draw its screen if nobody knows that, by a size that differs until it
// does, or for a while.
func (k *keeper) askToDraw() {
	k.mu.Lock()
	other, blind := k.window, k.blind
	k.blind = false
	k.mu.Unlock()
	if other.Rows--; other.Rows < 1 || !blind {
		return
	}
	k.out.mu.Lock()
	changed := k.out.changed
	k.out.mu.Unlock()
	k.setSize(other)
	t := time.NewTimer(drawTime)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
	k.mu.Lock()
	size := k.window // somebody may have wanted another one meanwhile
	k.mu.Unlock()
	k.setSize(size)
}

// midway is how long the end of a control sequence is waited for, before a screen is drawn whose
// program has sent only its beginning.
const midway = 200 * time.Millisecond

// from is where a client's output begins, and what draws the screen before that.
func (k *keeper) from(v *visit, job *protocol.Job) (out *follower, screen []byte) {
	k.out.mu.Lock()
	defer k.out.mu.Unlock()
	if !job.Screen || k.out.screen == nil || k.out.ended {
		return k.out.followLocked(0, job.New, v.gone), nil
	}
	t := time.NewTimer(midway)
	defer t.Stop()
	for late := false; !late && !k.out.screen.whole(); {
		changed := k.out.changed
		k.out.mu.Unlock()
		select {
		case <-changed:
		case <-t.C:
			late = true
		}
		k.out.mu.Lock()
	}
	return k.out.followLocked(0, true, v.gone), k.out.screen.redo()
}

// carry sends output until its end, or the visit's.
func (v *visit) carry(out, errs *follower, screen []byte) error {
	var both sync.WaitGroup
	var failed [2]error
	put := func(kind protocol.Type) func([]byte) error {
		return func(p []byte) error {
			_, err := v.ch.Write(kind, p)
			if err != nil {
				v.leave()
			}
			return nil // it is gone, and that is not the job's fault
		}
	}
	both.Go(func() {
		if len(screen) > 0 {
			put(protocol.TypeStdout)(screen)
		}
		if failed[0] = out.copy(put(protocol.TypeStdout), v.gap); failed[0] != nil {
			v.leave()
		}
	})
	both.Go(func() {
		if failed[1] = errs.copy(put(protocol.TypeStderr), v.gap); failed[1] != nil {
			v.leave()
		}
	})
	both.Wait()
	if failed[0] != nil {
		return failed[0]
	}
	return failed[1]
}

// gap tells that output is missing here (JO7).
func (v *visit) gap(missing int64) {
	v.ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeOutputDropped,
		Message: fmt.Sprintf("%d bytes of output are missing here: they were not kept", missing)})
}

// input types what the client types, on a terminal.
func (v *visit) input() {
	for {
		e, err := v.ch.Take()
		if v.types != nil {
			v.typeOn(e.Data)
		}
		if err != nil {
			return
		}
	}
}

// typeOn types, as long as the client is there: a program that reads nothing holds up nobody else.
func (v *visit) typeOn(data []byte) {
	if len(data) == 0 {
		return
	}
	select {
	case <-v.gone:
		return
	default:
	}
	select {
	case v.types <- slices.Clone(data): // they are lent
	case <-v.gone:
	}
}

// requests acts on signals and sizes, and on the client's going, which leaves the job alone (JO5).
func (k *keeper) requests(v *visit, stop <-chan struct{}) {
	for {
		select {
		case e := <-v.ch.Requests():
			sig, ok := e.Message.(*protocol.Signal)
			if ok && !v.watches {
				k.signal(v, sig.Signal)
			}
		case size := <-v.ch.Resizes():
			if !v.watches {
				k.resize(size)
			}
		case <-v.ch.Gone():
			v.end(protocol.CodeCancelled, "the client has left")
			return
		case <-stop:
			return
		}
	}
}

func (k *keeper) signal(v *visit, name string) {
	select {
	case <-k.p.Done():
		if process.KnownSignal(name) {
			return
		}
	default:
	}
	if err := k.p.Signal(name); errors.Is(err, process.ErrUnknownSignal) {
		v.ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused,
			Message: err.Error()})
	}
}
