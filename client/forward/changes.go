package forward

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Add sets up one more forward, and returns the port of one that took a free one. One that is there
// already stays as it is, as in ssh. ctx is how long the other side may take to answer.
func (f *Forwards) Add(ctx context.Context, one *options.Forward) (port int, err error) {
	if s := f.find(func(s *live) bool {
		return typed(s.Forward, 0) == typed(one, 0) &&
			s.Port == one.Port
	}); s != nil {
		return s.port, nil
	}
	switch {
	case one.Remote:
		return f.addRemote(ctx, one)
	case one.Dynamic:
		return 0, f.dynamic(one)
	}
	return 0, f.local(one)
}

// addRemote has the other side listen. The channel for that was not spared, and takes a slot.
func (f *Forwards) addRemote(ctx context.Context, one *options.Forward) (port int, err error) {
	select {
	case f.slots <- struct{}{}:
	default:
		return 0, report.Failed(nil, "try again when some have ended",
			"all channels of this session are in use")
	}
	release := func() { <-f.slots }
	f.mu.Lock()
	of := len(f.live) + 1
	f.mu.Unlock()
	l, err := f.askListen(one, of)
	if err == nil {
		err = f.await(ctx, l)
	}
	if err != nil {
		release()
		return 0, err
	}
	f.receive(l)
	f.carrying.Go(func() {
		select {
		case <-f.deaf:
		case <-l.over:
		case <-l.ch.Gone():
		}
		release()
	})
	return l.port, nil
}

// Cancel takes a forward away: it takes no more connections, and those that are open go on. Of the
// one that is named, where it listens counts.
func (f *Forwards) Cancel(named *options.Forward) error {
	s := f.find(func(s *live) bool {
		if s.Remote != named.Remote || s.Dynamic != named.Dynamic && !named.Remote {
			return false
		}
		port := s.Port
		if port == 0 {
			port = s.port
		}
		return s.Path == named.Path && port == named.Port && s.Bind == named.Bind
	})
	if s == nil {
		return report.Failed(nil, "~# lists those that are there", "nothing is forwarded from %s",
			placeName(named))
	}
	f.forget(s)
	s.end()
	return nil
}

func (f *Forwards) find(is func(*live) bool) *live {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.live {
		if is(s) {
			return s
		}
	}
	return nil
}

// List tells, for people, what is forwarded and which connections are open.
func (f *Forwards) List() (forwards, connections []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.live {
		line := typed(s.Forward, s.Port)
		if s.Port == 0 && s.port != 0 {
			line += fmt.Sprintf(" (port %d)", s.port)
		}
		forwards = append(forwards, line)
	}
	for _, c := range f.open {
		connections = append(connections, c.from+" to "+c.to)
	}
	return forwards, connections
}

// commandHelp is what ~C says of itself, as ssh does.
const commandHelp = `Commands:
      -L[bind_address:]port:host:hostport    Request local forward
      -R[bind_address:]port:host:hostport    Request remote forward
      -D[bind_address:]port                  Request dynamic forward
      -KL[bind_address:]port                 Cancel local forward
      -KR[bind_address:]port                 Cancel remote forward
      -KD[bind_address:]port                 Cancel dynamic forward`

// Command does what was typed after ~C (ssh(1), ESCAPE CHARACTERS), and says how that went; "" says
// nothing.
func (f *Forwards) Command(ctx context.Context, line string) (said string, err error) {
	line = strings.TrimPrefix(strings.TrimSpace(line), "-")
	if line == "" {
		return "", nil
	}
	if line[0] == 'h' || line[0] == 'H' || line[0] == '?' {
		return commandHelp, nil
	}
	cancel := line[0] == 'K'
	if cancel {
		line = line[1:]
	}
	one, err := options.ParseForward(line, cancel)
	switch {
	case errors.Is(err, options.ErrNoForward):
		return "", report.Failed(nil, "~C and then ? lists them", "%s is not a command here",
			protocol.Quote(line))
	case err != nil:
		return "", report.Failed(err, "", "%v", err)
	case cancel:
		if err = f.Cancel(one); err == nil {
			said = "Canceled forwarding."
		}
		return said, err
	}
	if _, err = f.Add(ctx, one); err == nil {
		said = "Forwarding port."
	}
	return said, err
}
