package listing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/web/record"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// source is a program as it would be typed, with its comments in one language.
func source(lines []Line, zh bool) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Code)
		if l.Zh != "" && zh {
			b.WriteString("# " + l.Zh)
		} else if l.Zh != "" {
			b.WriteString("# " + l.En)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func settings() (all []record.Setting) {
	for i, framing := range record.Framings {
		for k, messages := range [][]int{{5, 5}, {3000, 14}, {1, 90, 7, 40, 17}} {
			if framing == "put" {
				messages = []int{9, 11 + 500*k}
			}
			s := record.Setting{Messages: messages, Recv: []int{1024, 64, 100}[k],
				Framing: framing, Text: record.Texts[(i+k)%len(record.Texts)], NoDelay: k != 1}
			if k == 2 {
				s.Gap, s.Delay, s.Buffers = 1, 4, 2048
			}
			all = append(all, s)
		}
	}
	return all
}

// traces are the two sides that a setting is run as, without running it.
func traces(s record.Setting) []*record.Trace {
	switch s.Framing {
	case "none":
		return []*record.Trace{{Framing: "none"}, {Framing: "none", NoDelay: true}}
	case "put":
		return []*record.Trace{{Framing: record.NaivePut, NoDelay: s.NoDelay},
			{Framing: "put", NoDelay: s.NoDelay}}
	}
	return []*record.Trace{{Framing: "none", NoDelay: s.NoDelay},
		{Framing: s.Framing, NoDelay: s.NoDelay}}
}

// pair is both programs of a run, and what the receiver must print.
type pair struct {
	Name             string
	Sender, Receiver string
	Printed          []string // hex, each a message
	Whole            bool     // there are no boundaries: only that all of it comes is certain
}

// driver runs pairs in one process, both ends of each on the loopback. The receiver takes a free
// port.
const driver = `
import json, sys, threading
for pair in json.load(sys.stdin):
    printed, port, ready = [], [], threading.Event()
    def listening(server):
        port.append(server.getsockname()[1])
        ready.set()
    receiver = pair['Receiver'].replace('8080', '0').replace(
        'server.listen(5)', 'server.listen(5); listening(server)')
    names = {'print': lambda m: printed.append(m.hex()), 'listening': listening}
    r = threading.Thread(target=exec, args=(receiver, names), daemon=True)
    r.start()
    assert ready.wait(60), 'it does not listen'
    exec(pair['Sender'].replace('8080', str(port[0])), {})
    r.join(60)
    assert not r.is_alive(), pair['Name']
    if pair['Whole']:
        printed, pair['Printed'] = ''.join(printed), ''.join(pair['Printed'])
    if printed != pair['Printed']:
        print(pair['Name'], 'printed', printed, 'and not', pair['Printed'])
`

// Every program is real: the receiver prints the messages that the sender sent, or, without
// boundaries, all their bytes.
func TestListingsRun(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	var pairs []pair
	for _, s := range settings() {
		for _, tr := range traces(s) {
			l := For(tr, s)
			p := pair{Name: fmt.Sprint(tr.Framing, " ", s.Messages, " ", s.Text),
				Sender: source(l.Sender, true), Receiver: source(l.Receiver, false)}
			contents := s.Contents()
			switch {
			case tr.Framing == record.NaivePut:
				header := bytes.Join(record.Wire(record.NaivePut, contents), nil)
				contents, p.Whole = [][]byte{header}, true
			case tr.Framing == "none":
				p.Whole = true
			case tr.Framing == "delimiter": // that it breaks what holds it is lesson 14a
				contents = bytes.Split(bytes.Join(contents, []byte("\n")), []byte("\n"))
			}
			for _, m := range contents {
				p.Printed = append(p.Printed, fmt.Sprintf("%x", m))
			}
			pairs = append(pairs, p)
		}
	}
	input, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", driver)
	c.Stdin = bytes.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v %s", err, out)
	}
	if len(pairs) < 40 {
		t.Errorf("only %d pairs", len(pairs))
	}
}

// Each kind of event has its line, and each line fits.
func TestEveryEventHasItsLine(t *testing.T) {
	for _, s := range settings() {
		sides, err := record.Run(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range sides {
			l := For(side, s)
			on := map[string]bool{}
			for _, line := range append(l.Sender, l.Receiver...) {
				for _, e := range line.On {
					on[e] = true
				}
				for _, c := range []string{line.Zh, line.En} {
					if n := columns(line.Code); n > Columns || n+columns(c)+2 > Columns+10 ||
						strings.Contains(line.Code, "$") {
						t.Errorf("%s: %d columns: %s# "+
							"%s", side.Framing, n+columns(c)+2, line.Code, c)
					}
				}
			}
			for _, e := range side.Events {
				name := fieldAt(side, e.From)
				ok := true
				switch {
				case e.Kind == record.KindRecv && e.To == e.From:
					ok = on["end"] || on["recv:end"]
				case e.Kind == record.KindSend && e.To > e.From, e.Kind == record.KindRecv:
					ok = on[e.Kind] || on[e.Kind+":"+name]
				case e.Kind == record.KindMessage:
					ok = on[e.Kind] || on[fmt.Sprintf("%s:%d", e.Kind, e.N)]
				case e.Kind == record.KindAck, e.Kind == record.KindClose:
					ok = on[e.Kind]
				}
				if !ok {
					t.Errorf("%s: no line for %s of %s; there are "+
						"%v", side.Framing, e.Kind, name, on)
				}
			}
			if s.Gap > 0 != (on["nap"] && side.Framing != "ack" || on["nap:data"]) {
				t.Errorf("%s: the gap's sleep: %v", side.Framing, on)
			}
		}
	}
}

func fieldAt(tr *record.Trace, at int) string {
	for _, f := range tr.Fields {
		if at >= f.From && at < f.To {
			return f.Name
		}
	}
	return ""
}

func columns(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0x2e80 { // Chinese, with its punctuation
			n++
		}
	}
	return n
}
