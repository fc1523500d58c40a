package main

import (
	"cmp"
	"context"
	"net"
	"slices"
	"sync"

	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/tracer"
)

// links are the relay's connections by their addresses.
type links struct {
	mu      sync.Mutex
	clients map[string]int // owned by mu: by the client's address
	ours    map[string]int // owned by mu: by ours at the server
}

func newLinks() *links { return &links{clients: map[string]int{}, ours: map[string]int{}} }

// add is the relay's Linked.
func (l *links) add(n int, client, ours net.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients[client.String()], l.ours[ours.String()] = n, n
}

// of is the connection of a call, 0 if it is another's.
func (l *links) of(who string, c tracer.Call) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if who == "server" {
		return l.ours[c.Remote]
	}
	return l.clients[c.Local]
}

// tracing is --strace.
type tracing struct {
	links   *links
	tracers map[string]*tracer.Tracer // by program: server, client
}

// startTracing is ready to trace the programs of r; where that is not possible, it says why, and
// sends are guessed as without it.
func (r *recording) startTracing(ctx context.Context, p *speak.Printer, of *links) *tracing {
	t := &tracing{links: of, tracers: map[string]*tracer.Tracer{}}
	for who, argv := range map[string][]string{"server": r.server, "client": r.client} {
		if argv == nil {
			continue
		}
		one, err := tracer.New(ctx)
		if err != nil {
			text := speak.Clean(err.Error())
			p.Say("看不见 send 和 recv："+text+"。send 照旧用猜的",
				"sends and recvs are not seen: "+text+". Sends are guessed, as without --strace")
			break
		}
		t.tracers[who] = one
	}
	return t
}

// around is the command line that runs argv, which is traced if it can be.
func (t *tracing) around(who string, argv []string) []string {
	if t == nil || t.tracers[who] == nil {
		return argv
	}
	return t.tracers[who].Around(argv)
}

// end takes what was seen onto the tape, and closes that. The programs have ended.
func (t *tracing) end(to *tape.Tape) {
	if t == nil {
		to.Close()
		return
	}
	began := to.Began().UnixMicro()
	var all []tape.Event
	for who, one := range t.tracers {
		for _, c := range one.Calls() {
			n, way := t.links.of(who, c), tape.Up // what a client sends
			if who == "server" {
				way = tape.Down
			}
			e := tape.Event{Conn: n, At: max(0, c.At-began), Kind: tape.Send, Way: way,
				Size: c.Size}
			if c.Recv {
				e.Kind, e.Ask = tape.Recv, c.Ask
				e.Way = map[tape.Way]tape.Way{tape.Up: tape.Down, tape.Down: tape.Up}[way]
			}
			if n > 0 {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b tape.Event) int { return cmp.Compare(a.At, b.At) })
	to.AddCalls(all)
}
