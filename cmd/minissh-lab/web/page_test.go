package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/web/record"
)

// shown is a block that a lane shows.
type shown struct{ Lane, From, To, N string }

const blocks = `[...document.querySelectorAll('.panel')].map((p) => [...p.querySelectorAll('.track')].flatMap((l) => [...l.querySelectorAll('.block:not(.held)')].map((b) => ({Lane: l.dataset.lane, From: b.dataset.from, To: b.dataset.to, N: b.dataset.n ?? ''}))))`

// expected is what a side's lanes must show after n of its events.
func expected(side *record.Trace, n int) (want []shown) {
	lanes := map[string][]shown{}
	read, ready := 0, [2]int{}
	for _, e := range side.Events[:n] {
		switch e.Kind {
		case record.KindSend, record.KindSegment, record.KindRecv, record.KindFrame:
			if e.To > e.From {
				lanes[e.Kind] = append(lanes[e.Kind],
					shown{e.Kind, fmt.Sprint(e.From), fmt.Sprint(e.To), fmt.Sprint(e.N)})
			}
		}
		switch e.Kind {
		case record.KindBuffer:
			ready = [2]int{e.From, e.To}
		case record.KindRecv:
			read, ready = e.To, [2]int{e.To, max(e.To, ready[1])}
		}
	}
	if read > 0 {
		lanes["buffer"] = append(lanes["buffer"], shown{"buffer", "0", fmt.Sprint(read), ""})
	}
	if ready[1] > ready[0] {
		lanes["buffer"] = append(lanes["buffer"],
			shown{"buffer", fmt.Sprint(ready[0]), fmt.Sprint(ready[1]), ""})
	}
	for _, lane := range []string{"frame", "send", "segment", "buffer", "recv"} {
		want = append(want, lanes[lane]...)
	}
	return want
}

// Every step of every lesson's run shows what the sockets did up to then, forwards
// and backwards alike.
func TestEveryStepShowsWhatTheSocketsDid(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("13a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	b.witness()
	for _, p := range Presets() {
		if p.Live != "" {
			continue
		}
		b.choose(p.Name)
		b.predictAndRun(0, 0)
		sides := b.answered("run")
		last := max(len(sides[0].Events), len(sides[1].Events))
		if got := eval[int](b, `+document.getElementById('step').max`); got != last {
			t.Fatalf("%s: %d steps, want %d", p.Name, got, last)
		}
		// it has begun to play
		eval[bool](b, `window.dispatchEvent(new KeyboardEvent('keydown', {key: 'Shift'}))`)
		b.goTo(0)
		forwards := make([]string, last+1)
		for step := 0; step <= last; step++ {
			if step > 0 {
				b.do(chromedp.Click("#next", chromedp.ByQuery))
			}
			got := eval[[][]shown](b, blocks)
			for i, side := range sides {
				want := expected(side, min(step, len(side.Events)))
				if fmt.Sprint(got[i]) != fmt.Sprint(want) {
					t.Fatalf("%s, side %s, step %d shows\n%v, want\n%v", p.Name, side.Name, step,
						got[i], want)
				}
			}
			forwards[step] = eval[string](b, `document.getElementById('panels').textContent`)
			if last > 30 && step == 12 { // a long run: its end, and the way back
				b.goTo(-1)
				break
			}
		}
		for step := last - 1; step >= 0 && step > last-12; step-- {
			b.do(chromedp.Click("#back", chromedp.ByQuery))
			if back := eval[string](b,
				`document.getElementById('panels').textContent`); forwards[step] != "" &&
				back != forwards[step] {
				t.Errorf("%s: step %d is another one on the way back", p.Name, step)
			}
		}
		b.goTo(-1)
		wrong, right := eval[int](b, `document.querySelectorAll('.verdict.bad').length`),
			eval[int](b, `document.querySelectorAll('.verdict.good').length`)
		want := 0
		for _, side := range sides {
			if side.Right {
				want++
			}
		}
		if right != want || wrong != 2-want {
			t.Errorf("%s: %d right and %d wrong verdicts, want %d right", p.Name, right, wrong,
				want)
		}
	}
	if f := b.foreign(); len(f) > 0 {
		t.Errorf("the page asks for %v", f)
	}
}

// plainHello does not belong to a lesson: what is asked is what fits any setting.
const plainHello = "m=5,5&r=1024&g=10&d=50&n=1&f=none&t=letters"

// The prediction comes first, and is compared with what was measured when the step is there.
func TestPredictionComesFirst(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL(plainHello))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	if !eval[bool](b,
		`document.getElementById('run').disabled && document.getElementById('result').hidden`) {
		t.Error("it can be run without a prediction")
	}
	b.predictAndRun(0, 1) // 5 bytes; 2 segments
	b.goTo(0)
	if b.text("#foretold") != "" {
		t.Error("the outcome is told before its step")
	}
	b.goTo(-1)
	said := b.text("#foretold")
	sides := eval[int](b, `document.querySelectorAll('[data-lane=segment] .block').length`)
	if !strings.Contains(said, "◇ 没猜中：你猜“5”，实际是“10”。") ||
		!strings.Contains(said, "不会在第一条后面停住") ||
		sides > 0 && !strings.Contains(said, "◆ 猜中：2") {
		t.Errorf("it says %q", said)
	}
	b.do(chromedp.Click("#again", chromedp.ByQuery))
	b.until(`document.getElementById('result').hidden`)
	if !eval[bool](b, `document.getElementById('run').disabled`) {
		t.Error("the old prediction is kept")
	}
}

