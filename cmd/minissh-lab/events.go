package main

import (
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

// eventLog prints what happens on the wire: each recv, each send, each remark, one
// line each. A long run of one kind is cut after maxRun lines and summed up. It is
// used by one goroutine at a time.
type eventLog struct {
	p    *speak.Printer
	runs map[int]*eventRun // by connection; a connection's entry goes with its last remark
}

// eventRun is a run of the same operation on one connection.
type eventRun struct {
	op          dialect.Op
	n           int
	more, bytes int // what was not printed
}

const (
	maxRun   = 6  // lines of one kind in a row
	maxShown = 64 // bytes of data that a line shows
)

func newEventLog(p *speak.Printer) *eventLog { return &eventLog{p: p, runs: map[int]*eventRun{}} }

// print shows e of connection n, whose lines begin with prefix.
func (l *eventLog) print(n int, prefix string, e dialect.Event) {
	r := l.runs[n]
	if r == nil {
		r = &eventRun{}
		l.runs[n] = r
	}
	if e.Op != r.op {
		l.endRun(prefix, r)
		*r = eventRun{op: e.Op}
	}
	r.n++
	if r.n > maxRun && e.Op != dialect.Note {
		r.more++
		r.bytes += len(e.Data)
		return
	}
	switch {
	case e.Op == dialect.Note:
		// Each line has its prefix: the two languages may be below each other.
		l.p.Raw(prefix + strings.ReplaceAll(l.p.Lang.Text(e.Zh, e.En), "\n", "\n"+prefix) + "\n")
	case e.Op == dialect.Recv && e.Data == nil:
		l.p.Raw(prefix + "recv      " + l.p.Lang.Text("空：对方关闭了",
			"empty: the peer has closed") + "\n")
	case len(e.Data) == 0 && e.Op == dialect.Send:
		l.p.Raw(prefix + "send    0 " + l.p.Lang.Text("没有字节可发", "no bytes to send") + "\n")
	default:
		from := "" // of a datagram
		if e.Zh != "" {
			from = "  ← " + e.Zh
		}
		l.p.Raw(fmt.Sprintf("%s%s %4d %s%s\n", prefix, e.Op, len(e.Data),
			speak.QuoteShort(e.Data, maxShown), from))
	}
}

// end prints what is left of connection n's run and forgets it.
func (l *eventLog) end(n int, prefix string) {
	if r := l.runs[n]; r != nil {
		l.endRun(prefix, r)
		delete(l.runs, n)
	}
}

func (l *eventLog) endRun(prefix string, r *eventRun) {
	if r.more > 0 {
		l.p.Raw(prefix + string(r.op) + "      " + l.p.Lang.Text(
			fmt.Sprintf("… 还有 %d 次，%d 字节", r.more, r.bytes),
			fmt.Sprintf("… %d more, %d bytes", r.more, r.bytes)) + "\n")
	}
}
