package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"minissh/cmd/minissh-lab/web/record"
)

// The line that ran at a step is the one that the event stands for, in each lesson, on both sides.
func TestTheLineThatRuns(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	b.witness()
	lines := map[string][]string{
		record.KindSend:    {"sender: client.send("},
		record.KindClose:   {"sender: client.close("},
		record.KindRecv:    {"receiver:", "conn.recv("},
		record.KindMessage: {"receiver: print("},
		record.KindAck:     {"sender: client.recv(", "receiver: conn.send(b'recv_ready')"},
	}
	for _, p := range Presets() {
		if p.Live != "" {
			continue
		}
		b.choose(p.Name)
		b.predictAndRun()
		for i, side := range b.answered("run") {
			ran := eval[[]string](b, fmt.Sprintf(ranAtEachStep, i, len(side.Events)))
			for n, e := range side.Events {
				for _, want := range lines[e.Kind] {
					if !strings.Contains(ran[n], want) {
						t.Errorf("%s %s: %s of %d runs\n%s, want %s", p.Name, side.Name, e.Kind, n,
							ran[n], want)
					}
				}
				if lines[e.Kind] == nil && ran[n] != "" {
					t.Errorf("%s %s: %s runs %s", p.Name, side.Name, e.Kind, ran[n])
				}
			}
		}
	}
}

// ranAtEachStep are the lines that are marked after each event of a side.
const ranAtEachStep = `(() => {
	document.querySelectorAll('.which button')[%d].click();
	const step = document.getElementById('step');
	return Array.from({ length: %d }, (_, n) => {
		step.value = n + 1;
		step.dispatchEvent(new Event('input'));
		return [...document.querySelectorAll('.program .ran')].map((r) =>
			r.closest('.program').dataset.end + ': ' + r.textContent.trim()).join('\n');
	});
})()`

// A run plays by itself to its end, passing over nothing; a key stops it. Who wants no motion sees
// the last step at once.
func TestPlaysByItself(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	eval[bool](b,
		`(() => { window.__seen = []; new MutationObserver(() => window.__seen.push(+document.getElementById('step').value)).observe(document.getElementById('count'), { childList: true }); return true; })()`)
	b.predictAndRun()
	b.until(`document.getElementById('step').value === document.getElementById('step').max`)
	b.until(`document.getElementById('play').textContent === '播放'`)
	seen := eval[[]int](b, `window.__seen`)
	last := eval[int](b, `+document.getElementById('step').max`)
	for step := 0; step <= last; step++ {
		if !slices.Contains(seen, step) {
			t.Errorf("step %d of %d was not shown: %v", step, last, seen)
		}
	}
	b.do(chromedp.Click("#again", chromedp.ByQuery))
	b.predictAndRun()
	b.do(chromedp.KeyEvent(kb.Shift))
	step := eval[string](b, `(() => document.getElementById('step').value)()`)
	b.until(`document.getElementById('play').textContent === '播放'`)
	if after := eval[string](b, `document.getElementById('step').value`); after != step {
		t.Errorf("it went on from %s to %s", step, after)
	}
	still := openTab(t, l, look{1280, 720, false, "zh-CN", true}, l.URL("13a"))
	still.predictAndRun()
	still.until(`document.getElementById('step').value === document.getElementById('step').max && document.getElementById('step').max > 5`)
}

// Each lesson's question is its own, and one of its options comes true; who believed another gets
// an
// answer to that, in both languages.
func TestLessonsAskTheirOwn(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	for _, p := range Presets() {
		if p.Live != "" {
			continue
		}
		if len(p.Ask) == 0 {
			if p.View == "" {
				t.Errorf("%s asks nothing of its own", p.Name)
			}
			continue
		}
		sides, err := record.Run(t.Context(), p.Setting)
		if err != nil {
			t.Fatal(err)
		}
		var said [][]string
		b.do(chromedp.Evaluate(fmt.Sprintf(judged, jsonOf(sides), jsonOf(p.Ask)), &said, awaited))
		for i, q := range p.Ask {
			right := 0
			for k, o := range q.Options {
				switch text := said[i][k]; {
				case text == "unknown": // what this system does not tell
					right = 1
				case strings.HasPrefix(text, "◆"):
					right++
					if o.AnswerEn != "" || o.AnswerZh != "" {
						t.Errorf("%s: %q is right, and has an answer", p.Name, o.En)
					}
				case !strings.HasPrefix(text, "◇") || o.AnswerEn == "" || o.AnswerZh == "" ||
					!strings.Contains(text, o.AnswerZh):
					t.Errorf("%s: to %q it says %q", p.Name, o.En, text)
				}
			}
			if right != 1 {
				t.Errorf("%s: %q: %d options come true", p.Name, q.En, right)
			}
		}
	}
}

// judged is what the page says at the end of a run to each option of each question.
const judged = `(async () => {
	const { Side } = await import('./model.js'), predict = await import('./predict.js');
	const sides = %s.map((s) => new Side(s)), ask = %s;
	return predict.questions({}, { ask }).map((q, i) => ask[i].options.map((o) => {
		const [said] = predict.told([q], { [q.name]: o.value }, sides,
			sides.map((s) => s.events.length));
		return said.matches('.hit, .miss') ? said.textContent : 'unknown';
	}));
})()`

// A wrong prediction is not a failed program: another shape, another colour, another word.
func TestAWrongPredictionIsNotAFailure(t *testing.T) {
	l := startLab(t)
	for _, as := range []look{looks()[0], looks()[7]} {
		b := openTab(t, l, as, l.URL("15a"))
		b.predictAndRun(0, 2)
		b.goTo(-1)
		look := eval[[]string](b, `['.guess.miss b', '.guess.hit b', '.verdict.bad',
			'.verdict.good'].map((s) => getComputedStyle(document.querySelector(s)).color)`)
		if look[0] == look[2] || look[1] == look[3] || look[0] == look[3] {
			t.Errorf("colours %v", look)
		}
		if said := b.text("#foretold"); strings.ContainsAny(said, "✗✓") {
			t.Errorf("it says %q", said)
		}
	}
}

// Who chooses put gets messages that it can be run with: the command, and a file.
func TestPutCanBeChosen(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL(plainHello))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	eval[bool](b, `(() => { const f = document.getElementById('framing'); f.value = 'put'; `+
		`f.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	b.predictAndRun()
	b.goTo(-1)
	if said := b.text(".side-fixed .verdict"); !strings.Contains(said, `"put a.txt"`) {
		t.Errorf("it says %q", said)
	}
}

// What the lab refuses is said.
func TestARefusedSettingIsExplained(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, "http://"+l.host()+"/#token="+l.token+"&m=4000&r=1&f=none")
	b.predictAndRunAnyway()
	b.until(`!document.getElementById('problem').hidden`)
	if said := b.text("#problem"); !strings.Contains(said, "more than 200 times") {
		t.Errorf("it says %q", said)
	}
}

// predictAndRunAnyway runs without waiting for a result.
func (b *tab) predictAndRunAnyway() {
	b.Helper()
	b.until(`document.querySelectorAll('#predict fieldset').length === 2`)
	b.do(chromedp.Click("#predict fieldset:nth-of-type(1) label", chromedp.ByQuery),
		chromedp.Click("#predict fieldset:nth-of-type(2) label", chromedp.ByQuery),
		chromedp.Click("#run", chromedp.ByQuery))
}
