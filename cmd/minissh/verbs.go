package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"minissh/client/completion"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
)

// verb is one of minissh's own words, but only as the first one: `minissh -- try` and `minissh
// user@try` are hosts. Most are followed by ssh's options, which their run reads itself; try and
// identity have their own flags.
//
// The verbs are a table of our own, though minisshd and minissh-lab use urfave/cli: client/options
// parses ssh's grammar anyway, and the library costs a cold command 0.9 of its 7 milliseconds.
type verb struct {
	name, usage string
	new         bool              // it came late, and may hide a host: see hidesHost
	args        string            // what follows the options, in help
	flags       []completion.Flag // its own; nil: ssh's
	also        []completion.Flag // besides ssh's
	does        []completion.Flag // the words that say what it is to do
	run         func(words []string) error
	runOwn      func(o ownFlags) error // instead of run: of a verb with flags of its own
}

// ownFlags are the words after a verb with its own flags: the flags' values, and the rest. A flag
// without an argument has the value "".
type ownFlags struct {
	values map[string]string
	rest   []string
}

func (o ownFlags) has(flag string) bool { _, ok := o.values[flag]; return ok }

const helpFlag, shortHelpFlag = "--help", "-h"

// verbs returns them in the order in which help shows them.
func verbs() []verb {
	return []verb{
		{name: "try", usage: "a prompt, with nothing to set up; after --, a command",
			args: "[-- command]", runOwn: try, flags: []completion.Flag{
				{Name: "--trace", Usage: "show every frame"},
			}},
		{name: "prompt", usage: "a line prompt on a host, or with on HOSTS on many",
			args: "[on HOSTS | [user@]host]", run: prompting,
			also: []completion.Flag{{Name: "--stop", Usage: "end at the first line that fails"}}},
		{name: "cp", usage: "copy files, as scp does: minissh cp a.txt host:", run: copyFiles},
		{name: "pair", usage: "pair with a host, by the code that minisshd pair shows there",
			args: "[user@]host…", run: pairing},
		{name: "job", new: true,
			usage: "what was started with --detach: attach, collect, list, stop, remove",
			args:  "[user@]host [JOB]", run: jobs, does: jobVerbs, also: []completion.Flag{
				{Name: "--new", Usage: "attach: output from now on, not from the beginning"},
				{Name: "--share", Usage: "attach: beside other clients, which stay"},
				{Name: "--watch", Usage: "attach: only look, and type nothing"},
				{Name: "--json", Usage: "list: one object a line"},
			}},
		{name: "on", new: true, usage: "run a command on many hosts: minissh on web[01-20] uptime",
			args: "HOSTS command…", run: on, also: onFlags},
		{name: "hosts", new: true,
			usage: "who announces itself on the LAN; or fold names: web[01-20]",
			args:  "[NAMES…]", runOwn: hosts, flags: []completion.Flag{
				{Name: "-e", Usage: "expand names to all of them"},
				{Name: "-c", Usage: "count names"},
				{Name: "--json", Usage: "the LAN: one object a line"},
				{Name: "--ansible", Usage: "the LAN: an inventory of what known_hosts knows"},
			}},
		{name: "trace", usage: "run a command and show every frame, both ways, on standard error",
			args: "[user@]host [command]", run: tracing},
		{name: "identity", usage: "write the key and certificate of TLS, for other languages",
			runOwn: identity, flags: []completion.Flag{
				{Name: "--pem", Argument: true, Usage: "write to FILE, mode 0600"},
				{Name: "-i", Argument: true,
					Usage: "FILE with the private key, if not one of ~/.ssh/id_*"},
			}},
		{name: "version", usage: "print the version",
			runOwn: func(ownFlags) error { fmt.Println(software, protocol.ALPN); return nil }},
		{name: "help", usage: "this text, or that of a verb", args: "[verb]", runOwn: help},
	}
}

func verbNamed(name string) (verb, bool) {
	for _, v := range verbs() {
		if v.name == name {
			return v, true
		}
	}
	return verb{}, false
}

// verbMeant is the verb that differs from this word by a slip of a finger; "": none does.
func verbMeant(word string) string {
	for _, v := range verbs() {
		if report.Slip(word, v.name) {
			return v.name
		}
	}
	return ""
}

// verbInstead is the hint if there is no host of this name: it may be a verb with a slip in it.
func verbInstead(args []string, host string) string {
	meant := verbMeant(host)
	if meant == "" || args[0] != host {
		return ""
	}
	words := append([]string{"minissh", meant}, args[1:]...)
	return "did you mean " + run.AsTyped(strings.Join(words, " ")) + "?"
}

// hidesHost refuses a new verb that is also the name of a host, if a program may have meant that:
// there is no terminal, and what follows would not be a command there. (Older verbs have hidden
// their hosts all the time, and scripts rely on them.)
func hidesHost(v verb) error {
	if !v.new || term.IsTerminal(0) || term.IsTerminal(1) ||
		!completion.IsHost(options.CurrentEnvironment(), v.name) {
		return nil
	}
	return &report.Failure{What: fmt.Sprintf("%s is a verb of minissh, and a host in the "+
		"configuration or known_hosts", v.name),
		Advice: "minissh -- " + v.name +
			" … is the host; another name for the host, or a terminal, " +
			"leaves the verb"}
}

// notAVerb is what to say when options come before a word that would be a verb in the first place,
// and is a host here; "" if that is not so.
func notAVerb(args []string, host string) string {
	if _, is := verbNamed(host); !is || slices.Contains(args, "--") ||
		!slices.Contains(args, host) {
		return ""
	}
	return fmt.Sprintf("%s is a host here, since options come before it; for the verb: minissh "+
		"%s …, with the options after that", host, host)
}

