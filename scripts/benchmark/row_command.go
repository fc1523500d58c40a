//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// runCold times `true` from the client's start to its exit, a connection each.
func runCold(ctx context.Context, l *lab) result {
	r := result{Unit: "ms"}
	cs := l.contenders(func(ctx context.Context, p *peer) (float64, error) {
		s, err := l.timeCommand(ctx, p.argv(p.address, "true"))
		return s * 1e3, err
	})
	cs = append(cs, l.withoutResuming(func(ctx context.Context, p *peer) (float64, error) {
		s, err := l.timeCommand(ctx, p.argv(p.address, "true", notResuming...))
		return s * 1e3, err
	})...)
	cs = append(cs, contender{name: "floor: two process starts",
		run: func(ctx context.Context) (float64, error) {
			total := 0.0
			for range 2 {
				s, err := l.timeCommand(ctx, []string{"true"})
				if total += s * 1e3; err != nil {
					return 0, err
				}
			}
			return total, nil
		}})
	r.Series = interleave(ctx, l.rounds("cold"), true, cs)
	r.against("openssh", 1.0/20, true)
	r.against("dropbear", 1.0/2.5, true)
	r.againstItself()
	return r
}

// runFar times `true` through the relay and, in the same rounds, without it: what the relay adds,
// in round trips, is the protocol's count. TCP's own trip is not in it (see scripts/wire).
func runFar(ctx context.Context, l *lab) result {
	trip := 2 * l.o.delay
	r := result{Unit: "ms", Notes: []string{fmt.Sprintf("relay in user space, %v round trip; "+
		"TCP's own is not in the times; trips = (median here − median without relay) / %v", trip,
		trip)}}
	l.trips(ctx, &r, l.rounds("far"), 2, l.peers, func(p *peer, address string) []string {
		return p.argv(address, "true")
	})
	return r
}

// trips measures commands that go to an address of a peer: through the relay and, in the same
// rounds, without it. Of ours there are to be at most so many round trips after TCP's.
func (l *lab) trips(ctx context.Context, r *result, rounds int, most float64, peers []*peer,
	argv func(p *peer, address string) []string) {
	trip := 2 * l.o.delay
	var cs, near []contender
	for _, p := range peers {
		cs = append(cs, contender{p.id, p.ours(), func(ctx context.Context) (float64, error) {
			address, err := l.far(p)
			if err != nil {
				return 0, err
			}
			s, err := l.timeCommand(ctx, argv(p, address))
			return s * 1e3, err
		}})
		near = append(near, contender{p.id, p.ours(), func(ctx context.Context) (float64, error) {
			s, err := l.timeCommand(ctx, argv(p, p.address))
			return s * 1e3, err
		}})
	}
	all := interleave(ctx, rounds, true, append(cs, near...))
	r.Series = all[:len(cs)]
	for i, s := range r.Series {
		if !s.measured() || !all[len(cs)+i].measured() {
			continue
		}
		trips := (s.Median - all[len(cs)+i].Median) / (trip.Seconds() * 1e3)
		s.Note = fmt.Sprintf("%.0f trips (%.2f)", trips, trips)
		if s.ours {
			r.Checks = append(r.Checks, absolute("round trips after TCP's", math.Round(trips), most,
				"%.0f"))
		}
	}
	if ours := r.ours(); ours != nil && len(r.Checks) == 0 {
		r.Checks = append(r.Checks, check{What: "round trips after TCP's",
			Wanted: fmt.Sprintf("≤ %.0f", most), Missing: "not measured"})
	}
}

// runWarm times `true` over OpenSSH's shared connection against minissh on a new one.
func runWarm(ctx context.Context, l *lab) result {
	r := result{Unit: "ms"}
	var cs []contender
	if p := l.find("openssh"); p != nil {
		shared, end := l.overMaster(ctx, p)
		defer end()
		cs = append(cs, shared)
	}
	if p := l.find("minissh"); p != nil {
		cs = append(cs,
			contender{"minissh (cold)", true, func(ctx context.Context) (float64, error) {
				s, err := l.timeCommand(ctx, p.argv(p.address, "true"))
				return s * 1e3, err
			}})
	}
	r.Series = interleave(ctx, l.rounds("warm"), true, cs)
	r.against("openssh (ControlMaster)", 1, true)
	return r
}

// overMaster times `true` over OpenSSH's shared connection, until end is called.
func (l *lab) overMaster(ctx context.Context, p *peer) (c contender, end func()) {
	control := l.path("control")
	argv := p.argv(p.address, "true", "-S", control)
	end, err := l.controlMaster(ctx, p, control)
	return contender{"openssh (ControlMaster)", false, func(ctx context.Context) (float64, error) {
		if err != nil {
			return 0, err
		}
		s, err := l.timeCommand(ctx, argv)
		return s * 1e3, err
	}}, end
}

// controlMaster starts a master connection at the socket path and waits until it answers; end ends
// it.
func (l *lab) controlMaster(ctx context.Context, p *peer, path string) (end func(), err error) {
	// Without a remote command in it: -N. The word is cut off again.
	argv := p.argv(p.address, "", "-M", "-N", "-S", path)
	master := l.client(ctx, argv[:len(argv)-1])
	if err := master.Start(); err != nil {
		return func() {}, err
	}
	end = func() { endProcess(master) }
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for { // the master says nothing when its socket is there: ask until it answers
		out, err := l.client(ctx, p.argv(p.address, "", "-S", path, "-O", "check")).CombinedOutput()
		if err == nil {
			return end, nil
		}
		select {
		case <-ctx.Done():
			return end, fmt.Errorf("no control master: %.200q", out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// runMany times 200 commands on 200 connections, 16 at a time.
func runMany(ctx context.Context, l *lab) result {
	r := result{Unit: "s", Notes: []string{"dropbear takes five logins at once from one address, " +
		"fixed when it is built: not measured"}}
	cs := slices.DeleteFunc(l.contenders(func(ctx context.Context, p *peer) (float64, error) {
		return l.inParallel(ctx, 200, 16, p.argv(p.address, "true"))
	}), func(c contender) bool { return c.name == "dropbear" })
	r.Series = interleave(ctx, l.rounds("many"), false, cs)
	r.against("openssh", 1.0/10, true)
	return r
}

// inParallel runs argv count times, width at once, and returns the seconds it all took; the first
// error ends it.
func (l *lab) inParallel(ctx context.Context, count, width int, argv []string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	jobs, failed := make(chan struct{}, count), make(chan error, count)
	for range count {
		jobs <- struct{}{}
	}
	close(jobs)
	start := time.Now()
	var workers sync.WaitGroup
	for range width {
		workers.Go(func() {
			for range jobs {
				if ctx.Err() != nil {
					return
				}
				if _, err := l.timeCommand(ctx, argv); err != nil {
					failed <- err
					cancel()
					return
				}
			}
		})
	}
	workers.Wait()
	seconds := time.Since(start).Seconds()
	select {
	case err := <-failed:
		return 0, err
	default:
		return seconds, ctx.Err()
	}
}
