package cp

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"minissh/client/dial"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/files"
)

// View shows a transfer. Its methods may be called from several goroutines.
type View struct {
	Messages io.Writer // errors, for people
	Lines    io.Writer // nil, or where a line of JSON goes for each entry
	Screen   *os.File  // nil, or a terminal where progress is drawn
	Quiet    bool      // nothing is said of lost links

	host string // of many, each of whose lines names it; "": there is one

	mu    sync.Mutex // guards the rest
	bar   *bar
	lost  map[*dial.Connection]*dial.Loss // what Follow knows
	ended bool
	total int64
	sum   files.Summary
}

// From is Watch for a transfer with a host: what the host says is shown with its name.
func (v *View) From(host string) func(files.Event) {
	return func(e files.Event) { v.watch(e, host) }
}

// line is what --json prints.
type line struct {
	Name    protocol.Bytes `json:"name,omitempty"`
	Kind    string         `json:"kind,omitempty"`
	Result  string         `json:"result"`
	Size    int64          `json:"size"`
	Host    string         `json:"host,omitempty"` // who said what follows; --on: whose it is
	Code    string         `json:"code,omitempty"`
	Message string         `json:"message,omitempty"`
}

// Watch takes an event of a transfer that no host reported.
func (v *View) Watch(e files.Event) { v.watch(e, "") }

func (v *View) watch(e files.Event, host string) {
	if !e.Far {
		host = ""
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e.What {
	case files.EventTotal:
		v.total += e.Size
		if b := v.progress(); b != nil {
			b.ChangeMax64(v.total)
		}
	case files.EventStart:
		if b := v.progress(); b != nil {
			b.Describe(e.Name)
		}
	case files.EventBytes:
		if b := v.progress(); b != nil {
			b.Add64(e.Size, e.There)
		}
	case files.EventStored:
		if e.Kind != files.KindDir { // nobody says whether it was there already
			v.sum.Stored++
		}
	case files.EventSkipped:
		v.sum.Skipped++
		if b := v.progress(); b != nil && e.Kind == files.KindFile {
			b.Add64(0, e.Size)
		}
	case files.EventFailed:
		v.sum.Failed++
		if e.Err.Code != files.CodeParent { // the folder itself was reported
			v.clear()
			if host != "" {
				fmt.Fprintf(v.Messages, "minissh: %s: %s: %s\n", host, protocol.Quote(e.Name),
					printable(e.Err.Message))
			} else {
				fmt.Fprintf(v.Messages, "minissh: %s: %s\n", protocol.Quote(e.Name),
					printable(e.Err.Message))
			}
		}
	}
	v.print(e, host)
}

// print writes an entry's line.
func (v *View) print(e files.Event, host string) {
	if v.Lines == nil || e.What != files.EventStored && e.What != files.EventSkipped &&
		e.What != files.EventFailed {
		return
	}
	l := line{Host: v.host, Name: protocol.Bytes(e.Name), Kind: string(e.Kind), Result: e.What,
		Size: e.Size}
	if e.Err != nil {
		l.Code, l.Message = e.Err.Code, e.Err.Message
		if v.host == "" {
			l.Host = host
		}
	}
	v.write(l)
}

func (v *View) write(value any) {
	text, err := json.Marshal(value)
	if err == nil {
		v.clear() // both may go to one terminal
		v.Lines.Write(append(text, '\n'))
	}
}

// progress is the bar, if one is drawn.
func (v *View) progress() *bar {
	if v.bar == nil && v.Screen != nil {
		v.bar = &bar{out: v.Screen, width: terminalWidth(v.Screen)}
	}
	return v.bar
}

func (v *View) clear() {
	if v.bar != nil {
		v.bar.Clear()
	}
}

// Add counts content that only passes through, between two other machines.
func (v *View) Add(sum files.Summary) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sum.Bytes += sum.Bytes
}

// End removes the bar, prints the summary, and says whether something failed. People get no summary
// of a copy that could not begin.
func (v *View) End(lasted time.Duration, refused bool) (failed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	if v.bar != nil {
		v.bar.Clear()
	}
	if v.bar != nil && !refused {
		fmt.Fprintf(v.Screen, "%d copied, %d there already, %d failed; %s in %s\n", v.sum.Stored,
			v.sum.Skipped, v.sum.Failed, size(v.sum.Bytes), protocol.Took(lasted))
	}
	if v.Lines != nil {
		v.write(struct {
			Summary  bool  `json:"summary"`
			Stored   int64 `json:"stored"`
			Skipped  int64 `json:"skipped"`
			Failed   int64 `json:"failed"`
			Bytes    int64 `json:"bytes"`
			Duration int64 `json:"duration_ms"`
		}{true, v.sum.Stored, v.sum.Skipped, v.sum.Failed, v.sum.Bytes, lasted.Milliseconds()})
	}
	return v.sum.Failed > 0
}

// Sum is what has happened until now.
func (v *View) Sum() files.Summary {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sum
}

func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f := float64(n)
	for f >= 1024 && len(units) > 1 {
		f, units = f/1024, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}

// Short is a name that is safe for a terminal, cut in the middle to at most so many columns.
func Short(name string, columns int) string {
	quoted := protocol.Quote(name)
	if quoted == `"`+name+`"` {
		quoted = name
	}
	return cutMiddle(quoted, columns)
}

// cutMiddle cuts a text in the middle to at most so many columns.
func cutMiddle(text string, columns int) string {
	if terminal.Columns(text) <= columns {
		return text
	}
	if columns < 1 {
		return ""
	}
	head, tail := []rune(text), []rune(text)
	for terminal.Columns(string(head)) > columns/2 {
		head = head[:len(head)-1]
	}
	for terminal.Columns(string(tail)) > columns-1-terminal.Columns(string(head)) {
		tail = tail[1:]
	}
	return string(head) + "…" + string(tail)
}

// printable is a message from the other side, as it is unless something in it could move a
// terminal's cursor.
func printable(s string) string {
	if !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsGraphic(r) }) {
		return protocol.Quote(s)
	}
	return s
}
