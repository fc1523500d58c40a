// Command minissh runs a command on another machine, offers a prompt there, and shows the protocol at work. `minissh help` lists its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"minissh/client"
	"minissh/client/options"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/quick"
)

const software = "minissh/0.1"

// exitCode is how a verb tells main the exit code of what it ran.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	quick.GrowStack()
	process.BeHelper() // of the daemon of try
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
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
	if len(args) == 0 {
		showHelp(os.Stdout)
		return 0
	}
	if verb, words, ok := options.IsVerb(args); ok {
		return exit(runVerb(verb, words))
	}
	return exit(runHost(args))
}

// exit turns what a verb returned into an exit code, telling a person about failures.
func exit(err error) int {
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	client.Report(messages, err)
	return client.ExitFailure
}

// parse reads ssh's grammar and answers what needs no host.
func parse(args []string) (*options.Options, error) {
	o, err := options.Parse(args)
	switch {
	case err != nil:
		return nil, err
	case o.Version:
		fmt.Fprintln(os.Stderr, software, protocol.ALPN)
		return nil, exitCode(0)
	case o.Help:
		showHelp(os.Stdout)
		return nil, exitCode(0)
	case o.PrintConfig: // git asks so whether this speaks like ssh, and gives a port only if it does
		if err := o.WriteEffective(os.Stdout); err != nil {
			return nil, err
		}
		return nil, exitCode(0)
	}
	if err := o.Refuse(); err != nil {
		return nil, err
	}
	if err := openLog(o); err != nil {
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

func dialer(o *options.Options) *client.Dialer { return equip(new(client.Dialer), o) }

// equip gives a Dialer its options and what this program has for it.
func equip(d *client.Dialer, o *options.Options) *client.Dialer {
	d.Options, d.Messages, d.Software = o, messages, software
	if !o.BatchMode {
		d.Ask = client.Terminal{}
	}
	if o.LogLevel >= options.LevelDebug3 {
		d.Trace = client.Tracer(messages)
	}
	return d
}

func streams() client.Streams {
	return client.Streams{Stdin: client.Stdin(), Stdout: client.Stdout(), Stderr: client.Stderr(), EndStdout: os.Stdout.Close, Keyboard: os.Stdin}
}

// runHost is `minissh [options] [user@]host [command]`.
func runHost(args []string) error {
	d := new(client.Dialer)
	d.Begin() // while the options are read
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
	quick.CalmWatcher() // not above, nor for verbs: a process that we start could inherit it
	return runOptions(equip(d, o))
}

func runOptions(d *client.Dialer) error {
	o := d.Options
	if o.SessionType == options.SessionNone {
		return exitCode(client.HoldConnection(context.Background(), d))
	}
	return exitCode(client.RunCommand(context.Background(), d, streams()))
}

func tracing(words []string) error {
	o, err := parse(words)
	if err != nil {
		return err
	}
	tellEnvironment(o)
	d := dialer(o)
	d.Trace = client.Tracer(messages)
	return runOptions(d)
}

func prompting(words []string) error {
	o, err := parse(words)
	if err != nil {
		return err
	}
	if len(o.Command) > 0 {
		return &client.Failure{What: "minissh prompt takes a host and no command", Advice: "minissh " + o.Alias + " COMMAND runs one"}
	}
	tellEnvironment(o)
	return runPrompt(dialer(o))
}

func identity(o ownFlags) error {
	if o.values["--pem"] == "" {
		return &client.Failure{What: "minissh identity writes to a file, and none is named", Advice: "minissh identity --pem FILE"}
	}
	return client.WriteIdentity(o.values["-i"], o.values["--pem"], client.Terminal{})
}
