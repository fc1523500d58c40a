//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"minissh/scripts/lifetime"
)

// options are what the command line chose. Zero means the row's own default.
type options struct {
	rounds  int
	size    int64 // bytes of one bulk stream
	delay   time.Duration
	idle    int
	peers   []string
	json    bool
	strict  bool
	list    bool
	verbose bool
	limit   time.Duration
	rows    []string
}

func parseOptions(args []string) (options, error) {
	var o options
	var size, peers string
	f := flag.NewFlagSet("scripts/bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 0, "rounds of each row (default: the row's own, see -list)")
	f.StringVar(&size, "size", "2G", "`bytes` of one bulk stream, with K, M or G")
	f.DurationVar(&o.delay, "delay", 50*time.Millisecond, "one-way delay of the relay")
	f.IntVar(&o.idle, "idle", 1000, "idle sessions opened to minisshd")
	f.StringVar(&peers, "peers", "openssh,dropbear,minissh", "peers to measure")
	f.BoolVar(&o.json, "json", false, "print one JSON object instead of the table")
	f.BoolVar(&o.strict, "strict", false, "exit 1 when a target is missed or was not measured")
	f.BoolVar(&o.list, "list", false, "list the rows and stop")
	f.BoolVar(&o.verbose, "v", false, "show at the end what the daemons have printed")
	f.DurationVar(&o.limit, "limit", 30*time.Minute, "end the run after this long")
	f.Usage = func() {
		fmt.Fprintf(f.Output(),
			"usage: scripts/bench [flags] [row…]\n\nWithout a row it measures all. Rows:\n")
		printRows(f.Output())
		fmt.Fprintf(f.Output(), "\nFlags:\n")
		f.PrintDefaults()
	}
	// Flags may come between rows too: `scripts/bench cold -rounds 3`.
	for {
		if err := f.Parse(args); err != nil {
			return o, err
		}
		if args = f.Args(); len(args) == 0 {
			break
		}
		o.rows, args = append(o.rows, args[0]), args[1:]
	}
	o.peers = strings.Split(peers, ",")
	for _, p := range o.peers {
		if _, known := starters[p]; !known {
			return o, fmt.Errorf("unknown peer %q (known: openssh, dropbear, minissh)", p)
		}
	}
	var err error
	o.size, err = parseSize(size)
	return o, err
}

// parseSize reads a whole number of bytes with an optional binary suffix K, M or G.
func parseSize(s string) (int64, error) {
	shift := 0
	if s != "" {
		if i := strings.IndexByte("KMG", s[len(s)-1]); i >= 0 {
			shift, s = 10*(i+1), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not a size such as 256M or 2G", s)
	}
	return n << shift, nil
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if o.list {
		printRows(os.Stdout)
		return
	}
	ctx, stop := lifetime.Context(o.limit)
	defer stop()
	ok, err := benchmark(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// benchmark runs the chosen rows and prints the report. ok is false when ours failed, or, with
// -strict, when a target was not met.
func benchmark(ctx context.Context, o options) (ok bool, err error) {
	chosen, err := chooseRows(o.rows)
	if err != nil {
		return false, err
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return false, err
	}
	defer l.close()
	if err := l.startPeers(); err != nil {
		return false, err
	}
	rep := newReport(l)
	for _, r := range chosen {
		l.progress("%s: %s", r.name, r.title)
		res := r.run(ctx, l)
		res.Name, res.Title = r.name, r.title
		rep.Rows = append(rep.Rows, res)
		if ctx.Err() != nil {
			break
		}
		if !o.json {
			res.print(os.Stdout)
		}
	}
	if ctx.Err() != nil {
		return false, fmt.Errorf("stopped before the end: %w", context.Cause(ctx))
	}
	if o.json {
		err = rep.writeJSON(os.Stdout)
	} else {
		rep.printSummary(os.Stdout)
	}
	return rep.ok(o.strict), err
}
