package job

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"minissh/client/dial"
	"minissh/client/terminal"
	"minissh/protocol"
)

// List shows a host's jobs on out, as a table, or with asJSON as one object a line. title says that
// the host's name comes before the table. It returns our exit code.
func List(ctx context.Context, d *dial.Dialer, out io.Writer, asJSON, title bool) int {
	return interruptible(ctx, func(ctx context.Context) error {
		a, err := ask(ctx, d, &protocol.Open{Service: "job",
			Job: &protocol.Job{Do: protocol.JobList}})
		defer a.end()
		if err != nil {
			return naming(d, "").failed(err, a.ch, "")
		}
		if asJSON {
			return writeJSON(out, d.Options.Alias, a.records)
		}
		if title {
			fmt.Fprintf(out, "%s:\n", terminal.Printable(d.Options.Alias))
		}
		return writeTable(out, a.records, time.Now())
	}, d)
}

// Records are the jobs of a host, as far as they can be known before ctx ends.
func Records(ctx context.Context, d *dial.Dialer) []protocol.JobRecord {
	a, err := ask(ctx, d, &protocol.Open{Service: "job",
		Job: &protocol.Job{Do: protocol.JobList}})
	defer a.end()
	if err != nil {
		return nil
	}
	return a.records
}

// writeJSON writes one object a line: a record, and the host.
func writeJSON(out io.Writer, host string, records []protocol.JobRecord) error {
	for i := range records {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(struct {
			Host string `json:"host"`
			*protocol.JobRecord
		}{host, &records[i]}); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out,
			terminal.PlainJSON(strings.TrimSpace(line.String()))); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes a line for each job, safe for a terminal.
func writeTable(out io.Writer, records []protocol.JobRecord, now time.Time) error {
	if len(records) == 0 {
		_, err := fmt.Fprintln(out, "no jobs")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tSTATE\tAGE\tEXIT\tBYTES\tCOMMAND")
	for i := range records {
		r := &records[i]
		name, command := "-", "a shell"
		if r.Name != "" {
			name = quoted(r.Name)
		}
		if len(r.Command) > 0 {
			command = terminal.Printable(begin(string(r.Command)))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shownID(r), name, state(r), age(r, now),
			exit(r), size(r), command)
	}
	return table.Flush()
}

// begin is the beginning of a command.
func begin(command string) string {
	const most = 60
	if runes := []rune(command); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return command
}

// quoted is a word of the other side as it is, or quoted if it is more than that.
func quoted(word string) string {
	if protocol.ValidJobName(word) {
		return word
	}
	return protocol.Quote(word)
}

func state(r *protocol.JobRecord) string {
	switch r.State {
	case protocol.JobReboot:
		return "lost at reboot"
	case protocol.JobRunning:
		if r.Attached > 0 {
			return "attached"
		}
	}
	return strings.ReplaceAll(quoted(r.State), "_", " ")
}

// age is how long ago a job began.
func age(r *protocol.JobRecord, now time.Time) string {
	if r.Began <= 0 {
		return "?"
	}
	d := now.Sub(time.UnixMilli(r.Began))
	if days := d / (24 * time.Hour); days >= 2 {
		return strconv.Itoa(int(days)) + " days"
	}
	return protocol.InWords(d)
}

// exit is a job's exit code, or why it has none.
func exit(r *protocol.JobRecord) string {
	switch e := r.Exit; {
	case r.State == protocol.JobRunning, r.State == protocol.JobHeld:
		return "-"
	case e == nil || e.Check() != nil:
		return "?"
	case e.How == protocol.HowExited:
		return strconv.Itoa(*e.Code)
	case e.How == protocol.HowSignalled:
		return quoted(e.Signal)
	default:
		return quoted(e.How)
	}
}

// size is the bytes of a job's output, with a + if some were dropped.
func size(r *protocol.JobRecord) string {
	text := strconv.FormatInt(r.Stdout+r.Stderr, 10)
	if r.Dropped > 0 {
		text += "+"
	}
	return text
}
