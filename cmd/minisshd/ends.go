package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"minissh/daemon"
	"minissh/daemon/announce"
	"minissh/daemon/supervise"
)

// forcedAfter is how long after the second signal the daemon may still run, whatever hangs.
const forcedAfter = 1500 * time.Millisecond

// onSignals passes on the first signal; at the second, hurry ends. A little later the program does,
// whatever else hangs: a log, a goroutine, a lock.
func onSignals(signals <-chan os.Signal) (first <-chan os.Signal, hurry context.Context) {
	handed := make(chan os.Signal, 1)
	hurry, cancel := context.WithCancel(context.Background())
	go func() {
		handed <- <-signals
		if _, again := <-signals; again {
			time.AfterFunc(forcedAfter, func() { os.Exit(1) })
			cancel()
		}
	}()
	return handed, hurry
}

// ends are the ways in which a daemon ends: signals, what its supervisor says, and for an old
// generation the end of its last session.
type ends struct {
	first      <-chan os.Signal
	hurry      context.Context // ends when nothing is waited for any more
	generation *supervise.Generation
	announcer  *announce.Announcer // nil: the daemon is not announced
}

// announced has a daemon announced on the LAN.
func announced(server *daemon.Server, log *slog.Logger) *announce.Announcer {
	name, err := os.Hostname()
	if err != nil {
		log.Warn("This machine's name is not known", "error", err.Error())
	}
	return announce.Start(announce.Config{Hostname: name, Now: server.Announced, Log: log})
}

// onEnds watches them. A signal and a supervisor's word may be one and the same: whoever signals
// all processes of the program has signalled once. So signals are counted apart.
func onEnds(signals <-chan os.Signal, generation *supervise.Generation) *ends {
	first, hurry := onSignals(signals)
	either, cancel := context.WithCancel(hurry)
	go func() {
		select {
		case <-hurry.Done():
		case <-generation.Hurry():
			time.AfterFunc(forcedAfter, func() { os.Exit(1) })
		}
		cancel()
	}()
	return &ends{first: first, hurry: either, generation: generation}
}

// await returns when the daemon is to end.
func (e *ends) await(server *daemon.Server, boss *manager, log *slog.Logger) {
	select {
	case sig := <-e.first:
		log.Info("Stopping", "signal", sig.String())
		if e.generation == nil { // else the service goes on with another one
			boss.stopping()
		}
		e.announcer.Close(true)
	case <-e.generation.Stop():
		log.Info("Stopping")
		e.announcer.Close(true)
	case <-e.generation.Leave():
		e.announcer.Close(!e.generation.Replaced())
		server.Leave()
		e.generation.Left()
		log.Info("Another daemon serves from now on; this one stays for its sessions")
		e.awaitLast(server, log)
	}
}

// awaitLast is await for an old generation.
func (e *ends) awaitLast(server *daemon.Server, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	idle := make(chan struct{})
	go func() {
		if server.AwaitIdle(ctx) == nil {
			close(idle)
		}
	}()
	select {
	case sig := <-e.first:
		log.Info("Stopping", "signal", sig.String())
	case <-e.generation.Stop():
		log.Info("Stopping")
	case <-idle:
	}
}
