//go:build unix

package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// A daemon that is being stopped says so at once (SE11): to what runs by a notice with the time
// that is left, to a session in which nothing runs by its end. Once, ten silent seconds went by
// before.
func TestShutdownIsToldAtOnce(t *testing.T) {
	l := newLab(t, func(o *Options) { o.ShutdownGrace = 90 * time.Second })
	busy, idle := l.session(nil), l.session(nil)
	first := start(t, busy, protocol.Open{Command: protocol.Bytes("echo ready; cat; exit 6")})
	firstLine(t, first)
	files, err := busy.Open(&protocol.Open{
		Service: "files", Files: &protocol.Files{Mode: protocol.FilesPut}})
	if err != nil {
		t.Fatal(err)
	}
	if e := <-first.Requests(); e.Type != protocol.TypeOpened {
		t.Fatalf("%+v", e)
	}
	if e := <-files.Requests(); e.Type != protocol.TypeOpened {
		t.Fatalf("%+v", e)
	}
	shut := make(chan struct{})
	go func() { defer close(shut); l.Shutdown(context.Background()) }()
	within(t, "the idle session ends", idle.Done())
	if code, _ := refusedWith(idle.Err()); code != "shutting_down" {
		t.Errorf("the idle session: %v", idle.Err())
	}
	for _, ch := range []*mux.Channel{first, files} {
		select {
		case e := <-ch.Requests():
			if notice, ok := e.Message.(*protocol.Notice); !ok ||
				notice.Notice != "shutting_down" || notice.Grace != 90000 {
				t.Errorf("%+v", e.Message)
			}
		case <-time.After(patience):
			t.Fatal("nothing is told")
		}
	}
	select {
	case <-busy.Done():
		t.Error("the busy session has ended: ", busy.Err())
	default:
	}
	first.EOF(protocol.TypeStdin)
	files.EOF(protocol.TypeStdin)
	if r := collect(t, first); r.exit == nil || *r.exit.Code != 6 {
		t.Errorf("%+v", r.exit)
	}
	finish(files)
	within(t, "Shutdown returns", shut)
	within(t, "the busy session ends", busy.Done())
}

// When its context ends, Shutdown kills what ignores HUP, however long that may usually take.
func TestShutdownInAHurry(t *testing.T) {
	l := newLab(t, func(o *Options) { o.ShutdownGrace, o.StopGrace = time.Hour, time.Hour })
	s := l.session(nil)
	ch := start(t, s,
		protocol.Open{
			Command: protocol.Bytes("trap '' HUP TERM; sleep 1000 & echo $$ $!; wait; wait")})
	pids := running(t, ch, firstLine(t, ch))
	unwanted := start(t, s,
		protocol.Open{
			Command: protocol.Bytes("trap '' HUP TERM; sleep 1000 & echo $$ $!; wait; wait")})
	pids = append(pids, running(t, unwanted, firstLine(t, unwanted))...)
	// it is being stopped already, or will be with the others
	unwanted.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	ctx, cancel := context.WithCancel(context.Background())
	shut := make(chan struct{})
	go func() { defer close(shut); l.Shutdown(ctx) }()
	if e := <-ch.Requests(); e.Type == protocol.TypeOpened {
		<-ch.Requests()
	}
	cancel()
	within(t, "Shutdown returns", shut)
	for _, pid := range pids {
		if testend.Alive(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
	for _, pid := range []int{pids[0], pids[2]} {
		line := l.log.want(t, "Command ended", fmt.Sprintf("pid=%d ", pid))
		if !strings.Contains(line, "signal=KILL") || strings.Contains(line, "left=") {
			t.Error(line)
		}
	}
	finish(ch)
	finish(unwanted)
}

// closedAccess knows nothing of a user until it is closed.
type closedAccess struct {
	slowAccess
	close func()
}

func (a *closedAccess) Close() error { a.close(); return nil }

// A daemon that is being stopped does not wait for files that hang: logins that wait for them end,
// and have not failed.
func TestShutdownEndsWaitingLogins(t *testing.T) {
	knows := &closedAccess{slowAccess: slowAccess{slow: make(chan struct{}),
		entered: make(chan struct{}, 1)}}
	knows.close = sync.OnceFunc(func() { close(knows.slow) })
	l := newLab(t, func(o *Options) {
		knows.listed = o.Access.(*listed)
		o.Access = knows
	})
	p := l.knock(l.guest)
	p.send(hello(func(h *protocol.Hello) { h.User = "slow" }))
	within(t, "it waits", knows.entered)
	stopped := make(chan struct{})
	go func() { defer close(stopped); l.stop() }()
	within(t, "the daemon ends", stopped)
	if text := l.log.String(); strings.Contains(text, "Failed publickey") ||
		!strings.Contains(text, "is being stopped") {
		t.Errorf("the log:\n%s", text)
	}
}
