package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
)

// turn is what one side says until the other speaks, or the connection changes.
type turn struct {
	conn  int
	way   tape.Way
	data  []byte
	end   string   // FIN, RST, or refused; "" if the turn ends otherwise
	lines []string // as they are shown
	more  int      // lines that are not
}

func (t *turn) show(lines ...string) {
	for _, line := range lines {
		if len(t.lines) < turnLines {
			t.lines = append(t.lines, line)
		} else {
			t.more++
		}
	}
}

// turnLines is how many lines a turn may have.
const turnLines = 12

// turns cuts a run into turns, connection after connection.
func turns(v *runView, events []tape.Event) (all []turn) {
	byConn := slices.Clone(events)
	slices.SortStableFunc(byConn, func(a, b tape.Event) int { return a.Conn - b.Conn })
	decoders := map[int]*tape.Decoder{}
	for _, e := range byConn {
		if slices.Contains([]tape.Kind{tape.Open, tape.Full, tape.Send, tape.Recv}, e.Kind) {
			continue
		}
		n := len(all) - 1
		if n < 0 || all[n].conn != e.Conn || all[n].way != e.Way || all[n].end != "" {
			all = append(all, turn{conn: e.Conn, way: e.Way})
			n++
		}
		t := &all[n]
		if decoders[e.Conn] == nil {
			decoders[e.Conn] = tape.NewDecoder(v.d, v.big)
		}
		switch e.Kind {
		case tape.Data:
			t.data = append(t.data, e.Data...)
			t.show(fmt.Sprintf("%s %d B %s", arrow(e.Way), len(e.Data),
				speak.QuoteShort(e.Data, maxShown)))
		case tape.End:
			t.end = "FIN"
		case tape.Reset:
			t.end = "RST"
		default:
			t.end = "✗ " + v.p.Lang.Text("连不上服务端", "the server cannot be reached")
		}
		if t.end != "" {
			t.show(strings.TrimSpace(arrow(e.Way) + " " + t.end))
		}
		for _, note := range decoders[e.Conn].Event(e) {
			if note.En == "" {
				t.show("  " + arrow(note.Way) + " " + v.fieldText(note.Field))
			} else {
				t.show(strings.Split("  · "+v.p.Lang.Text(note.Zh, note.En), "\n")...)
			}
		}
	}
	for i := range all {
		if n := all[i].more; n > 0 {
			all[i].lines = append(all[i].lines, fmt.Sprintf("… (+%d)", n))
		}
	}
	return all
}

// showBeside shows two runs side by side, turn by turn, and says where they first differ.
func showBeside(c *cli.Context, p *speak.Printer, r recording, left, right string) error {
	var heads [2]string
	var both [2][]turn
	for i, path := range []string{left, right} {
		h, events, err := openRun(path)
		if err != nil {
			return err
		}
		heads[i] = runTitle(h)
		both[i] = turns(newRunView(p, r.dialect, r.bigEndian), events)
	}
	column := (columns(c) - 3) / 2
	row := func(a, b string) {
		a = clip(a, column)
		p.Raw(strings.TrimRight(a+strings.Repeat(" ", column-speak.Width(a))+" │ "+
			clip(b, column), " ") + "\n")
	}
	row(heads[0], heads[1])
	differ := ""
	for i := range max(len(both[0]), len(both[1])) {
		var t [2]turn
		for side := range both {
			if i < len(both[side]) {
				t[side] = both[side][i]
			}
		}
		row(strings.Repeat("─", column), strings.Repeat("─", column))
		for n := range max(len(t[0].lines), len(t[1].lines)) {
			row(lineOf(t[0], n), lineOf(t[1], n))
		}
		if differ == "" {
			differ = difference(p.Lang, i+1, t[0], t[1])
		}
	}
	if differ == "" {
		differ = p.Lang.Text("两次的字节完全一样（分成的块可以不同）",
			"the bytes of both runs are the same (their pieces may differ)")
	}
	p.Raw(differ + "\n")
	return nil
}

func lineOf(t turn, n int) string {
	if n < len(t.lines) {
		return t.lines[n]
	}
	return ""
}

// difference says in what two turns differ, "" if in nothing. Pieces are left to chance by TCP, and
// are not compared.
func difference(l speak.Lang, n int, a, b turn) string {
	at := 0
	for at < min(len(a.data), len(b.data)) && a.data[at] == b.data[at] {
		at++
	}
	switch {
	case len(a.lines) == 0 || len(b.lines) == 0 || a.way != b.way || a.conn != b.conn:
		return l.Text(fmt.Sprintf("第 %d 轮开始不同：说话的不是同一边", n),
			fmt.Sprintf("they differ from turn %d on: another side speaks", n))
	case !bytes.Equal(a.data, b.data):
		return l.Text(fmt.Sprintf("第 %d 轮（%s）的第 %d 个字节开始不同", n, arrow(a.way), at+1),
			fmt.Sprintf("they differ from byte %d of turn %d (%s) on", at+1, n, arrow(a.way)))
	case a.end != b.end:
		return l.Text(fmt.Sprintf("第 %d 轮结束得不同", n),
			fmt.Sprintf("turn %d ends in different ways", n))
	}
	return ""
}

// columns is the terminal's width, 100 without one.
func columns(c *cli.Context) int {
	if f, ok := c.App.Writer.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w >= 40 {
			return w
		}
	}
	return 100
}

// clip cuts a line to so many columns.
func clip(s string, most int) string {
	if speak.Width(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += speak.Width(string(r)); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}
