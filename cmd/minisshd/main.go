// Command minisshd runs what authorized clients ask for. `minisshd --help` lists its options.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/daemon/supervise"
	"minissh/protocol"
	"minissh/protocol/flags"
	"minissh/protocol/keys"
)

const software = "minisshd/0.1"

// generation is the way to the supervisor that started this daemon; nil: none did.
var generation *supervise.Generation

func main() {
	process.BeHelper()
	process.Prepare()
	var err error
	if generation, err = supervise.Join(); err == nil {
		err = newApp().Run(os.Args)
	}
	if err == errSilent {
		os.Exit(1)
	}
	if err != nil {
		generation.Failed(err.Error(), logbook.Hint(err))
		logbook.Print(os.Stderr, complaint(err, toJournal()), lastWords)
		os.Exit(1)
	}
}

// complaint is what people read about an error that ends the program. In a journal its lines have a
// level.
func complaint(err error, journal bool) string {
	level := ""
	if journal {
		level = "<3>"
	}
	text := fmt.Sprintf("%sminisshd: %v\n", level, err)
	if hint := logbook.Hint(err); hint != "" {
		text += fmt.Sprintf("%sminisshd: hint: %s\n", level, hint)
	}
	return text
}

// advise is an error with what to type against it.
func advise(what, advice string) error { return &control.Error{What: what, Advice: advice} }

// optionsOnly refuses words that a verb does not take.
func optionsOnly(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	return fmt.Errorf("%s is not understood: %s takes options only",
		protocol.Quote(c.Args().First()), c.Command.HelpName)
}

func newApp() *cli.App {
	return &cli.App{
		Name: "minisshd", Usage: "run commands for authorized clients", HideHelpCommand: true,
		EnableBashCompletion: true, HideVersion: false, Version: software,
		DisableSliceFlagSeparator: true, // a path may hold a comma
		ArgsUsage:                 " ", Flags: flags.Once(daemonFlags()...),
		Before: noFlagBeforeVerb, Action: serve, Commands: []*cli.Command{
			checkCommand(), whoCommand(), endCommand(), pairCommand(), upgradeCommand()},
		OnUsageError:   usageError,
		ExitErrHandler: func(*cli.Context, error) {},
	}
}

// badValue is what package flag says about a value that it does not understand.
var badValue = regexp.MustCompile(`^invalid value (".*") for flag -([a-z-]+): parse error$`)

// usageError is an option that is not understood.
func usageError(c *cli.Context, err error, _ bool) error {
	if twice := flags.Twice(c.Command.Flags); twice != "" {
		return advise(twice+" is given twice, and one of the two would not count",
			"give it once; what may be repeated is marked in "+c.Command.HelpName+" --help")
	}
	what := err.Error()
	if name, unknown := strings.CutPrefix(what, "flag provided but not defined: -"); unknown {
		what = protocol.Quote(flags.Dashed(name)) + " is not an option of " + c.Command.HelpName
	} else if name, bare := strings.CutPrefix(what, "flag needs an argument: -"); bare {
		what = flags.Dashed(name) + " needs a value after it"
	} else if bad := badValue.FindStringSubmatch(what); bad != nil {
		kind := "a number"
		if slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool {
			_, is := f.(*cli.DurationFlag)
			return is && f.Names()[0] == bad[2]
		}) {
			kind = "a time such as 90s or 5m"
		}
		what = flags.Dashed(bad[2]) + " is " + kind + ", not " + bad[1]
	}
	return advise(what, c.Command.HelpName+" --help")
}

// noFlagBeforeVerb refuses what would not reach the verb: `minisshd --control A end 1` would ask
// another daemon.
func noFlagBeforeVerb(c *cli.Context) error {
	if name, verb := flags.BeforeVerb(c); name != "" {
		advice := "options follow the verb: minisshd " + verb + " " + name + " …"
		if !flags.Has(c.App.Command(verb), name) {
			advice = verb + " has no " + name + "; its options: minisshd " + verb + " --help"
		}
		return advise(name+" comes before the verb "+verb+", where it does not count", advice)
	}
	return nil
}

func serve(c *cli.Context) error {
	if c.Args().Present() {
		return advise(protocol.Quote(c.Args().First())+
			" is neither an option nor a verb of minisshd",
			"its verbs are check, who, end, pair and upgrade: minisshd --help")
	}
	conf, err := configure(c)
	if err != nil {
		return err
	}
	if generation == nil {
		supervised, err := wantsSupervisor(c)
		if err != nil {
			return conf.located(err)
		}
		if supervised {
			return conf.located(superviseDaemon(c))
		}
	}
	return serveWith(c, serving{conf: conf, listen: daemon.DefaultListen, generation: generation})
}

