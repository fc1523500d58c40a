package fanout

import (
	"fmt"
	"strings"
	"time"

	"minissh/client/nodeset"
	"minissh/client/terminal"
	"minissh/protocol"
)

// doing are the states in words, for those that have not ended.
var doing = map[state]string{stateWaiting: "waiting for their turn", stateConnecting: "connecting",
	stateAsking: "waiting for your answer", stateRunning: "running"}

// snapshot are the hosts that have not ended, by what they do. Nobody waits for it.
func (f *fleet) snapshot() (by map[string][]*host, slowest *host) {
	f.mu.Lock()
	by = map[string][]*host{}
	var running []*host
	for _, h := range f.hosts {
		switch {
		case h.state == stateEnded:
			continue
		case h.state == stateRunning:
			running = append(running, h)
		default:
			by[doing[h.state]] = append(by[doing[h.state]], h)
		}
		if h.state != stateWaiting && (slowest == nil || h.began.Before(slowest.began)) {
			slowest = h
		}
	}
	f.mu.Unlock()
	for _, h := range running {
		what := doing[stateRunning]
		conn := h.conn.Load()
		switch {
		case h.held.Load():
			what = "ended, but what it left running holds its output"
		case conn != nil && conn.Lost() != nil:
			what = "running without a link"
		}
		by[what] = append(by[what], h)
	}
	return by, slowest
}

// line tells how far all is: "12 of 100 done, 3 failed, 85 running, longest: web07, 4 s".
func (f *fleet) line() string {
	by, slowest := f.snapshot()
	left := 0
	for _, hosts := range by {
		left += len(hosts)
	}
	parts := []string{fmt.Sprintf("%d of %d done", len(f.hosts)-left, len(f.hosts))}
	if n := f.failures(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	for _, what := range []string{"running", "running without a link", "connecting"} {
		if n := len(by[what]); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	if slowest != nil {
		parts = append(parts, fmt.Sprintf("longest: %s, %s", terminal.Printable(slowest.name),
			protocol.InWords(time.Since(slowest.began))))
	}
	return strings.Join(parts, ", ")
}

// tellRunning tells what runs where, and since when.
func (f *fleet) tellRunning() {
	by, _ := f.snapshot()
	for _, what := range []string{"running", "running without a link",
		"ended, but what it left running holds its output", "connecting",
		"waiting for your answer", "waiting for their turn"} {
		if len(by[what]) == 0 {
			continue
		}
		since, names := time.Now(), []string(nil)
		for _, h := range by[what] {
			names = append(names, h.name)
			if h.began.Before(since) {
				since = h.began
			}
		}
		took := ""
		if what == "running" {
			took = " for " + protocol.InWords(time.Since(since))
		}
		f.screen.say("%d %s%s: %s", len(names), what, took, folded(names))
	}
}

// folded are names in few words, safe for a terminal.
func folded(names []string) string { return terminal.Printable(nodeset.Of(names...).Fold()) }