// start runs the verb with the words after it.
func (v verb) start(words []string) error {
	if v.run != nil {
		if len(words) > 0 && words[0] == shortHelpFlag { // ssh has no such option
			words = []string{helpFlag}
		}
		err := v.run(words)
		if err == errHelp {
			v.help(os.Stdout)
			return nil
		}
		return err
	}
	own, err := v.parse(words)
	switch {
	case err != nil:
		return err
	case own.has(helpFlag):
		v.help(os.Stdout)
		return nil
	case len(own.rest) > 0 && v.args == "":
		return v.misused("takes no %s", protocol.Quote(own.rest[0]))
	}
	return v.runOwn(own)
}

// parse takes flags from the words until the first word that is not one, or --. An argument follows
// a flag or, with =, is part of it.
func (v verb) parse(words []string) (o ownFlags, err error) {
	o = ownFlags{values: map[string]string{}, rest: words}
	for len(o.rest) > 0 && len(o.rest[0]) > 1 && o.rest[0][0] == '-' {
		word := o.rest[0]
		if o.rest = o.rest[1:]; word == "--" {
			return o, nil
		}
		name, value, given := strings.Cut(word, "=")
		f, err := v.flag(name)
		switch {
		case err != nil:
			return o, err
		case given && !f.Argument:
			return o, v.misused("wants nothing after %s", name)
		case f.Argument && !given:
			if len(o.rest) == 0 {
				return o, v.misused("wants an argument after %s", name)
			}
			value, o.rest = o.rest[0], o.rest[1:]
		}
		if o.has(f.Name) && f.Name != helpFlag {
			return o, v.misused("has %s twice, and one of the two would not count", f.Name)
		}
		o.values[f.Name] = value
	}
	return o, nil
}

func (v verb) flag(name string) (completion.Flag, error) {
	if name == helpFlag || name == shortHelpFlag {
		return completion.Flag{Name: helpFlag}, nil
	}
	for _, f := range v.flags {
		if f.Name == name {
			return f, nil
		}
	}
	return completion.Flag{}, v.misused("has no option %s", protocol.Quote(name))
}

func (v verb) misused(format string, args ...any) error {
	return &report.Failure{What: "minissh " + v.name + " " + fmt.Sprintf(format, args...),
		Advice: "minissh " + v.name + " --help shows what it takes"}
}

// help is `minissh help [verb]`.
func help(o ownFlags) error {
	if len(o.rest) == 0 {
		showHelp(os.Stdout)
		return nil
	}
	v, ok := verbNamed(o.rest[0])
	if !ok {
		advice := "minissh help shows them all"
		if meant := verbMeant(o.rest[0]); meant != "" {
			advice = "did you mean minissh help " + meant + "?"
		}
		return &report.Failure{What: fmt.Sprintf("there is no verb %s", protocol.Quote(o.rest[0])),
			Advice: advice}
	}
	return v.start([]string{helpFlag})
}

// help shows how the verb is used, and its own flags.
func (v verb) help(w io.Writer) {
	name := v.name
	if len(v.does) > 0 {
		name += " VERB"
	}
	fmt.Fprintf(w, "minissh %s: %s\n\nUSAGE:\n   %s\n\n", v.name, v.usage,
		strings.TrimSpace("minissh "+name+" [options] "+v.args))
	if len(v.does) > 0 {
		fmt.Fprintln(w, "VERBS:")
		for _, f := range v.does {
			fmt.Fprintf(w, "   %-10s%s\n", f.Name, f.Usage)
		}
	}
	if v.run != nil && len(v.also) == 0 {
		fmt.Fprintln(w, "The options are ssh's: minissh help lists them.")
		return
	}
	fmt.Fprintln(w, "OPTIONS:")
	flags := append(slices.Concat(v.flags, v.also),
		completion.Flag{Name: helpFlag + ", " + shortHelpFlag, Usage: "this text"})
	shown, widest := make([]string, len(flags)), 0
	for i, f := range flags {
		if shown[i] = f.Name; f.Argument {
			shown[i] += " " + cmp.Or(f.Value, "FILE")
		}
		widest = max(widest, len(shown[i]))
	}
	for i, f := range flags {
		fmt.Fprintf(w, "   %-*s%s\n", widest+2, shown[i], f.Usage)
	}
	if v.run != nil {
		fmt.Fprintln(w, "\nThe others are ssh's: minissh help lists them.")
	}
}

// showHelp shows what there is.
func showHelp(w io.Writer) {
	fmt.Fprint(w, helpAbove)
	for _, v := range verbs() {
		fmt.Fprintf(w, "   %-10s%s\n", v.name, v.usage)
	}
	fmt.Fprint(w, helpBelow)
}

const helpAbove = `minissh: run commands on other machines; unix:PATH is a host here, by its socket
minissh [options] [user@]host [command]   as ssh: a command, or a login shell

Verbs (first words only: "minissh -- try" is a host); more: minissh help VERB
`

const helpBelow = `
Options before or after the host, as in ssh: -p port, -l user, -i key, -t, -T,
-o Key=Value, -J hop, -e char, -f, -n, -N, -q, -v, -F file, -G, -V; and
   --exec          run the words as they are, without a shell
   --timeout TIME  stop the command there after that time (90, 5m, 1h): code 124
   --detach        leave it running there, as a job; --name NAME gives it a name
   --outcome FILE  what became of it, as JSON; --keylog FILE  TLS's secrets
Exit code: the command's own; 128+n if signal n ended it; 255 if minissh failed.
`
