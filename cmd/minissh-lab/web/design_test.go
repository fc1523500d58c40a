package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keyName are the keys by WebDriver's code points.
var keyName = map[string]string{"\ue014": kb.ArrowRight, "\ue012": kb.ArrowLeft, "\ue011": kb.Home,
	"\ue010": kb.End}

func nothing(context.Context) error { return nil }

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// legible measures all text that is seen: its size, and its contrast by WCAG 2 against
// what is really drawn under it; and the edges of controls, which want 3 to 1.
const legible = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
	const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
	const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const under = (e, x, y) => {
		const stack = document.elementsFromPoint(x, y);
		let colors = [], from = stack.indexOf(e);
		for (const s of from < 0 ? stack : stack.slice(from)) { const c = parse(getComputedStyle(s).backgroundColor); if (c[3] > 0) colors.push(c); if (c[3] === 1) break; }
		colors.push(parse(getComputedStyle(document.documentElement).backgroundColor));
		return colors.reverse().reduce((under, c) => over(c, under));
	};
	const faults = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let n = 0;
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement, s = getComputedStyle(e);
		if (!walk.currentNode.data.trim() || e.matches('.piece b:not(:first-child)') || e.closest('.unseen, .skip, script, option, [hidden]')) continue;
		const range = document.createRange(); range.selectNodeContents(walk.currentNode);
		const r = range.getBoundingClientRect();
		if (!r.width || !r.height || !e.checkVisibility({ visibilityProperty: true })) continue;
		const x = Math.min(innerWidth - 1, Math.max(0, r.left + Math.min(r.width, 6) / 2)), y = r.top + r.height / 2;
		if (y < 0 || y >= innerHeight) continue;
		let clipped = false; for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowY !== 'visible') { const c = p.getBoundingClientRect(); clipped ||= y < c.top || y > c.bottom; }
		if (clipped) continue;
		n++;
		const size = parseFloat(s.fontSize), name = e.className || e.tagName, text = walk.currentNode.data.trim().slice(0, 30);
		if (size < 13.99) faults.push(name + ' ' + text + ': ' + size + ' px');
		let faded = 1; for (let p = e; p; p = p.parentElement) faded *= parseFloat(getComputedStyle(p).opacity);
		const back = under(e, x, y), fore = parse(s.color); fore[3] *= faded;
		const c = ratio(over(fore, back), back);
		const large = size >= 24 || size >= 18.66 && parseInt(s.fontWeight) >= 700;
		if (c < (large ? 3 : 4.5)) faults.push(name + ' ' + text + ': contrast ' + c.toFixed(2) + ' of ' + s.color + ' on ' + back);
	}
	for (const e of document.querySelectorAll('input:not([type=range]), select')) {
		if (!e.getClientRects().length || e.type === 'checkbox' || e.type === 'radio') continue;
		const s = getComputedStyle(e), around = under(e.parentElement, e.getBoundingClientRect().left + 1, e.getBoundingClientRect().top - 2);
		if (ratio(parse(s.borderTopColor), around) < 3) faults.push(e.id + ': edge ' + ratio(parse(s.borderTopColor), around).toFixed(2));
	}
	for (const p of document.querySelectorAll('.pieces')) {
		if (p.closest('.ghost, .held')) continue;
		const c = ratio(parse(getComputedStyle(p).borderTopColor), parse(getComputedStyle(p.querySelector('.piece')).backgroundColor));
		if (c < 3) faults.push('an edge in a block: ' + c.toFixed(2));
	}
	const d = document.scrollingElement;
	if (d.scrollWidth > innerWidth) faults.push('wider than the window: ' + d.scrollWidth);
	if (d.scrollHeight > innerHeight) faults.push('higher than the window: ' + d.scrollHeight + ' of ' + innerHeight);
	if (n < 20) faults.push('only ' + n + ' texts were looked at');
	return faults;
})()`

// views are what is photographed: the lesson, the answers, the step, the byte.
var views = []struct {
	name, lesson string
	answers      []int
	step         int
	byte         int  // of the second side; -1 none
	all          bool // in every look; otherwise in two that differ in everything
}{
	{"predict", "13a", nil, 0, -1, true},
	{"stuck", "15a", []int{0, 1}, -1, 2, true},
	{"begin", "13a", []int{1, 1}, 0, -1, false},
	{"nagle", "13b", []int{0, 2}, 14, 12, true},
	{"leftover", "12", []int{0, 1}, -1, 1, false},
	{"header", "16", []int{0, 0}, 24, 30, false},
	{"ack", "14b", []int{1, 1}, -1, 5, false},
	{"live", "own", []int{2}, -1, 60, true},
	{"live-half", "own", []int{2}, 9, 20, false},
}

// Both sizes, themes and languages: everything is legible and fits the screen. The
// pictures go to MINISSH_SCREENSHOTS, where that is set.
func TestLegibleInEveryLook(t *testing.T) {
	l := startLab(t)
	dir := os.Getenv("MINISSH_SCREENSHOTS")
	for _, as := range looks() {
		if testing.Short() && as != looks()[7] {
			continue // what is drawn does not depend on the race detector
		}
		t.Run(as.String(), func(t *testing.T) {
			b := openTab(t, l, as, l.URL("13a"))
			for _, v := range views {
				if !v.all && as != looks()[0] && as != looks()[7] {
					continue
				}
				b.choose(v.lesson)
				if v.answers != nil {
					b.predictAndRun(v.answers...)
					b.goTo(v.step)
				}
				if v.byte >= 0 {
					eval[bool](b,
						`(() => { document.querySelectorAll('.lanes')[1].focus(); return true; })()`)
					b.do(chromedp.KeyEvent(kb.Home))
					eval[bool](b,
						fmt.Sprintf(
							`(() => { for (let i = 0; i < %d; i++) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'})); document.activeElement.blur(); return true; })()`, v.byte))
				}
				b.until(`document.getAnimations().length === 0`)
				if faults := eval[[]string](b, legible); len(faults) > 0 {
					t.Errorf("%s:\n%s", v.name, strings.Join(faults, "\n"))
				}
				if han := strings.ContainsFunc(b.text("header.top h1"),
					func(r rune) bool { return r > 0x2e80 }); han != strings.HasPrefix(as.lang,
					"zh") {
					t.Errorf("the language is not %s", as.lang)
				}
				if dir != "" {
					var png []byte
					b.do(chromedp.CaptureScreenshot(&png))
					if err := os.WriteFile(filepath.Join(dir, v.name+"-"+as.String()+".png"), png,
						0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// The switches: language and theme change at once, keep the run and its step, and are remembered.
func TestSwitches(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, look{1280, 720, true, "en-US", true}, l.URL("13a"))
	b.predictAndRun(0, 0)
	b.goTo(3)
	if eval[string](b,
		`document.documentElement.dataset.theme + getComputedStyle(document.querySelector('.cursor')).transitionDuration`) != "dark0s" {
		t.Error("dark and without motion is what was asked for")
	}
	b.do(chromedp.Click("#lang", chromedp.ByQuery), chromedp.Click("#theme", chromedp.ByQuery))
	if got := eval[string](b,
		`[document.documentElement.lang, document.documentElement.dataset.theme, document.getElementById('step').value].join()`); got != "zh-CN,light,3" {
		t.Errorf("switched to %s", got)
	}
	if got := b.text(".caption"); !strings.Contains(got, "字节") {
		t.Errorf("the step says %q", got)
	}
	b.do(chromedp.Reload())
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	if got := eval[string](b,
		`[document.documentElement.lang, document.documentElement.dataset.theme].join()`); got !=
		"zh-CN,light" {
		t.Errorf("after a reload %s", got)
	}
}

// The same byte is at the same place in every lane, and has its colour.
func TestLanesAreAligned(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("12"))
	b.predictAndRun(0, 0)
	b.goTo(-1)
	faults := eval[[]string](b, `(() => {
		const faults = [];
		for (const panel of document.querySelectorAll('.panel')) {
			const edges = new Map();
			for (const p of panel.querySelectorAll('.piece')) {
				const r = p.getBoundingClientRect(), color = getComputedStyle(p).backgroundColor;
				for (const [key, at] of [['l' + p.dataset.from, r.left], ['r' + p.dataset.to, r.right], ['m' + p.dataset.message, color]]) {
					const before = edges.get(key) ?? at;
					if (typeof at === 'number' ? Math.abs(before - at) > 6 : before !== at) faults.push(key + ': ' + before + ' and ' + at);
					edges.set(key, before);
				}
			}
			if (edges.size < 4) faults.push('nothing to compare');
		}
		return faults;
	})()`)
	if len(faults) > 0 {
		t.Error(strings.Join(faults, "\n"))
	}
}

// A thousand clicks, many runs, and a tab that plays on: neither the page's elements
// nor its heap grow.
func TestAThousandClicksGrowNothing(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13b"))
	b.predictAndRun(0, 0)
	clicks := func(n int) {
		script := fmt.Sprintf(`(async () => {
			const $ = (id) => document.getElementById(id);
			for (let i = 0; i < %d; i++) {
				if (i %% 100 === 99) { // a new run
					$('again').click();
					document.querySelectorAll('#predict fieldset').forEach((f) => f.querySelector('input').click());
					$('run').click();
					while ($('result').hidden) await new Promise((r) => setTimeout(r, 1));
				}
				const cells = document.querySelectorAll('.cell'), lanes = document.querySelectorAll('.lanes')[i %% 2];
				if (i %% 3 === 0) [$('next'), $('last'), $('back'), $('first'), $('play')][i %% 5].click();
				else if (i %% 3 === 1 && cells.length) cells[i %% cells.length].click();
				else lanes.dispatchEvent(new PointerEvent('pointerdown', { clientX: lanes.getBoundingClientRect().left + 150 + i %% 400, bubbles: true }));
				if (i %% 50 === 0) { $('lang').click(); $('theme').click(); $('share').click(); }
				if (i %% 100 === 50) { $('mode-live').click(); $('mode-lab').click(); document.querySelectorAll('#predict fieldset').forEach((f) => f.querySelector('input').click()); $('run').click(); while ($('result').hidden) await new Promise((r) => setTimeout(r, 1)); }
			}
			$('last').click();
			return true;
		})()`, n)
		var ok bool
		b.do(chromedp.Evaluate(script, &ok, awaited))
	}
	size := func() (nodes int, heap float64) {
		for range 2 {
			b.do(heapprofiler.CollectGarbage())
		}
		b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			heap, _, _, _, err = runtime.GetHeapUsage().Do(ctx)
			return err
		}))
		return eval[int](b, `document.getElementsByTagName('*').length`), heap
	}
	clicks(120)
	nodes, heap := size()
	clicks(1000)
	nodesAfter, heapAfter := size()
	t.Logf("%d elements and %.0f KiB, after 1000 clicks more %d and %.0f KiB", nodes, heap/1024,
		nodesAfter, heapAfter/1024)
	if nodesAfter > nodes+50 || nodesAfter > 2500 {
		t.Errorf("%d elements have become %d", nodes, nodesAfter)
	}
	if heapAfter > heap+1<<20 {
		t.Errorf("a heap of %.0f has become %.0f", heap, heapAfter)
	}
}
