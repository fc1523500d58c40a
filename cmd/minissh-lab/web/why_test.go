package web

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/web/record"
)

// stories are runs of every lesson's setting and of settings that nobody chose.
func stories(t *testing.T) (all []*record.Trace, of []record.Setting) {
	t.Helper()
	var settings []record.Setting
	for _, p := range Presets() {
		if p.Live == "" {
			settings = append(settings, p.Setting)
		}
	}
	random := rand.New(rand.NewPCG(18, 2)) // the same settings each time
	for len(settings) < 120 {
		s := record.Setting{Recv: 1 + random.IntN(40), NoDelay: random.IntN(2) == 0,
			Gap: random.IntN(3) * random.IntN(2), Delay: random.IntN(4) * random.IntN(2),
			Framing: record.Framings[random.IntN(len(record.Framings))],
			Text:    record.Texts[random.IntN(len(record.Texts))]}
		if random.IntN(3) == 0 {
			s.Recv = 1024
		}
		if random.IntN(8) == 0 {
			s.Latency = 2
		}
		for range 1 + random.IntN(5) {
			s.Messages = append(s.Messages, random.IntN(30))
		}
		if random.IntN(10) == 0 {
			s.Messages[0] = 3000
		}
		if s.Framing == "put" {
			s.Messages = []int{len(record.PutCommand), random.IntN(30)}
		}
		if s.Check() == nil {
			settings = append(settings, s)
		}
	}
	for _, s := range settings {
		sides, err := record.Run(t.Context(), s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		for _, side := range sides {
			all, of = append(all, side), append(of, s)
		}
	}
	return all, of
}

// told is what the page says of one step.
type told struct {
	Key   string
	Args  map[string]any
	Words [2]string
	Marks []struct {
		At   int
		Kind string
	}
}

// tell has the page's own modules tell a run, step by step.
func (b *tab) tell(side *record.Trace) (steps []told) {
	b.Helper()
	script := `(async () => {
		const { Side } = await import('./model.js'), { why } = await import('./why.js');
		const { reasons } = await import('./reasons.js');
		const side = new Side(` + jsonOf(side) + `);
		return JSON.stringify(side.events.map((_, i) => {
			const { key, args } = why(side, i + 1);
			return { key, args, words: reasons[key](args), marks: side.marks(i + 1) };
		}));
	})()`
	var text string
	b.do(chromedp.Evaluate(script, &text, awaited))
	if err := json.Unmarshal([]byte(text), &steps); err != nil {
		b.Fatal(err)
	}
	return steps
}

// Each step of each run has one sentence that says why, in both languages, and what it claims is
// so:
// its numbers are those of the events, and it says stuck, cut or alone where that is true.
func TestEveryStepSaysWhy(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	seen := map[string]int{}
	sides, settings := stories(t)
	for i, side := range sides {
		for n, said := range b.tell(side) {
			e := side.Events[n]
			seen[said.Key]++
			if fault := contradiction(side, n, said); fault != "" {
				t.Errorf("%+v, %s, event %d %+v: %s %v %q: %s", settings[i], side.Name, n, e,
					said.Key, said.Args, said.Words, fault)
			}
		}
	}
	t.Logf("%v", seen)
	for _, key := range []string{"met", "stuck", "stuck_cut", "stuck_rest", "cut_full", "rest",
		"whole",
		"took_stuck", "took_piece", "took_told", "took_inside", "ack", "ack_far", "send_empty",
		"part_length", "part_more", "fixed_part", "delimiter_none", "met_told"} {
		if seen[key] == 0 {
			t.Errorf("no run shows %s: it was not looked at", key)
		}
	}
}

// contradiction says what in a sentence is not so, by the events alone; "" if all is.
func contradiction(side *record.Trace, n int, said told) string {
	e := side.Events[n]
	for i, words := range said.Words {
		if len([]rune(words)) < 8 || strings.Contains(words, "undefined") ||
			strings.Contains(words, "NaN") || strings.Contains(words, "null") {
			return "it is not a sentence"
		}
		if limit := []int{70, 150}[i]; len([]rune(words)) > limit {
			return fmt.Sprintf("it has %d characters", len([]rune(words)))
		}
	}
	is := func(name string, want int) string {
		got, ok := said.Args[name]
		if ok && fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Sprintf("%s is %d", name, want)
		}
		return ""
	}
	var there []int // messages, from 1
	for i, m := range side.Sent {
		if m.From < e.To && m.To > e.From {
			there = append(there, i+1)
		}
	}
	starts := len(there) > 0 && side.Sent[there[0]-1].From == e.From
	ends := len(there) > 0 && side.Sent[there[len(there)-1]-1].To == e.To
	naive := side.Framing == "none" || side.Framing == record.NaivePut
	if len(there) > 0 {
		for name, want := range map[string]int{"a": there[0], "b": there[len(there)-1]} {
			if fault := is(name, want); fault != "" {
				return fault
			}
		}
	}
	if e.Kind != record.KindMessage {
		if fault := is("k", e.To-e.From); fault != "" {
			return fault
		}
	}
	want := ""
	switch {
	case e.Kind == record.KindRecv && e.To == e.From:
		want = "recv_end"
	case e.Kind == record.KindRecv && naive:
		if fault := is("cut", side.Sent[there[len(there)-1]-1].To-e.To); fault != "" {
			return fault
		}
		switch {
		case len(there) > 1 && !starts:
			want = "stuck_rest"
		case len(there) > 1 && !ends:
			want = "stuck_cut"
		case len(there) > 1:
			want = "stuck"
		case starts && ends:
			want = "whole"
		case starts:
			want = "cut"
		default:
			want = "rest"
		}
	case e.Kind == record.KindBuffer && len(there) > 1:
		want = "met"
	case e.Kind == record.KindMessage:
		exact := len(there) == 1 && starts && ends
		switch {
		case naive && len(there) > 1:
			want = "took_stuck"
		case naive && exact:
			want = "took_luck"
		case naive:
			want = "took_piece"
		case exact && side.Got[e.N-1].Text == side.Sent[there[0]-1].Text:
			want = "took_told took_fixed took_delimiter"
		default:
			want = "took_inside took_wrong"
		}
	case e.Kind == record.KindSegment && e.Count > 1:
		want = "segments"
	case e.Kind == record.KindAck:
		want = "ack"
	case e.Kind == record.KindSend && e.To == e.From:
		want = "send_empty"
	}
	if !slices.ContainsFunc(strings.Fields(want+" "),
		func(w string) bool { return strings.HasPrefix(said.Key, w) }) && want != "" {
		return "it should be " + want
	}
	if naive && (want == "cut" || want == "whole") && strings.HasSuffix(said.Key, "_full") !=
		(e.To-e.From == e.Ask) {
		return fmt.Sprintf("%d of %d bytes were asked for", e.To-e.From, e.Ask)
	}
	if strings.HasPrefix(said.Key, "part_more") &&
		(!side.Right || fmt.Sprint(said.Args["missing"]) != fmt.Sprint(missing(side, e))) {
		return fmt.Sprintf("%d bytes are missing", missing(side, e))
	}
	return ""
}

