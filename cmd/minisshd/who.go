package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/flags"
)

func whoCommand() *cli.Command {
	return &cli.Command{
		Name: "who", Usage: "list the sessions of the running daemon, and what runs in them",
		ArgsUsage: " ",
		Flags: flags.Once(
			yes("json", "for programs: an object with a list of sessions"),
			controlFlag("the daemon's control socket: the `PATH` that it was started with"),
		),
		Action: func(c *cli.Context) error {
			if err := optionsOnly(c); err != nil {
				return err
			}
			var answer control.WhoInfo
			if err := ask(c, "who", nil, &answer); err != nil {
				return err
			}
			if c.Bool("json") {
				out := json.NewEncoder(os.Stdout)
				out.SetIndent("", "  ")
				return out.Encode(answer)
			}
			if answer.Silent > 0 {
				fmt.Fprintf(os.Stderr, "minisshd: %d old daemons do not answer: their sessions "+
					"are not listed\n", answer.Silent)
			}
			return writeSessions(os.Stdout, answer.Sessions)
		},
		OnUsageError: usageError,
	}
}

func endCommand() *cli.Command {
	return &cli.Command{
		Name: "end", Usage: "hang up a session of the running daemon, and stop what runs in it",
		ArgsUsage: "ID…",
		Description: "The numbers are those that minisshd who shows. The client is told; it may " +
			"log in again, unless its key is taken away.",
		Flags: flags.Once(controlFlag("the daemon's control socket: the `PATH` that it was " +
			"started with")),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return advise("end needs the number of a session", "minisshd who lists them")
			}
			var ids []int64 // all are understood before the first is ended
			for _, word := range c.Args().Slice() {
				id, err := strconv.ParseInt(word, 10, 64)
				switch {
				case err != nil && strings.HasPrefix(word, "-"):
					return advise(protocol.Quote(word)+" comes after a number",
						"options come first: minisshd end --control PATH ID…")
				case err != nil:
					return advise(protocol.Quote(word)+" is not the number of a session",
						"minisshd who lists them")
				}
				ids = append(ids, id)
			}
			var failures []string
			for _, id := range ids {
				var ended control.EndInfo
				err := ask(c, "end", control.EndArgs{ID: id}, &ended)
				var said *control.Error
				switch {
				case errors.As(err, &said) && c.Args().Len() > 1:
					failures = append(failures, said.What)
					continue
				case err != nil:
					return err
				}
				fmt.Println(endLine(ended))
				if !ended.Stopped {
					failures = append(failures,
						fmt.Sprintf("not all that ran in session %d could be stopped in time", id))
				}
			}
			if failures != nil {
				return errors.New(strings.Join(failures, "; "))
			}
			return nil
		},
		OnUsageError: usageError,
	}
}

// ask puts one question to the running daemon.
func ask(c *cli.Context, verb string, args, answer any) error {
	paths, err := controlPaths(c)
	if err != nil {
		return err
	}
	return noDaemon(c, control.Ask(c.Context, paths, verb, args, nil, answer), paths)
}

func endLine(e control.EndInfo) string {
	line := fmt.Sprintf("session %d of %s from %s is ended", e.Session.ID, shown(e.Session.User),
		e.Session.From)
	switch n := len(e.Session.Commands); {
	case n == 1:
		line += ", with " + activityText(e.Session.Commands[0])
	case n > 1:
		line += fmt.Sprintf(", with %d commands", n)
	}
	return line
}

// writeSessions writes a table: a line for each session, and for each further command in it.
func writeSessions(w io.Writer, sessions []control.SessionInfo) error {
	if len(sessions) == 0 {
		_, err := fmt.Fprintln(w, "nobody is logged in")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tUSER\tFROM\tKEY\tAGE\tIDLE\tIN\tOUT\tRUNNING")
	for _, s := range sessions {
		running := []string{"-"}
		for i, command := range s.Commands {
			text := activityText(command) + " for " + durationText(command.Age)
			if i == 0 {
				running[0] = text
				continue
			}
			running = append(running, text)
		}
		if s.Old {
			running[0] = "(old daemon) " + running[0]
		}
		switch {
		case s.Ending:
			running[0] = "(ending) " + running[0]
		case s.Away:
			running[0] = fmt.Sprintf("(connection lost %s ago, held for %s) %s",
				durationText(s.Lost), durationText(s.Held), running[0])
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, shown(s.User), s.From,
			shortKey(s.Key), durationText(s.Age), durationText(s.Idle),
			bytesText(s.In), bytesText(s.Out), running[0])
		for _, more := range running[1:] {
			fmt.Fprintf(table, "\t\t\t\t\t\t\t\t%s\n", more)
		}
	}
	return table.Flush()
}

// activityText is what a session does, in one line that is safe for a terminal.
func activityText(a control.ActivityInfo) string {
	switch {
	case a.Service != "exec":
		return "(" + shown(a.Service) + ")"
	case a.Command == "":
		return "(login shell)"
	}
	return protocol.Quote(logbook.Shorten(a.Command, 200))
}

// shortKey is enough of a fingerprint to recognize a key; --json has all of it.
func shortKey(key string) string {
	kind, print, found := strings.Cut(key, " SHA256:")
	if !found || len(print) < 10 {
		return key
	}
	return kind + " " + print[:10] + "…"
}

// durationText is a number of seconds in the largest unit of which there are about two or more.
func durationText(seconds int64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%dm", seconds/60)
	case seconds < 2*86400:
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dd", seconds/86400)
}

// bytesText is a number of bytes in powers of 1024.
func bytesText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 999.5 && unit < 4 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.3g%cB", value, "KMGTP"[unit])
}
