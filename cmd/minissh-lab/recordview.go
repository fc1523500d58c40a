package main

import (
	"fmt"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
)

// runView prints a run in the terminal: each piece, and below it the fields that it completed.
// Everything from the programs is quoted. One goroutine uses it.
type runView struct {
	p     *speak.Printer
	d     *dialect.Dialect // nil: guess
	big   bool
	conns map[int]*connView

	pieces, bytes [2]int // by direction
	sends, recvs  [2]int // that a tracer saw, by the direction of the bytes
	full          bool
}

// connView is one connection.
type connView struct {
	decoder *tape.Decoder
	last    int64 // when its last event was
	sides   [2]sideView
	way     tape.Way // of the run of pieces that is under way
	run     int      // pieces in it
	more    int      // of them not printed
	bytes   int      // in those
}

// sideView is one direction of a connection.
type sideView struct {
	at     int64   // bytes so far
	starts []int64 // where the pieces begin that no field has used up
}

const (
	maxPieces = 8  // lines for pieces of one direction in a row
	maxFields = 12 // lines of fields below a piece
)

func newRunView(p *speak.Printer, d *dialect.Dialect, bigEndian bool) *runView {
	return &runView{p: p, d: d, big: bigEndian, conns: map[int]*connView{}}
}

func sideOf(w tape.Way) int {
	if w == tape.Up {
		return 0
	}
	return 1
}

func arrow(w tape.Way) string { return []string{"→", "←"}[sideOf(w)] }

// show prints events.
func (v *runView) show(events []tape.Event) {
	for _, e := range events {
		v.event(e)
	}
}

func (v *runView) event(e tape.Event) {
	if e.Kind == tape.Full {
		v.full = true
		v.p.Say("记满了（16 MiB 或 100000 块）：从这里起只传，不记",
			"the recording is full (16 MiB, or 100,000 pieces): from here on, bytes are passed on "+
				"and not recorded")
		return
	}
	switch e.Kind {
	case tape.Send:
		v.sends[sideOf(e.Way)]++
		return
	case tape.Recv:
		v.recvs[sideOf(e.Way)]++
		return
	}
	k := v.conns[e.Conn]
	if k == nil {
		k = &connView{decoder: tape.NewDecoder(v.d, v.big), last: e.At}
		v.conns[e.Conn] = k
	}
	if e.Kind != tape.Data || e.Way != k.way {
		v.endRun(e.Conn, k)
	}
	gap := e.At - k.last
	k.last = e.At
	line := func(what string) { v.line(e.Conn, "+"+span(gap), arrow(e.Way), what) }
	switch e.Kind {
	case tape.Open:
		v.line(e.Conn, span(e.At), "", v.p.Lang.Text("连上了", "connected"))
	case tape.Refused:
		v.line(e.Conn, "+"+span(gap), "", v.p.Lang.Text("连不上服务端：它在运行吗？地址对吗？",
			"the server cannot be reached: does it run, and at this address?"))
	case tape.End:
		line(v.p.Lang.Text("FIN：不再发了", "FIN: it sends no more"))
	case tape.Reset:
		line(v.p.Lang.Text("RST：连接断了", "RST: the connection is broken"))
	case tape.Data:
		v.piece(e, k, line)
		return
	}
	v.notes(e, k)
}

// piece prints what was read in one piece.
func (v *runView) piece(e tape.Event, k *connView, line func(string)) {
	side := sideOf(e.Way)
	v.pieces[side]++
	v.bytes[side] += len(e.Data)
	s := &k.sides[side]
	s.starts = append(s.starts, s.at)
	s.at += int64(len(e.Data))
	k.way = e.Way
	if k.run++; k.run > maxPieces {
		k.more++
		k.bytes += len(e.Data)
	} else {
		segments := "     "
		if e.Segments > 0 {
			segments = fmt.Sprintf("%d seg", min(e.Segments, 9999))
		}
		line(fmt.Sprintf("%5d B  %s  %s", len(e.Data), segments,
			speak.QuoteShort(e.Data, maxShown)))
	}
	v.notes(e, k)
}

