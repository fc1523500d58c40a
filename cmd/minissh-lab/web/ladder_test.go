package web

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"minissh/cmd/minissh-lab/web/taped"
)

// ladderLooks are both sizes and a phone, each in both themes and one of the languages.
func ladderLooks() (all []look) {
	for i, size := range [][2]int64{{1280, 720}, {1920, 1080}, {390, 844}} {
		all = append(all, look{size[0], size[1], i == 1, "zh-CN", false},
			look{size[0], size[1], i != 1, "en-US", false})
	}
	return all
}

// ladder predicts something, runs a preset, and goes to a step of its ladder.
func (b *tab) ladder(lesson string, step int) {
	b.Helper()
	b.choose(lesson)
	b.until(`document.querySelectorAll('#predict fieldset').length > 0`)
	options := make([]int, eval[int](b, `document.querySelectorAll('#predict fieldset').length`))
	b.predictAndRun(options...)
	b.goTo(step)
	if eval[string](b, `document.getElementById('view').getAttribute('aria-pressed')`) == "false" {
		eval[bool](b, `(() => { document.getElementById('view').click(); return true; })()`)
	}
}

// The ladder in every look: what it is for is seen, everything is legible, and the page is not
// wider than its window.
func TestLadderInEveryLook(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Recorded = func() ([]taped.Run, bool) {
		return []taped.Run{ownRun("mine", "\x05\x00\x00\x00hello")}, false
	}
	serveLab(t, l)
	for _, as := range ladderLooks() {
		t.Run(as.String(), func(t *testing.T) {
			b := openTab(t, l, as, l.URL("15a"))
			for _, v := range []struct {
				lesson string
				step   int
			}{{"40ms", -1}, {"far", -1}, {"full", -1}, {"15a", 5}, {"own", -1}} {
				b.ladder(v.lesson, v.step)
				b.checkLadder(v.lesson+"-ladder-"+as.String(), as)
			}
			eval[bool](b, `(() => { document.getElementById('mode-recorded').click(); return true; })()`)
			b.until(`document.querySelectorAll('.ladder .ev').length > 3`)
			b.goTo(-1)
			b.checkLadder("recorded-ladder-"+as.String(), as)
		})
	}
}

func (b *tab) checkLadder(name string, as look) {
	b.Helper()
	b.until(`document.querySelectorAll('.ladder .ev:not(.later)').length > 2`)
	if as.width < 900 { // it scrolls
		if os.Getenv("MINISSH_SCREENSHOTS") != "" {
			eval[bool](b, `(() => { document.querySelector('.ladder').scrollIntoView(); return true; })()`)
		}
		b.picture(name)
	} else {
		b.legible(name)
	}
	if wide := eval[string](b, `(() => { const e = [...document.querySelectorAll('#result *')].find((e) => e.getClientRects().length && !e.closest('.took') && e.getBoundingClientRect().right > innerWidth + 1); return e ? (e.className.baseVal ?? e.className) + ' ' + e.textContent.slice(0, 40) : ''; })()`); wide != "" {
		b.Errorf("%s is wider than the window: %s", name, wide)
	}
	faults := eval[[]string](b, `[...document.querySelectorAll('.times text')].filter((e) => e.closest('.later') === null && e.closest('svg').getClientRects().length).flatMap((e) => {
		const r = e.getBoundingClientRect(), s = e.closest('svg').getBoundingClientRect();
		return r.left < s.left - 1 || r.right > s.right + 1 ? [e.textContent] : [];
	})`)
	if len(faults) > 0 {
		b.Errorf("%s: cut off: %s", name, strings.Join(faults, ", "))
	}
	if faults := eval[[]string](b, overlap); len(faults) > 0 {
		b.Errorf("%s: one above the other: %s", name, strings.Join(faults, ", "))
	}
}

// overlap are the lengths and names of waits that other words cover.
const overlap = `[...document.querySelectorAll('.times')].flatMap((s) => {
	const all = [...s.querySelectorAll('text')].filter((e) => !e.closest('.later') && e.getClientRects().length).map((e) => [e, e.getBoundingClientRect()]);
	return all.filter(([e]) => e.closest('.wait, .held, .blocked, .window, .waiting')).flatMap(([e, r]) => all.filter(([o, q]) =>
		o !== e && Math.min(q.right, r.right) - Math.max(q.left, r.left) > 2 && Math.min(q.bottom, r.bottom) - Math.max(q.top, r.top) > 3).map(([o]) => e.textContent + ' and ' + o.textContent));
})`

