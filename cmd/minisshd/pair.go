package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/flags"
)

func pairCommand() *cli.Command {
	return &cli.Command{
		Name: "pair", Usage: "show a one-time code with which a client can add its key here",
		ArgsUsage: " ",
		Description: "On the other machine: minissh pair USER@ADDRESS. The code lives two " +
			"minutes and is good for one client, whose key is then listed in " +
			"~/.config/minissh/authorized_keys (never where sshd looks). With no minisshd " +
			"running, one is started for the purpose; the options of " +
			"minisshd are for that one, and it listens on all addresses unless --listen says " +
			"otherwise.",
		Flags:        flags.Once(pairFlags()...),
		Action:       pair,
		OnUsageError: usageError,
	}
}

func pair(c *cli.Context) error {
	if err := pairMisused(c); err != nil {
		return err
	}
	if err := optionsOnly(c); err != nil {
		return err
	}
	if err := emptyGiven(c, pairFlags()); err != nil {
		return err
	}
	switch {
	case c.Bool("list"):
		return listPaired(c)
	case c.IsSet("remove"):
		return removePaired(c)
	}
	offer := control.Offer{User: c.String("user"), Count: c.Int("count"),
		Limits: access.Limits{HasCommand: c.IsSet("command"), Command: c.String("command")}}
	if offer.Count < 1 {
		return errors.New("--count must be at least 1")
	}
	var err error
	if text := c.String("expires"); text != "" {
		if offer.Limits.Expires, err = parseExpires(text, time.Now()); err != nil {
			return err
		}
	}
	if err := offer.Limits.Check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	show := &pairingScreen{}
	defer show.end()
	var ended control.PairingEnded
	paths, err := controlPaths(c)
	if err != nil {
		return err
	}
	if err := pairWithRunning(c, paths); err != nil {
		return err
	}
	err = askPair(ctx, c, paths, offer, func(event json.RawMessage) {
		var e control.PairingEvent
		if json.Unmarshal(event, &e) == nil {
			show.event(e)
		}
	}, &ended)
	if errors.Is(err, control.ErrNoDaemon) {
		stop()
		return pairAlone(c, offer, show)
	}
	show.end()
	return pairingOutcome(ended, err)
}

// pairingOutcome is what the exit code is about: whether at least one client has paired.
func pairingOutcome(ended control.PairingEnded, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return advise("the code was withdrawn: nobody can use it any more",
			"minisshd pair shows a new one")
	case err != nil:
		return err
	case ended.Paired == 0:
		return advise("nobody paired in time: the code is worthless now",
			"minisshd pair shows a new one")
	case ended.Unused > 0:
		fmt.Printf("%d paired; %d codes were not used and are worthless now\n", ended.Paired,
			ended.Unused)
	}
	return nil
}

// pairAlone starts a daemon for the purpose, which the client can use once it has paired.
func pairAlone(c *cli.Context, offer control.Offer, show *pairingScreen) error {
	conf, err := configure(c)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "minisshd: no daemon of yours is running: this one serves until Ctrl-C")
	var made *control.PairingOffer
	return portTaken(c, serveWith(c, serving{
		conf:   conf,
		listen: []string{fmt.Sprintf(":%d", protocol.DefaultPort)}, quiet: true,
		before: func(s *daemon.Server) (err error) {
			made, err = s.Desk().Offer(offer)
			return err
		},
		after: func(ctx context.Context, s *daemon.Server) error {
			ended, err := s.Desk().Follow(ctx, made, func(e control.PairingEvent) error {
				show.event(e)
				return nil
			})
			show.end()
			if err != nil {
				return pairingOutcome(control.PairingEnded{}, err) // it is being stopped
			}
			if ended.Paired == 0 && !s.Desk().Open() {
				return pairingOutcome(*ended, nil)
			}
			if ended.Paired == 0 {
				fmt.Fprintln(os.Stderr,
					"minisshd: nobody paired in time: the code is worthless now")
			}
			fmt.Fprintln(os.Stderr,
				"minisshd: serving; Ctrl-C ends it. For good: minisshd --listen :7422")
			return nil
		},
	}))
}

// portTaken says what an ordinary user can type where the machine's own daemon has the port.
func portTaken(c *cli.Context, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) || os.Geteuid() == 0 || c.IsSet("listen") {
		return err
	}
	return advise(err.Error(),
		"a daemon of your own on another port: minisshd pair --listen :7423; or ask the "+
			"administrator for a code: sudo minisshd pair --user NAME")
}

// pairingScreen shows codes, and a countdown if a person is watching.
type pairingScreen struct {
	stop    chan struct{}
	stopped chan struct{}
}

func (p *pairingScreen) event(e control.PairingEvent) {
	switch {
	case e.Started != nil:
		fmt.Print(pairingText(e.Started))
		p.count(e.Started.Until)
	case e.Paired != nil:
		p.clear()
		fmt.Printf("Paired: %s from %s may log in as %s: %s %s\n", "a client", e.Paired.From,
			e.Paired.User, e.Paired.Type, e.Paired.Fingerprint)
	}
}