// serving is how a daemon's life differs from the usual.
type serving struct {
	conf   *configuration
	listen []string // unless --listen says otherwise
	// only warnings are logged, unless --log-level says otherwise
	quiet  bool
	before func(*daemon.Server) error // before it listens; may be nil
	// next to its work, until ctx ends; an error stops it; may be nil
	after func(context.Context, *daemon.Server) error
	// the way to its supervisor; nil: it has none
	generation *supervise.Generation
}

// logLevel is what --log-level says.
func logLevel(c *cli.Context) (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return level, fmt.Errorf("--log-level is debug, info, warn or error, not %s",
			protocol.Quote(c.String("log-level")))
	}
	return level, nil
}

// serveWith is a daemon's life.
func serveWith(c *cli.Context, how serving) error { return how.conf.located(how.live(c)) }

func (how serving) live(c *cli.Context) error {
	level, err := logLevel(c)
	if err != nil {
		return err
	}
	if how.quiet && !c.IsSet("log-level") {
		level = slog.LevelWarn
	}
	stop := make(chan os.Signal, 2)
	// from the start: Prepare's own handler would swallow one
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	ends := onEnds(stop, how.generation)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	log, sink := newLog(os.Stderr, level, toJournal())
	defer sink.Flush(lastWords)
	activated, boss, err := beginnings(how.generation)
	if err != nil {
		return err
	}
	set, err := readSettings(c)
	if err != nil {
		return err
	}
	hostKey, made, err := set.hostKey(log)
	if err != nil {
		return fmt.Errorf("the host key: %w", err)
	}
	if made {
		log.Info("A host key was made", "file", set.hostKeyFile, "fingerprint",
			keys.Fingerprint(hostKey.Public))
	}
	if err := set.cgroups(c, how.generation != nil, log); err != nil {
		return err
	}
	process.StartThreads(process.Threads)
	if err := set.judgeTrust(); err != nil {
		return err
	}
	book, err := how.conf.book(c.App, set.account)
	if err != nil {
		return err
	}
	admits := set.access(book, log)
	keyLog, err := openKeyLog(c.String("keylog"), log)
	if err != nil {
		return err
	}
	audited, err := set.openAudit(log)
	if err != nil {
		return err
	}
	defer audited.Close(lastWords)
	options := daemon.Options{
		Rules: access.Rules{
			Account: set.account, Access: admits, RefusalTime: set.refusalTime(),
			PenaltyExempt: set.exempt,
			MaxStartups:   c.Int("max-startups"), MaxPerSource: c.Int("max-per-source"),
			MaxSessions: c.Int("max-sessions"), MaxHeld: set.held,
			Shares: set.shares, Audit: audited,
		},
		Generation: how.generation,
		PAM:        set.pamService(c.Int("max-startups"), log),
		Logins:     set.logins(log),
		HostKey:    hostKey, Log: log, Software: software, KeyLog: keyLog,
		SocketMode: set.socketMode,
		LoginGrace: c.Duration("login-grace"), StopGrace: c.Duration("stop-grace"),
		ShutdownGrace: c.Duration("shutdown-grace"),
	}
	server, err := daemon.New(options)
	if err != nil {
		return err
	}
	defer server.Close()
	addresses := c.StringSlice("listen")
	if len(addresses) == 0 && len(activated) == 0 {
		addresses = how.listen
	}
	if how.before != nil {
		if err := how.before(server); err != nil {
			return err
		}
	}
	server.ListenOn(activated...)
	if err := server.Listen(addresses...); err != nil {
		return err
	}
	if c.Bool("announce") && !server.BeyondLoopback() {
		return advise("--announce: this daemon listens on loopback only, where nobody on the LAN "+
			"could reach it", "minisshd --announce --listen :7422")
	}
	if err := openControl(c, server, log); err != nil {
		return err
	}
	if err := how.generation.Ready(); err != nil {
		return err
	}
	logbook.Print(os.Stdout, server.Ready()+"\n", lastWords)
	if c.Bool("announce") {
		ends.announcer = announced(server, log)
		defer ends.announcer.Wait()
	}
	if cold, ok := admits.(access.Warmer); ok {
		go cold.Warm()
	}
	boss.ready(server.Addresses())
	boss.watch(func() { server.Addresses() })
	reloading := reloading{app: c.App, conf: how.conf, set: set, holds: held(c, how.conf),
		admits: admits, server: server, log: log}
	go func() {
		for range again {
			boss.reloading()
			reloading.reload()
			ends.announcer.Look()
			boss.ready(server.Addresses())
		}
	}()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ends.await(server, boss, log)
		server.Shutdown(ends.hurry)
	}()
	ctx, cancel := context.WithCancel(context.Background())
	beside := make(chan error, 1)
	go func() {
		var err error
		if how.after != nil {
			if err = how.after(ctx, server); err != nil {
				stop <- os.Interrupt
			}
		}
		beside <- err
	}()
	server.Serve()
	cancel()
	<-stopped
	log.Info("Stopped")
	return <-beside
}
