package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// pairing is `minissh pair [options] [user@]host…`: one host after the other, each with its own
// code.
func pairing(args []string) error {
	o, err := parse(args)
	if err == nil {
		err = o.RefuseDetach("pair")
	}
	if err != nil {
		return err
	}
	hosts := append([]string{""}, o.Command...) // the first is among the options
	lines := pipedLines()
	failed := 0
	for i, host := range hosts {
		if i > 0 {
			if o, err = parse(append(args[:len(args)-len(hosts):len(args)-len(hosts)],
				host)); err != nil {
				return err
			}
		}
		if err := pairWith(o, lines); err != nil {
			if len(hosts) == 1 {
				return err
			}
			report.Error(os.Stderr, err)
			failed++
		}
	}
	if failed > 0 {
		return &report.Failure{
			What: fmt.Sprintf("%d of %d hosts were not paired", failed, len(hosts))}
	}
	return nil
}

func pairWith(o *options.Options, lines func() (string, error)) error {
	d := dialer(o)
	name := o.Alias
	if o.User != "" {
		name = o.User + "@" + name
	}
	if lines == nil { // else each host has its line, whether it can be reached or not
		if err := d.Reach(context.Background()); err != nil {
			return err
		}
	}
	paired, err := d.Pair(context.Background(), dial.CodeFrom(terminal.Questions{}, lines, name))
	if err != nil {
		return err
	}
	if paired.NotKnown != nil {
		return &report.Failure{
			What: fmt.Sprintf("%s has listed your key, but its host key %s %s could not be "+
				"written to known_hosts", name, keys.TypeName(paired.Host),
				keys.Fingerprint(paired.Host)),
			Advice: "the next connection will ask about that host key; free some space first",
		}
	}
	if o.LogLevel < options.LevelInfo {
		return nil
	}
	fmt.Fprintf(os.Stderr, "minissh: paired with %s; its host key %s %s is in known_hosts, your "+
		"key %s is listed there\n", name,
		keys.TypeName(paired.Host), keys.Fingerprint(paired.Host), keys.Fingerprint(paired.Own))
	fmt.Fprintf(os.Stderr, "minissh: try: minissh %s uname -a\n", report.Target(o))
	return nil
}

// pipedLines reads codes from standard input, one a line; nil if it is a terminal.
func pipedLines() func() (string, error) {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	in := bufio.NewReaderSize(os.Stdin, 4096)
	return func() (string, error) {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = nil
		}
		return string(line), err
	}
}