// notes prints what the event has completed, and what is worth saying about it.
func (v *runView) notes(e tape.Event, k *connView) {
	fields, messages := 0, map[int]bool{}
	for _, n := range k.decoder.Event(e) {
		if n.En != "" {
			v.remark(e.Conn, n.Zh, n.En)
			continue
		}
		if n.Way == e.Way {
			messages[n.Message] = true
		}
		if n.Name == "command" && e.Kind == tape.Data && n.To-n.From == int64(len(e.Data)) {
			continue // the piece's own line has said it
		}
		if fields++; fields > maxFields {
			continue
		}
		v.line(e.Conn, "", arrow(n.Way), "  "+v.fieldText(n.Field)+k.spread(v.p.Lang, n.Field))
	}
	if fields > maxFields {
		v.remark(e.Conn, fmt.Sprintf("… 还有 %d 个字段", fields-maxFields),
			fmt.Sprintf("… %d more fields", fields-maxFields))
	}
	if len(messages) > 1 && e.Kind == tape.Data {
		v.remark(e.Conn, fmt.Sprintf("这一块里有 %d 条消息的字节：流没有边界", len(messages)),
			fmt.Sprintf("this piece has bytes of %d messages: the stream has no boundaries",
				len(messages)))
	}
	for side := range k.sides {
		k.sides[side].prune()
	}
}

// prune keeps the places of a bounded number of pieces.
func (s *sideView) prune() {
	if len(s.starts) > 1<<16 {
		s.starts = s.starts[len(s.starts)/2:]
	}
}

// spread says in how many pieces a field came, if in more than one.
func (k *connView) spread(l speak.Lang, f tape.Field) string {
	s := &k.sides[sideOf(f.Way)]
	for len(s.starts) > 1 && s.starts[1] <= f.From {
		s.starts = s.starts[1:]
	}
	n := 0
	for n < len(s.starts) && s.starts[n] < f.To {
		n++
	}
	if n < 2 {
		return ""
	}
	return l.Text(fmt.Sprintf(" · 分 %d 块来", n), fmt.Sprintf(" · in %d pieces", n))
}

// fieldText is a field in words: `length 56 = 38 00 00 00 little-endian`.
func (v *runView) fieldText(f tape.Field) string {
	names := map[string][2]string{
		"command": {"命令", "command"}, "ack": {"ack", "ack"}, "length": {"长度", "length"},
		"header_length": {"报头长度", "header length"}, "json": {"报头", "header"},
		"digits": {"十进制长度", "length in digits"}, "data": {"数据", "data"},
	}
	word := func(w [2]string) string {
		if v.p.Lang == speak.Both && w[0] != w[1] {
			return w[0] + " " + w[1]
		}
		return v.p.Lang.Text(w[0], w[1])
	}
	text := word(names[f.Name]) + " " + f.Value
	if f.Endian == "" {
		return fmt.Sprintf("%s (%d B)", text, f.To-f.From)
	}
	endian := map[string][2]string{"little": {"小端", "little-endian"},
		"big": {"大端", "big-endian"}}
	return fmt.Sprintf("%s = % x %s", text, f.Bytes, word(endian[f.Endian]))
}

func (v *runView) remark(n int, zh, en string) {
	for text := range strings.SplitSeq(v.p.Lang.Text(zh, en), "\n") {
		v.line(n, "", " ", "  · "+text)
	}
}

// line is one line of a connection's.
func (v *runView) line(n int, when, arrow, what string) {
	v.p.Raw(strings.TrimRight(fmt.Sprintf("#%-3d %10s %s %s", n, when, arrow, what), " ") + "\n")
}

// endRun says what was not printed of a run of pieces.
func (v *runView) endRun(n int, k *connView) {
	if k.more > 0 {
		v.line(n, "", arrow(k.way), v.p.Lang.Text(
			fmt.Sprintf("… 还有 %d 块，%d 字节", k.more, k.bytes),
			fmt.Sprintf("… %d more pieces, %d bytes", k.more, k.bytes)))
	}
	k.run, k.more, k.bytes, k.way = 0, 0, 0, ""
}

// end prints what is left, and the sum.
func (v *runView) end() {
	for n, k := range v.conns {
		v.endRun(n, k)
	}
	v.p.Sayf("连接 %d；→ 块 %d，字节 %d；← 块 %d，字节 %d",
		"connections: %d; → pieces: %d, bytes: %d; ← pieces: %d, bytes: %d", len(v.conns),
		v.pieces[0], v.bytes[0], v.pieces[1], v.bytes[1])
	if v.sends != [2]int{} || v.recvs != [2]int{} {
		v.p.Sayf("strace 看见：→ send %d 次，recv %d 次；← send %d 次，recv %d 次",
			"strace saw: → send: %d, recv: %d; ← send: %d, recv: %d", v.sends[0], v.recvs[0],
			v.sends[1], v.recvs[1])
	}
}

// span is a time with as many digits as mean something.
func span(us int64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%dµs", us)
	case us < 10_000:
		return fmt.Sprintf("%.1fms", float64(us)/1000)
	case us < 1_000_000:
		return fmt.Sprintf("%dms", us/1000)
	case us < 100_000_000:
		return fmt.Sprintf("%.1fs", float64(us)/1_000_000)
	}
	return (time.Duration(us) * time.Microsecond).Round(time.Second).String()
}