// fact is what the story of the chosen byte says.
func (b *tab) fact(name string) string { return b.text(`[data-fact="` + name + `"]`) }

// byteAt is the middle of a byte in a side's lane, in pixels of the page.
func (b *tab) byteAt(side int, lane string, offset, total int) (x, y float64) {
	b.Helper()
	box := eval[[]float64](b,
		fmt.Sprintf(
			`(() => { const r = document.querySelectorAll('.panel')[%d].querySelector('[data-lane=%s]').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()`, side, lane))
	return box[0] + box[2]*(float64(offset)+0.5)/float64(total), box[1] + box[3]/2
}

// A byte is touched with the mouse, with a finger, and with keys: its story is the trace's.
func TestTouchedBytesTellTheirStory(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("15a"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	b.witness()
	b.predictAndRun(0, 0)
	b.goTo(-1)
	sides := b.answered("run")
	tell := func(side, offset int, how string) {
		t.Helper()
		trace := sides[side]
		if got, want := b.fact("hex"), fmt.Sprintf("%02x", trace.Bytes[offset]); got != want {
			t.Errorf("%s: byte %d is shown as %s, want %s", how, offset, got, want)
		}
		for _, kind := range []string{record.KindSend, record.KindSegment, record.KindRecv} {
			for _, e := range trace.Events {
				if e.Kind != kind || offset < e.From || offset >= e.To {
					continue
				}
				want := fmt.Sprintf("#%d", e.N)
				if got := b.fact(kind); !strings.HasPrefix(got, want) ||
					!strings.Contains(got, fmt.Sprintf("第 %d/%d 字节", offset-e.From+1,
						e.To-e.From)) {
					t.Errorf("%s: byte %d: %s says %q, want %s", how, offset, kind, got, want)
				}
			}
		}
	}
	for side, trace := range sides {
		for offset := range trace.Bytes {
			x, y := b.byteAt(side, []string{"send", "segment", "buffer", "recv"}[offset%4], offset,
				len(trace.Bytes))
			b.do(chromedp.MouseClickXY(x, y))
			tell(side, offset, "mouse")
		}
	}
	// The first four bytes of the mended side: 05 00 00 00, a length of 5, little-endian.
	x, y := b.byteAt(1, "recv", 2, len(sides[1].Bytes))
	b.do(chromedp.ActionFunc(nothing),
		input.DispatchTouchEvent(input.TouchStart, []*input.TouchPoint{{X: x, Y: y}}),
		input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}))
	b.until(`document.querySelector('[data-fact="hex"]').textContent === '00'`)
	tell(1, 2, "touch")
	if b.fact("value") != "5 (小端)" || !strings.Contains(b.fact("field"), "05 00 00 00") ||
		!strings.Contains(b.fact("took"), `第 1 条 "hello"`) {
		t.Errorf("value %q, field %q, taken for %q", b.fact("value"), b.fact("field"),
			b.fact("took"))
	}
	eval[bool](b, `(() => { document.querySelectorAll('.lanes')[1].focus(); return true; })()`)
	// right, right, left, home, end
	for i, key := range []string{"\ue014", "\ue014", "\ue012", "\ue011", "\ue010"} {
		b.do(chromedp.KeyEvent(keyName[key]))
		tell(1, []int{3, 4, 3, 0, len(sides[1].Bytes) - 1}[i], "keys")
	}
	if v := eval[string](b,
		`document.activeElement.getAttribute('aria-valuetext')`); !strings.Contains(v, "recv") {
		t.Errorf("a screen reader hears %q", v)
	}
	// Before it was received it says so.
	b.goTo(1)
	if got := b.fact("recv"); got != "到这一步还没有" {
		t.Errorf("at step 1 recv says %q", got)
	}
}

