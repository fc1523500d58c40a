// Command minissh runs a command on another machine, offers a prompt there, copies files, and shows
// the protocol at work. `minissh help` lists its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/term"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/forward"
	"minissh/client/job"
	"minissh/client/master"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/daemon/process"
	"minissh/protocol"
)

const software = "minissh/0.1"

// likeSSH is what -V says: programs look there, some at the beginning of the line only, for the ssh
// whose options they may use.
const likeSSH = options.LikeSSH + " compatible (" + software + ", " + protocol.ALPN + ")"

// exitCode is how a verb tells main the exit code of what it ran.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// errHelp is how parse tells that help was asked for: a verb shows its own.
var errHelp = errors.New("help was asked for")

func main() {
	process.BeHelper() // of the daemon of try
	atexit.Exit(start(os.Args[1:]))
}

func start(args []string) int {
	if len(args) == 1 && args[0] == tryDaemonVerb {
		return tryDaemon()
	}
	if len(args) > 0 && args[0] == backgroundVerb {
		return exit(runInBackground(args[1:]))
	}
	if len(args) > 0 && args[0] == completeFlag {
		complete(args[1:])
		return 0
	}
	if len(args) == 0 && !term.IsTerminal(0) && !term.IsTerminal(1) { // as ssh answers a program
		showHelp(os.Stderr)
		return report.ExitFailure
	}
	if len(args) == 0 || len(args) == 1 && args[0] == shortHelpFlag {
		showHelp(os.Stdout)
		return 0
	}
	if len(args) > 1 && args[0] == helpFlag {
		if v, ok := verbNamed(args[1]); ok {
			return exit(v.start([]string{helpFlag}))
		}
	}
	if v, ok := verbNamed(args[0]); ok {
		if err := hidesHost(v); err != nil {
			return exit(err)
		}
		return exit(v.start(args[1:]))
	}
	return exit(runHost(args))
}

// exit turns a verb's error into an exit code, and tells people about failures.
func exit(err error) int {
	var code exitCode
	switch {
	case err == nil:
		return 0
	case err == errHelp:
		showHelp(os.Stdout)
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	report.Error(messages, err)
	return report.ExitFailure
}

// parse reads ssh's grammar and answers what needs no host.
func parse(args []string) (*options.Options, error) {
	o, err := options.Parse(args)
	switch {
	case err != nil:
		return nil, notRun(err, "")
	case o.Version:
		fmt.Fprintln(os.Stderr, likeSSH)
		return nil, exitCode(0)
	case o.Answer != nil:
		for _, line := range o.Answer {
			fmt.Println(line)
		}
		return nil, exitCode(0)
	case o.Help:
		return nil, errHelp
	// git asks this way whether we speak like ssh, and gives a port only if we do
	case o.PrintConfig:
		if err := o.WriteEffective(os.Stdout); err != nil {
			return nil, err
		}
		return nil, exitCode(0)
	}
	if err := o.Refuse(); err != nil {
		return nil, notRun(err, o.Outcome)
	}
	if err := openLog(o); err != nil {
		return nil, notRun(err, o.Outcome)
	}
	if o.Control != "" {
		said, err := master.Ask(o, os.Stdout)
		if err == nil {
			if said != "" {
				fmt.Fprintln(messages, said)
			}
			err = exitCode(0)
		}
		return nil, err
	}
	for _, warning := range o.Warnings {
		if o.LogLevel >= options.LevelInfo {
			fmt.Fprintln(messages, "minissh: "+warning)
		}
	}
	for _, note := range o.Notes {
		if o.LogLevel >= options.LevelDebug1 {
			fmt.Fprintln(messages, "minissh: "+note)
		}
	}
	return o, nil
}

// dialer makes a Dialer of the options and of this program's own settings.
func dialer(o *options.Options) *dial.Dialer {
	d := &dial.Dialer{Options: o, Messages: report.New(messages, o), Software: software}
	if !o.BatchMode {
		d.Ask = terminal.Questions{}
	}
	if o.StdioForward != nil {
		o.LentAgent = "" // nothing runs there that could use it
	}
	d.LoginFirst = len(o.RemoteForwards) > 0 || o.LentAgent != ""
	d.LoggedIn = func(conn *dial.Connection) error {
		forwards, err := forward.Start(conn)
		if err == nil {
			conn.Forwards, d.Agent = forwards, forwards.Agent
		}
		return err
	}
	if o.LogLevel >= options.LevelDebug3 {
		d.Trace = report.Tracer(messages)
	}
	return d
}

func streams() run.Streams {
	return run.Streams{Stdin: terminal.Stdin(), Stdout: terminal.Stdout(),
		Stderr: terminal.Stderr(), EndStdout: os.Stdout.Close, Keyboard: os.Stdin}
}

// runHost is `minissh [options] [user@]host [command]`.
func runHost(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if note := notAVerb(args, o.Alias); note != "" && o.LogLevel >= options.LevelInfo {
		fmt.Fprintln(messages, "minissh: "+note)
	}
	tellEnvironment(o)
	if o.ForkAfterAuthentication {
		code, err := goToBackground(args)
		if err != nil {
			return err
		}
		return exitCode(code)
	}
	d := sessionDialer(o)
	d.NoHost = verbInstead(args, o.Alias)
	return runOptions(d, nil)
}

// runOptions does what the options ask for. loggedIn, which may be nil, is called once the daemon
// has let us in.
func runOptions(d *dial.Dialer, loggedIn func()) error {
	defer func() {
		if ending.Load() {
			select {} // until the process ends
		}
	}()
	switch {
	case d.Options.Detach:
		return exitCode(job.Start(context.Background(), d, os.Stdout))
	case d.Options.StdioForward != nil:
		return exitCode(run.Stdio(context.Background(), d, streams(), loggedIn))
	case d.Options.SessionType == options.SessionNone:
		return exitCode(run.Hold(context.Background(), d, loggedIn))
	}
	return recorded(d, func(s run.Streams) int {
		s.Detach, s.Waiting = job.Detacher(os.Stdout), job.Waiting
		return run.Command(context.Background(), d, s, loggedIn)
	})
}

func tracing(words []string) error {
	o, err := parse(words)
	if err != nil {
		return err
	}
	tellEnvironment(o)
	d := sessionDialer(o)
	d.Trace = report.Tracer(messages)
	return runOptions(d, nil)
}

func prompting(words []string) error {
	if len(words) > 1 && words[0] == "on" {
		return promptOn(words[1:])
	}
	at := slices.Index(words, "--stop") // no host is called so, and there is no command
	if at >= 0 {
		words = slices.Delete(slices.Clone(words), at, at+1)
	}
	o, err := parse(words)
	if err != nil {
		return err
	}
	if len(o.Command) > 0 {
		return &report.Failure{What: "minissh prompt takes a host, not a command",
			Advice: "minissh " + o.Alias + " COMMAND runs one"}
	}
	if err := o.RefuseDetach("prompt"); err != nil {
		return err
	}
	tellEnvironment(o)
	return runPrompt(sessionDialer(o), at >= 0)
}

func identity(o ownFlags) error {
	if o.values["--pem"] == "" {
		return &report.Failure{What: "minissh identity writes to a file, and none is named",
			Advice: "minissh identity --pem FILE"}
	}
	return dial.WriteIdentity(o.values["-i"], o.values["--pem"], terminal.Questions{})
}
