// A client lives for milliseconds: it does not look for a processor limit of its container, at its start and ever again.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command minissh runs a command on another machine, offers a prompt there, and shows the protocol at work. `minissh help` lists its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"minissh/client"
	"minissh/client/options"
	"minissh/protocol"
)

const software = "minissh/0.1"

// exitCode is how a verb tells main the exit code of what it ran.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() { os.Exit(run(os.Args[1:])) }

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
	if _, _, isVerb := options.IsVerb(args); !isVerb && len(args) > 0 {
		return exit(runHost(args))
	}
	return exit(app().Run(append([]string{"minissh"}, args...)))
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
	client.Report(os.Stderr, err)
	return client.ExitFailure
}

func app() *cli.App {
	return &cli.App{
		Name: "minissh", Usage: "run commands on other machines", Version: software,
		UsageText: `minissh try                             try it here and now: nothing to set up
minissh [options] [user@]host           a login shell on a terminal there
minissh [options] [user@]host command   run a command there, as ssh does (-t: on a terminal)
minissh prompt [options] [user@]host    a line prompt there
minissh cp [options] SOURCE… TARGET     copy files, as scp does: minissh cp a.txt host:
minissh pair [options] [user@]host      become known to a host that shows a pairing code
minissh trace [options] host command    see every frame of the protocol`,
		CustomAppHelpTemplate: helpTemplate,
		ExitErrHandler:        func(*cli.Context, error) {},
		OnUsageError:          func(_ *cli.Context, err error, _ bool) error { return err },
		Action:                func(c *cli.Context) error { return cli.ShowAppHelp(c) },
		CommandNotFound:       func(*cli.Context, string) {},
		Commands: []*cli.Command{
			{Name: "try", Usage: "a daemon of its own and a prompt; after --, a command", Flags: []cli.Flag{
				&cli.BoolFlag{Name: "trace", Usage: "show every frame"},
			}, ArgsUsage: "[-- command]", Action: try},
			{Name: "prompt", Usage: "a line prompt on a host", ArgsUsage: "[options] [user@]host", SkipFlagParsing: true, Action: prompting},
			{Name: "cp", Usage: "copy files to and from hosts, as scp does", ArgsUsage: "[options] SOURCE… TARGET", SkipFlagParsing: true, Action: copyFiles},
			{Name: "pair", Usage: "become known to a host by the code that its minisshd pair shows", ArgsUsage: "[options] [user@]host…", SkipFlagParsing: true, Action: pairing},
			{Name: "trace", Usage: "run a command and show every frame, both ways, on standard error", ArgsUsage: "[options] [user@]host command", SkipFlagParsing: true, Action: tracing},
			{Name: "identity", Usage: "write the key and the certificate that TLS uses, for other languages", ArgsUsage: " ", Flags: []cli.Flag{
				&cli.StringFlag{Name: "pem", Usage: "write to `FILE`, mode 0600", Required: true},
				&cli.StringFlag{Name: "i", Usage: "`FILE` with the private key", DefaultText: "the first of ~/.ssh/id_ed25519, id_ecdsa, id_rsa"},
			}, Action: identity},
			{Name: "version", Usage: "print the version", Action: func(c *cli.Context) error { fmt.Println(software, protocol.ALPN); return nil }},
		},
	}
}

const helpTemplate = `{{.Name}}: {{.Usage}}

{{.UsageText}}

Verbs (only as the first word; "minissh -- try" is a host named try):
{{range .VisibleCommands}}   {{.Name}}{{"\t"}}{{.Usage}}
{{end}}
Options before or after the host, as in ssh: -p port, -l user, -i key, -o Key=Value, -t, -T, -e char, -f, -n, -N, -q, -v, -F file, -G, -V; and
   --exec           run the words as they are, without a shell
   --timeout TIME   stop the command there after that time (90, 5m, 1h); exit code 124
   --keylog FILE    append the TLS secrets to FILE, so that Wireshark can decrypt the connection
The host may be unix:PATH, a socket on this machine.

Exit code: the command's own; 128+n if signal n ended it; 255 for failures of minissh's own.
`

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
		app().Run([]string{"minissh"})
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
	for _, warning := range o.Warnings {
		if o.LogLevel >= options.LevelInfo {
			fmt.Fprintln(os.Stderr, "minissh: "+warning)
		}
	}
	for _, note := range o.Notes {
		if o.LogLevel >= options.LevelDebug1 {
			fmt.Fprintln(os.Stderr, "minissh: "+note)
		}
	}
	return o, nil
}

func dialer(o *options.Options) *client.Dialer {
	d := &client.Dialer{Options: o, Messages: os.Stderr, Software: software}
	if !o.BatchMode {
		d.Ask = client.Terminal{}
	}
	if o.LogLevel >= options.LevelDebug3 {
		d.Trace = client.Tracer(os.Stderr)
	}
	return d
}

func streams() client.Streams {
	return client.Streams{Stdin: client.Stdin(), Stdout: client.Stdout(), Stderr: client.Stderr(), EndStdout: os.Stdout.Close, Keyboard: os.Stdin}
}

// runHost is `minissh [options] [user@]host [command]`.
func runHost(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.ForkAfterAuthentication {
		code, err := goToBackground(args)
		if err != nil {
			return err
		}
		return exitCode(code)
	}
	return runOptions(dialer(o))
}

func runOptions(d *client.Dialer) error {
	o := d.Options
	if o.SessionType == options.SessionNone {
		return exitCode(client.HoldConnection(context.Background(), d))
	}
	return exitCode(client.RunCommand(context.Background(), d, streams()))
}

func tracing(c *cli.Context) error {
	o, err := parse(c.Args().Slice())
	if err != nil {
		return err
	}
	d := dialer(o)
	d.Trace = client.Tracer(os.Stderr)
	return runOptions(d)
}

func prompting(c *cli.Context) error {
	o, err := parse(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(o.Command) > 0 {
		return &client.Failure{What: "minissh prompt takes a host and no command", Advice: "minissh " + o.Alias + " COMMAND runs one"}
	}
	return runPrompt(dialer(o))
}

func identity(c *cli.Context) error {
	return client.WriteIdentity(c.String("i"), c.String("pem"), client.Terminal{})
}