// A Chinese character cut in half by recv: which byte of which character.
func TestACharacterCutInHalf(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("16"))
	b.predictAndRun(0, 0)
	b.goTo(-1)
	eval[bool](b, `(() => { document.querySelectorAll('.lanes')[0].focus(); return true; })()`)
	b.do(chromedp.KeyEvent(keyName["\ue011"]), chromedp.KeyEvent(keyName["\ue014"]))
	if got := b.text(".char"); got != "“包”的第 2 / 3 个字节" {
		t.Errorf("%q", got)
	}
	if got := b.text(".took"); !strings.Contains(got, `\x`) {
		t.Errorf("the naive program's first message is %q", got)
	}
}

// ls becomes frames, each labelled, each byte with its send and recv.
func TestLiveCommandBecomesFrames(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL("own"))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	b.witness()
	b.predictAndRun(2)
	sides := b.answered("live")
	for _, step := range []int{0, 1, 5, -1} {
		b.goTo(step)
	}
	got := eval[[][]shown](b, blocks)
	frames := 0
	for i, side := range sides {
		frames += len(side.Sent)
		if want := expected(side, len(side.Events)); fmt.Sprint(got[i]) != fmt.Sprint(want) {
			t.Errorf("%s shows\n%v, want\n%v", side.Name, got[i], want)
		}
	}
	if n := eval[int](b, `document.querySelectorAll('#frames button').length`); n != frames {
		t.Errorf("%d frames are listed, want %d", n, frames)
	}
	if said := b.text("#foretold"); !strings.Contains(said, "◆ 猜中：7 帧或更多") {
		t.Errorf("the prediction: %q", said)
	}
	eval[bool](b,
		`(() => { [...document.querySelectorAll('#frames button')].find((x) => x.innerText.includes('OPEN\n') || x.querySelector('b').textContent === 'OPEN').click(); return true; })()`)
	if v := b.fact("value"); !strings.Contains(v, `"command":"ls"`) {
		t.Errorf("OPEN's payload is %q", v)
	}
	if v := b.fact("message"); !strings.Contains(v, "OPEN") {
		t.Errorf("the frame is %q", v)
	}
}

// With the keyboard alone: predict, run, step, choose a byte; the focus is seen at every stop.
func TestKeyboardAlone(t *testing.T) {
	l := startLab(t)
	b := openTab(t, l, projector, l.URL(plainHello))
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	tab := func(until string) {
		t.Helper()
		for range 60 {
			b.do(chromedp.KeyEvent("\t"))
			if !eval[bool](b,
				`(() => { const e = document.activeElement, s = getComputedStyle(e), l = e.closest('label.option'); return e !== document.body && parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none' })()`) {
				t.Errorf("the focus is not seen on %s",
					eval[string](b, `document.activeElement.outerHTML.slice(0, 80)`))
			}
			if eval[bool](b, `document.activeElement.matches(`+fmt.Sprintf("%q", until)+`)`) {
				return
			}
		}
		t.Fatalf("Tab never reaches %s", until)
	}
	tab(`#predict input[name=recv]`)
	b.do(chromedp.KeyEvent(" "))
	tab(`#predict input[name=segments]`)
	b.do(chromedp.KeyEvent(" "), chromedp.KeyEvent(keyName["\ue014"]))
	tab(`#run`)
	b.do(chromedp.KeyEvent("\r"))
	b.until(`!document.getElementById('result').hidden && document.activeElement.id === 'next'`)
	b.do(chromedp.KeyEvent("\r")) // it stops what plays by itself, and is a step on
	before := eval[int](b, `+document.getElementById('step').value`)
	b.do(chromedp.KeyEvent(" "))
	if got := eval[int](b, `+document.getElementById('step').value`); got != before+1 {
		t.Errorf("step %d is followed by %d", before, got)
	}
	eval[bool](b, `(() => { document.querySelector('.skip').focus(); return true; })()`)
	tab(`#step`)
	b.do(chromedp.KeyEvent(keyName["\ue010"]))
	tab(`.lanes, #again`)
	eval[bool](b, `(() => { document.querySelector('.skip').focus(); return true; })()`)
	tab(`.lanes`)
	b.do(chromedp.KeyEvent(keyName["\ue010"]))
	if b.fact("hex") != "64" {
		t.Errorf("the last byte of world is %q", b.fact("hex"))
	}
}

