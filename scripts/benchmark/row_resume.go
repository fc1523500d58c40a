//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// outages are how long the network is away, and how often for each round of the row: short ones are
// done in the time of long ones.
var outages = []struct {
	length time.Duration
	times  int
}{{3 * time.Second, 4}, {20 * time.Second, 1}}

const (
	// typing in an outage begins so long after its beginning: a person does not know of it
	keyAfter = 200 * time.Millisecond
	// what was on its way is shown by then
	leakAfter = time.Second
	// what comes later does not come
	returnWait = 90 * time.Second
	// the aim for minissh, in ms
	typingWithin = 1000
)

// symbols are in no message of a client about its link, and in no terminal's control sequence.
const symbols = "#%&@"

// ticks prints a symbol every 200 ms, in a line that is written over again and again: what comes
// after an outage is always another text, also for a client that sends the differences of screens.
var ticks = fmt.Sprintf("stty raw -echo; echo ready; while :; do for c in %s; do printf '\\r'; "+
	"for i in $(seq 70); do printf %%s $c; sleep 0.2; done; done; done",
	"'"+strings.Join(strings.Split(symbols, ""), "' '")+"'")

// scene is a cable, and sessions on it that are cut together and come back together.
type scene struct {
	name   string
	length time.Duration
	rounds int
	cable  *cable
	seats  []*seat
}

// seat is one session: it waits for the echo of a key that is typed while the network is away, or
// for output that goes on all the time.
type seat struct {
	*typist
	*series
	keys bool
	peer string
}

// runResume cuts the cables of all scenes, each in its own rhythm, and times what comes first after
// their return. All peers meet the same outages.
func runResume(ctx context.Context, l *lab) result {
	r := result{Unit: "ms", Notes: []string{
		"outages of 3 s and 20 s, at a round trip of 0 and of " + fmt.Sprint(2*l.o.delay),
		"IP packets are lost, unseen by both systems; outages of 80 to 120 % of the length " +
			"named; the key is typed as the outage begins, and nothing later",
		"mosh without its guess of the echo (MOSH_PREDICTION_DISPLAY=never); OpenSSH has TCP alone",
		"Eternal Terminal is not measured: Debian has no package of it"}}
	var scenes []*scene
	defer func() {
		for _, s := range scenes {
			for _, t := range s.seats {
				t.getUp()
			}
		}
	}()
	for _, delay := range []time.Duration{0, l.o.delay} {
		for _, outage := range outages {
			s := &scene{name: fmt.Sprintf("%.0f s at %d ms", outage.length.Seconds(),
				2*delay.Milliseconds()), length: outage.length,
				rounds: outage.times * l.rounds("resume")}
			scenes = append(scenes, s)
			if err := s.furnish(ctx, l, delay); err != nil {
				r.Notes = append(r.Notes, "not measured: "+err.Error())
				return r
			}
		}
	}
	var running sync.WaitGroup
	for _, s := range scenes {
		running.Go(func() { s.run(ctx) })
	}
	running.Wait()
	for _, s := range scenes {
		r.compare(s)
	}
	return r
}

// compare adds the series of a scene: minissh's tell their ratio to mosh's.
func (r *result) compare(s *scene) {
	for _, keys := range []bool{true, false} {
		var ours, mosh *series
		for _, t := range s.seats {
			if t.keys != keys {
				continue
			}
			r.Series = append(r.Series, t.series)
			switch {
			case t.ours:
				ours = t.series
			case t.peer == "mosh":
				mosh = t.series
			}
		}
		if c := ratio(ours, mosh, 1, true); c.Missing == "" {
			ours.Note = c.Shown + " of mosh"
		}
		if keys && ours.measured() {
			r.Checks = append(r.Checks, absolute("key after "+s.name, ours.Median, typingWithin,
				"%.0f ms"))
		} else if keys && ours != nil {
			r.Checks = append(r.Checks, check{What: "key after " + s.name, Wanted: "≤ 1 s",
				Missing: "not measured"})
		}
	}
}

// furnish lays the scene's cable and sits all peers down at it, twice.
func (s *scene) furnish(ctx context.Context, l *lab, delay time.Duration) (err error) {
	if s.cable, err = l.newCable(delay); err != nil {
		return err
	}
	add := func(peer string, ours, keys bool, t *typist) {
		kind := "output"
		if keys {
			kind = "key"
		}
		all := &series{Name: fmt.Sprintf("%s: %s after %s", peer, kind, s.name), ours: ours}
		if t.err != nil {
			all.add(0, t.err)
		}
		s.seats = append(s.seats, &seat{t, all, keys, peer})
	}
	for _, p := range l.peers {
		if p.again == nil {
			continue
		}
		far, err := p.again(s.cable.far)
		if err != nil {
			return err
		}
		for _, keys := range []bool{true, false} {
			add(p.id, p.ours(), keys, l.sitDown(s.cable.near,
				l.client(ctx, far.argv(far.address, program(keys), "-t"))))
		}
	}
	for _, keys := range []bool{true, false} {
		add("mosh", false, keys, l.sitDownAtMosh(ctx, s.cable, program(keys)))
	}
	return nil
}

