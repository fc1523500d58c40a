//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"minissh/scripts/lifetime"
)

// options are what the command line chose.
type options struct {
	short   bool
	list    bool
	verbose bool
	rounds  int
	stream  int // MiB
	bin     string
	limit   time.Duration
	names   []string
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("scripts/attack", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false,
		"a few seconds for each attack; ratios are told and not judged")
	f.BoolVar(&o.list, "list", false, "list the attacks and stop")
	f.BoolVar(&o.verbose, "v", false,
		"show what the attacker says, and the end of the daemon's log")
	f.IntVar(&o.rounds, "rounds", 0, "pairs of windows for each attack (default 5; with --short 1)")
	f.IntVar(&o.stream, "stream", 0, "`MiB` of one honest stream (default 300; with --short 16)")
	f.StringVar(&o.bin, "bin", "", "`DIR` with minissh and minisshd (default: they are built)")
	f.DurationVar(&o.limit, "limit", time.Hour, "end the run after this long")
	f.Usage = func() {
		fmt.Fprintf(f.Output(),
			"usage: scripts/attack [flags] [NAME…]\n\n"+
				"Without a name all are run. Attacks, by kind (which is a name too):\n")
		printAttacks(f.Output())
		fmt.Fprintf(f.Output(), "\nFlags:\n")
		f.PrintDefaults()
	}
	for { // flags may come between names too
		if err := f.Parse(args); err != nil {
			return o, err
		}
		if args = f.Args(); len(args) == 0 {
			break
		}
		o.names, args = append(o.names, args[0]), args[1:]
	}
	if o.rounds == 0 {
		o.rounds = 5
		if o.short {
			o.rounds = 1
		}
	}
	if o.stream == 0 {
		o.stream = 300
		if o.short {
			o.stream = 16
		}
	}
	_, err := choose(o.names)
	return o, err
}

// notRun is why something cannot be run on this machine.
type notRun struct{ why string }

func (e *notRun) Error() string { return "not run: " + e.why }

// roles are what this program is when it has started itself again.
var roles = map[string]func(args []string) error{
	"init": beInit, "run": beRun, "attacker": beAttacker, "spin": beSpin,
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == roleFlag {
		end(roles[os.Args[2]](os.Args[3:]))
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(2)
	}
	if o.list {
		printAttacks(os.Stdout)
		return
	}
	ctx, stop := lifetime.Context(o.limit)
	defer stop()
	end(enterWorld(ctx, o, os.Args[1:]))
}

// toldCode ends the program with this code; why was told already.
type toldCode int

func (toldCode) Error() string { return "it was told" }

// errMissed is of an attack that has harmed somebody, as the table tells.
const errMissed = toldCode(1)

func end(err error) {
	var not *notRun
	var code toldCode
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &code):
		os.Exit(int(code))
	case errors.As(err, &not):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(notRunCode)
	}
	fmt.Fprintln(os.Stderr, "attack:", err)
	os.Exit(1)
}

// beRun is the run itself, in the world.
func beRun(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	chosen, err := choose(o.names)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.limit)
	defer cancel()
	go untilStdinEnds(cancel)
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	return w.attackAll(chosen)
}