// A page of another origin, even with the token, gets nothing run and nothing told.
func TestAnotherOriginGetsNothing(t *testing.T) {
	l := startLab(t)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>x</title>"))
	}))
	defer evil.Close()
	b := openTab(t, l, projector, evil.URL)
	attack := `(async () => {
		const out = [], lab = 'http://` + l.host() + `';
		for (const o of [
			{ method: 'POST', headers: { 'X-Lab-Token': '` + l.token + `', 'Content-Type': 'application/json' }, body: '{"command":"ls"}' },
			{ method: 'POST', mode: 'no-cors', body: '{"command":"ls"}' },
			{ method: 'GET' },
		]) out.push(await fetch(lab + '/api/live', o).then((r) => r.type === 'opaque' ? 'opaque' : 'answered ' + r.status, () => 'refused'));
		const f = document.createElement('iframe'); f.src = lab + '/#token=` + l.token + `';
		await new Promise((done) => { f.onload = f.onerror = done; document.body.append(f); });
		let inside; try { inside = f.contentDocument?.title ?? 'closed'; } catch { inside = 'closed'; }
		return [...out, inside].join(' ');
	})()`
	var said string
	if err := chromedp.Run(b.ctx, chromedp.Evaluate(attack, &said, awaited)); err != nil {
		t.Fatal(err)
	}
	if said != "refused refused refused closed" {
		t.Errorf("the attack says %q", said)
	}
}

// A link from the teacher has no token: without a lab of one's own it says what to type,
// and with one it opens the setting.
func TestATeachersLink(t *testing.T) {
	l := startLab(t)
	shared := "http://" + l.host() + "/#at=14a"
	b := openTab(t, l, projector, shared)
	b.until(`!document.getElementById('problem').hidden`)
	if said := b.text("#problem"); !strings.Contains(said, "minissh-lab web --open --at '14a'") {
		t.Errorf("without a token it says %q", said)
	}
	b.do(chromedp.Navigate(l.URL("")), chromedp.Navigate("about:blank"), chromedp.Navigate(shared))
	b.until(
		`document.getElementById('preset').value === '14a' && document.getElementById('text').value === 'lines'`)
	if hash := eval[string](b, `location.href`); strings.Contains(hash, "token") {
		t.Errorf("the address line shows %s", hash)
	}
	b.do(chromedp.Navigate("about:blank"),
		chromedp.Navigate("http://"+l.host()+"/#m=7,8,9&r=3&g=5&d=20&n=0&f=fixed&t=chinese"))
	b.until(
		`document.getElementById('messages').value === '7, 8, 9' && document.getElementById('framing').value === 'fixed' && !document.getElementById('nodelay').checked`)
	if !strings.HasSuffix(eval[string](b, `location.hash`),
		"#m=7,8,9&r=3&g=5&d=20&n=0&f=fixed&t=chinese") {
		t.Errorf("the link of this setting is %s", eval[string](b, `location.hash`))
	}
}

// The language of the command line is the page's first one, whatever the browser's is.
func TestTheCommandLinesLanguage(t *testing.T) {
	l := startLab(t)
	for _, lang := range []string{"zh", "en"} {
		b := openTab(t, l, projector, l.URL("15a")+"&lang="+lang)
		b.until(`document.querySelectorAll('#predict fieldset').length === 2`)
		if got := eval[string](b, `document.documentElement.lang`); !strings.HasPrefix(got, lang) {
			t.Errorf("--lang %s shows %s", lang, got)
		}
		if hash := eval[string](b, `location.href`); strings.Contains(hash, "lang=") {
			t.Errorf("the address line keeps %s", hash)
		}
	}
}