func program(keys bool) string {
	if keys {
		return mirror
	}
	return ticks
}

// sitDownAtMosh starts mosh's server and its client without ssh, which only carries the key.
func (l *lab) sitDownAtMosh(ctx context.Context, c *cable, program string) *typist {
	var said strings.Builder
	server := l.client(ctx, []string{"mosh-server", "new", "-i", c.far.host, "--", "sh", "-c",
		program})
	server.Stdout, server.Stderr = &said, &said
	err := c.far.do(server.Start)
	if errors.Is(err, exec.ErrNotFound) {
		return &typist{err: errors.New("not here (apt-get install mosh)")}
	}
	if err == nil {
		err = server.Wait() // it goes on in a process of its own
	}
	detached := regexp.MustCompile(`detached, pid = (\d+)`).FindStringSubmatch(said.String())
	connect := regexp.MustCompile(`MOSH CONNECT (\d+) (\S+)`).FindStringSubmatch(said.String())
	if err != nil || detached == nil || connect == nil {
		return &typist{err: fmt.Errorf("mosh-server: %w: %.300q", err, said.String())}
	}
	client := l.client(ctx, []string{"mosh-client", c.far.host, connect[1]})
	client.Env = append(client.Env, "MOSH_KEY="+connect[2], "MOSH_PREDICTION_DISPLAY=never")
	t := l.sitDown(c.near, client)
	if pid, err := strconv.Atoi(detached[1]); err == nil {
		t.server, _ = os.FindProcess(pid) // by its pidfd: it is not our child
	}
	return t
}

// run goes through all outages of the scene.
func (s *scene) run(ctx context.Context) {
	for round := range s.rounds {
		key := symbols[round%len(symbols)]
		for _, t := range s.seats {
			if t.Err == "" {
				if err := t.alive(ctx); err != nil {
					t.add(0, fmt.Errorf("before outage %d: %w", round+1, err))
				}
			}
		}
		// evenly from 80 to 120 %: what asks again at fixed times must not always be lucky
		part := 0.8 + 0.4*(float64(round)+0.5)/float64(s.rounds)
		rest(ctx, time.Second)
		s.outage(ctx, key, time.Duration(part*float64(s.length)))
		if ctx.Err() != nil {
			return
		}
	}
}

// outage cuts the cable for a time, and adds a sample to each series.
func (s *scene) outage(ctx context.Context, key byte, length time.Duration) {
	var returned atomic.Int64 // in ns; 0: not yet
	began := time.Now()
	s.cable.cut.Store(true)
	var watching sync.WaitGroup
	for _, t := range s.seats {
		if t.Err != "" {
			continue
		}
		watching.Go(func() {
			sample, err := t.watch(ctx, began, &returned, key)
			t.add(sample, err)
		})
	}
	rest(ctx, length-time.Since(began))
	returned.Store(time.Now().UnixNano())
	s.cable.cut.Store(false)
	watching.Wait()
}

// watch types the key, if it is a seat with keys, and returns the ms from the network's return to
// the first sign of it, or of output.
func (t *seat) watch(ctx context.Context, began time.Time, returned *atomic.Int64,
	key byte) (float64, error) {
	signs := symbols
	if t.keys {
		signs = string(key)
		rest(ctx, keyAfter)
		if _, err := unix.Write(int(t.screen.Fd()), []byte(signs)); err != nil {
			return 0, err
		}
	}
	for ctx.Err() == nil {
		seen, err := t.sign(signs)
		if err != nil {
			return 0, err
		}
		now, back := time.Now(), returned.Load()
		after := time.Duration(now.UnixNano() - back)
		switch {
		case back == 0 && seen && now.Sub(began) > leakAfter:
			return 0, errors.New("something came while the network was away")
		case back != 0 && seen:
			return after.Seconds() * 1e3, nil
		case back != 0 && after > returnWait:
			return 0, fmt.Errorf("nothing came within %v", returnWait)
		}
	}
	return 0, ctx.Err()
}

// sign reads what the terminal shows within 100 ms, and says whether one of signs is in it.
func (t *seat) sign(signs string) (bool, error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}}, 100)
	if n == 0 || err == unix.EINTR {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	shown, err := t.read()
	return strings.ContainsAny(string(shown), signs), err
}

// alive waits for a sign of the session over a network that is there.
func (t *seat) alive(ctx context.Context) error {
	signs := symbols
	if t.keys {
		signs = "+"
		if _, err := unix.Write(int(t.screen.Fd()), []byte(signs)); err != nil {
			return err
		}
	}
	for until := time.Now().Add(returnWait); ctx.Err() == nil && time.Now().Before(until); {
		if seen, err := t.sign(signs); seen || err != nil {
			return err
		}
	}
	return errors.New("the session does not answer")
}

// rest sleeps until d is over or ctx is.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