// drawn is what a ladder shows of a kind, as the place of its upper end and its text.
func (b *tab) drawn(ladder int, kind string) (all []struct {
	Y    float64
	High float64
	Text string
}) {
	b.Helper()
	return eval[[]struct {
		Y    float64
		High float64
		Text string
	}](b, fmt.Sprintf(`[...document.querySelectorAll('.ladder')[%d].querySelectorAll('%s')]`+
		`.filter((e) => !e.classList.contains('later')).map((e) => { const r = e.getBBox(); `+
		`return {Y: r.y, High: r.height, Text: e.querySelector('text')?.textContent ?? ''}; })`,
		ladder, kind))
}

// What the ladder is for: a delayed acknowledgement, a round trip and a full window are seen, as
// high as they were long, and nothing is drawn before its step.
func TestLadderTells(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("15a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	b.witness()
	linux := runtime.GOOS == "linux"
	b.ladder("40ms", -1)
	held, waits := b.drawn(0, ".ev.held"), b.drawn(0, ".wait")
	if linux && (len(held) != 1 || held[0].High < 100 || len(waits) == 0 ||
		len(b.drawn(0, ".ev.tcp")) == 0) {
		t.Errorf("Nagle: held %+v, waits %+v", held, waits)
	}
	if n := len(b.drawn(1, ".ev.held")); n > 0 {
		t.Errorf("TCP_NODELAY holds back %d times", n)
	}
	b.ladder("far", -1)
	acks, flights := b.drawn(1, ".ev.ack"), b.drawn(0, ".ev.segment")
	if len(acks) != 2 || acks[0].High < 20 || len(flights) == 0 && linux {
		t.Errorf("acks %+v, segments %+v", acks, flights)
	}
	if text := b.text(".legend"); !strings.Contains(text, "模拟") {
		t.Errorf("it is not said that the latency is simulated: %s", text)
	}
	b.ladder("full", -1)
	if full := b.drawn(0, ".ev.window"); linux && (len(full) == 0 ||
		len(b.drawn(0, ".ev.blocked")) == 0) {
		t.Errorf("the window is full: %+v", full)
	}
	b.ladder("15a", 0)
	for i := range 2 {
		if shown := b.drawn(i, ".ev"); len(shown) > 0 {
			t.Errorf("before the first step: %+v", shown)
		}
	}
	step := func() int { return eval[int](b, `Number(document.getElementById('step').value)`) }
	eval[bool](b, `(() => { document.querySelector('.ladder').focus(); return true; })()`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown),
		chromedp.KeyEvent(kb.ArrowUp))
	if step() != 1 || len(b.drawn(1, ".ev.send")) != 1 {
		t.Errorf("the keys lead to step %d, %+v", step(), b.drawn(1, ".ev.send"))
	}
	sides := b.answered("run")
	last := len(sides[1].Events) - 1
	eval[bool](b, fmt.Sprintf(`(() => { document.querySelector('.side-fixed .ev[data-k="%d"]')`+
		`.dispatchEvent(new MouseEvent('click')); return true; })()`, last))
	if step() != last+1 {
		t.Errorf("a click on the last event leads to step %d, want %d", step(), last+1)
	}
	eval[bool](b, `(() => { document.getElementById('view').click(); return true; })()`)
	if got := eval[[][]shown](b, blocks); fmt.Sprint(got[1]) !=
		fmt.Sprint(expected(sides[1], last+1)) {
		t.Errorf("the lanes are not at the ladder's step: %v", got[1])
	}
}

// Two runs beside each other are drawn whole: what explains them is not below the panel's edge.
func TestTwoLaddersAreWhole(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	runs := []taped.Run{ownRun("mine", "abcd and more"), ownRun("mended", "abcd and more")}
	l.Recorded = func() ([]taped.Run, bool) { return runs, false }
	serveLab(t, l)
	for _, as := range []look{{1280, 720, true, "zh-CN", true}, {1280, 720, false, "en-US", true}} {
		b := openTab(t, l, as, l.URL("recorded=1"))
		b.until(`document.querySelectorAll('.panel').length === 4`)
		eval[bool](b, `(() => { document.getElementById('view').click(); return true; })()`)
		b.until(`document.querySelectorAll('.ladder .ev').length > 6`)
		b.goTo(-1)
		if over := eval[[]int](b, `[...document.querySelectorAll('.panel:not(.second) .ladder')]`+
			`.map((e) => e.scrollHeight - e.clientHeight)`); over[0] > 0 || over[1] > 0 {
			t.Errorf("%v: %v pixels are below the edge", as, over)
		}
	}
}