// missing is what the field that a recv ends in still lacks; minissh's header is one.
func missing(side *record.Trace, e record.Event) int {
	for _, f := range side.Fields {
		if f.From < e.To && e.To < f.To || f.To == e.To && side.Framing == "minissh" {
			if side.Framing == "minissh" && f.Name != "data" {
				return side.Sent[f.Message].From + 12 - e.To
			}
			return f.To - e.To
		}
	}
	return 0
}

// Where messages stuck or were cut stays marked to the last step, by the events alone, in the page
// as
// in its model.
func TestMarksLast(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	sides, settings := stories(t)
	for i, side := range sides {
		lasting := map[int]string{}
		for n, said := range b.tell(side) {
			marks := map[int]string{}
			for _, m := range said.Marks {
				marks[m.At] = m.Kind
			}
			for at, kind := range lasting {
				if marks[at] != kind && (kind != "met" || marks[at] != "stuck") {
					t.Errorf("%+v %s: at step %d %s at %d is "+
						"%q", settings[i], side.Name, n, kind, at,
						marks[at])
				}
			}
			lasting = marks
		}
		naive := side.Framing == "none" || side.Framing == record.NaivePut
		want := map[int]string{}
		for _, e := range side.Events {
			for _, m := range side.Sent {
				if e.Kind == record.KindRecv && naive && m.To > e.From && m.To < e.To {
					want[m.To] = "stuck"
				}
				if (e.Kind == record.KindRecv && naive || e.Kind == record.KindMessage && !naive) &&
					m.From < e.To && e.To < m.To && e.To > e.From {
					want[e.To] = "cut"
				}
			}
		}
		for at, kind := range lasting {
			if kind == "met" {
				delete(lasting, at)
			}
		}
		if fmt.Sprint(lasting) != fmt.Sprint(want) {
			t.Errorf("%+v %s: marked %v, want %v", settings[i], side.Name, lasting, want)
		}
		if side.Right && naive && len(want) > 0 || !naive && side.Right && len(want) > 0 {
			t.Errorf("%+v %s: right, and marked %v", settings[i], side.Name, want)
		}
	}
	b.choose("15a")
	b.predictAndRun(0, 0)
	b.goTo(-1)
	seams := `[...document.querySelectorAll('[data-lane=buffer] .seam')].map((s) => s.dataset.kind + s.dataset.at + ' ' + s.innerText).join('; ')`
	if got := eval[string](b, seams); !strings.HasPrefix(got, "stuck5 在这里粘上") {
		t.Errorf("the last step shows %q", got)
	}
	if tally := b.text(".side-broken .tally"); !strings.Contains(tally, "粘 1 处") {
		t.Errorf("the tally is %q", tally)
	}
	b.goTo(0)
	if got := eval[string](b, seams); got != "" {
		t.Errorf("before it happened, %q is marked", got)
	}
}
