package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// cutOff are texts of which a part is not seen: outside the window, or outside what clips them and
// cannot be scrolled to them. The letters in a lane's blocks are a picture, and a screen reader's
// words are meant to be out of sight. A select is as wide as its longest option.
const cutOff = `(() => {
	const faults = [];
	const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (typeof e.className === 'string' && e.className ? '.' + e.className.replaceAll(' ', '.') : '');
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (walk.nextNode()) {
		const node = walk.currentNode, e = node.parentElement;
		if (!node.data.trim() || e.closest('.unseen, .skip, .piece, .ladder, script, option, [hidden]')) continue;
		const range = document.createRange(); range.selectNodeContents(node);
		const r = range.getBoundingClientRect();
		if (!r.width || !r.height) continue;
		seen++;
		const text = name(e) + ' “' + node.data.trim().slice(0, 30) + '”';
		if (r.right > innerWidth + 1 || r.left < -1) faults.push(text + ' is outside: ' + Math.round(r.left) + ' to ' + Math.round(r.right));
		for (let p = e; p && p !== document.body; p = p.parentElement) {
			const s = getComputedStyle(p), c = p.getBoundingClientRect();
			if (s.overflowX !== 'visible' && (r.right > c.right + 1.5 || r.left < c.left - 1.5)) faults.push(text + ' is cut by ' + name(p));
			if (['hidden', 'clip'].includes(s.overflowY) && (r.bottom > c.bottom + 2 || r.top < c.top - 2)) faults.push(text + ' is cut below by ' + name(p));
			if (['auto', 'scroll'].includes(s.overflowY) && p.scrollHeight > p.clientHeight + 1 && !p.matches('.program, #frames, .fact-value dd')) faults.push(text + ' scrolls in ' + name(p));
		}
		const box = e.closest('.block') ?? e.closest('.panel, button, .guess, .option, .program, fieldset, #inspector');
		if (box) { const b = box.getBoundingClientRect(); if (r.right > b.right + 1.5 || r.left < b.left - 1.5) faults.push(text + ' leaves ' + name(box)); }
	}
	const pen = document.createElement('canvas').getContext('2d');
	for (const s of document.querySelectorAll('select')) {
		if (!s.getClientRects().length) continue;
		const css = getComputedStyle(s);
		pen.font = css.font;
		for (const o of s.options) {
			const room = s.clientWidth - parseFloat(css.paddingLeft) - parseFloat(css.paddingRight) - 1.25 * parseFloat(css.fontSize);
			if (pen.measureText(o.text).width > room + 1) faults.push(name(s) + ' cuts “' + o.text + '”: ' + Math.round(pen.measureText(o.text).width) + ' of ' + Math.round(room));
		}
	}
	if (document.scrollingElement.scrollWidth > innerWidth) faults.push('it scrolls sideways: ' + document.scrollingElement.scrollWidth);
	if (innerWidth > 900 && document.scrollingElement.scrollHeight > innerHeight) faults.push('it is higher than the window: ' + document.scrollingElement.scrollHeight);
	if (seen < 20) faults.push('only ' + seen + ' texts were looked at');
	if (innerWidth > 900 && document.getElementById('result')?.hidden === false) {
		const low = document.elementsFromPoint(innerWidth * 0.7, innerHeight * 0.85).some((e) => e.id === 'inspector');
		if (!low || document.getElementById('inspector').innerText.length < 40) faults.push('the lower quarter is blank');
	}
	return [...new Set(faults)];
})()`

// On a phone, on a laptop and on a projector, in both languages, nothing is cut off, before a run
// and at its end, and the lower quarter is not blank.
func TestNothingIsCutOff(t *testing.T) {
	l := startLab(t)
	for _, size := range [][2]int64{{390, 844}, {1280, 720}, {1920, 1080}} {
		for _, lang := range []string{"zh-CN", "en-US"} {
			if testing.Short() && (size[0] != 390 || lang != "zh-CN") {
				continue // what is drawn does not depend on the race detector
			}
			as := look{size[0], size[1], lang == "en-US", lang, true}
			t.Run(as.String(), func(t *testing.T) {
				b := openTab(t, l, as, l.URL("13a"))
				for _, lesson := range []string{"8", "12", "13b", "14b", "16", "17-18", "own"} {
					b.choose(lesson)
					b.until(`document.querySelectorAll('#predict input').length > 0`)
					b.fits(as, lesson+" before")
					b.predictAndRun()
					b.until(`document.getElementById('step').value === document.getElementById('step').max`)
					b.fits(as, lesson+" side A")
					if lesson != "own" {
						b.do(chromedp.Click(`.which button:nth-child(2)`, chromedp.ByQuery))
						b.fits(as, lesson+" side B")
					}
				}
			})
		}
	}
}

// fits wants nothing of what the page shows to be cut off.
func (b *tab) fits(as look, what string) {
	b.Helper()
	b.until(`document.getAnimations().length === 0`)
	if faults := eval[[]string](b, cutOff); len(faults) > 0 {
		b.Errorf("%s: %s", what, strings.Join(faults, "\n"))
	}
	b.picture("fit-" + strings.ReplaceAll(what, " ", "-") + "-" + as.String())
}