func pairingText(s *control.PairingStarted) string {
	var b strings.Builder
	if len(s.Codes) == 1 {
		fmt.Fprintf(&b, "Pairing code for %s, for one client, good for two minutes:\n\n    %s\n\n",
			s.User, s.Codes[0])
	} else {
		fmt.Fprintf(&b, "Pairing codes for %s, each for one client, good for two minutes:\n\n",
			s.User)
		for i, code := range s.Codes {
			fmt.Fprintf(&b, "    %3d  %s\n", i+1, code)
		}
		b.WriteString("\n")
	}
	if len(s.Reachable) == 0 {
		fmt.Fprintf(&b, "This daemon listens on loopback only: other machines cannot reach it "+
			"(minisshd --listen :7422 is one that they can).\nOn this machine:\n\n    %s\n",
			pairLine(s.User, "localhost", s.Port))
	} else {
		where := "the other machine"
		if len(s.Codes) > 1 {
			where = "each of the other machines, the same line; each is asked for one of the codes"
		}
		fmt.Fprintf(&b, "On %s:\n\n    %s\n", where,
			pairLine(s.User, s.Reachable[0].Addr().String(), s.Reachable[0].Port()))
		if len(s.Reachable) > 1 {
			b.WriteString("\nor, if they reach this one by another of its addresses:\n\n")
			for _, at := range s.Reachable[1:min(len(s.Reachable), 5)] {
				fmt.Fprintf(&b, "    %s\n", pairLine(s.User, at.Addr().String(), at.Port()))
			}
		}
	}
	fmt.Fprintf(&b, "\nHost key here: %s\n", s.HostKey)
	return b.String()
}

// pairLine is what to type on the other machine. It does not hold the code: every user there can
// see arguments, and histories keep them.
func pairLine(user, host string, port uint16) string {
	line := "minissh pair "
	if port != protocol.DefaultPort && port != 0 {
		line += fmt.Sprintf("-p %d ", port)
	}
	return line + user + "@" + host
}

// count shows the remaining time, on a terminal.
func (p *pairingScreen) count(until time.Time) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	p.stop, p.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			left := time.Until(until).Round(time.Second)
			fmt.Fprintf(os.Stderr, "\r%d:%02d left; Ctrl-C withdraws ", int(left.Minutes()),
				int(left.Seconds())%60)
			select {
			case <-tick.C:
			case <-p.stop:
				p.clear()
				return
			}
		}
	}()
}

// clear wipes the countdown's line.
func (p *pairingScreen) clear() {
	if p.stop != nil {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

func (p *pairingScreen) end() {
	if p.stop != nil {
		close(p.stop)
		<-p.stopped
		p.stop = nil
	}
}

// parseExpires reads 12h, 30d, a date (its end) or a time in this machine's time zone.
func parseExpires(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	if at, err := time.ParseInLocation("2006-01-02", text, now.Location()); err == nil {
		return at.AddDate(0, 0, 1), nil
	}
	if at, err := time.ParseInLocation("2006-01-02T15:04", text, now.Location()); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("--expires is a time like 12h, 30d, 2027-01-31 or "+
		"2027-01-31T18:00, not %s", protocol.Quote(text))
}

// pairedAccount is the account whose keys are listed or removed.
func pairedAccount(c *cli.Context) (process.Account, error) {
	own, err := process.CurrentAccount()
	if err != nil {
		return own, err
	}
	name := c.String("user")
	if name == "" || name == own.Name {
		return own, nil
	}
	if os.Geteuid() != 0 {
		return own, fmt.Errorf("only root may see the keys of %s", protocol.Quote(name))
	}
	return process.LookupAccount(c.Context, name)
}

func listPaired(c *cli.Context) error {
	acct, err := pairedAccount(c)
	if err != nil {
		return err
	}
	list, err := access.ListPaired(acct)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(os.Stderr, "minisshd: no key was paired for "+acct.Name)
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tKEY\tHOW\tLIMITS")
	for i, k := range list {
		how := protocol.Quote(k.Comment)
		fmt.Fprintf(w, "%d\t%s %s\t%s\t%s\n", i+1, k.Type, k.Fingerprint, how[1:len(how)-1],
			k.Limits)
	}
	return w.Flush()
}

func removePaired(c *cli.Context) error {
	acct, err := pairedAccount(c)
	if err != nil {
		return err
	}
	which := c.String("remove")
	if n, err := strconv.Atoi(which); err == nil {
		list, err := access.ListPaired(acct)
		if err != nil {
			return err
		}
		if n < 1 || n > len(list) {
			return advise(fmt.Sprintf("paired key number %d does not exist", n),
				"minisshd pair --list shows them")
		}
		which = list[n-1].Fingerprint
	}
	found, err := access.RemovePaired(acct, which)
	if err != nil {
		return err
	}
	if !found {
		return advise("there is no paired key "+protocol.Quote(which),
			"minisshd pair --list shows them")
	}
	fmt.Printf("removed: %s. Its sessions go on until they end: minisshd who, minisshd end\n",
		which)
	return nil
}
