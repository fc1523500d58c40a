package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/web/record"
)

// The run of every preset is taken along, as a page and as a capture.
func TestEveryPresetIsTakenAlong(t *testing.T) {
	l := startLab(t)
	for _, p := range Presets() {
		if p.Live != "" {
			continue
		}
		sides, err := record.Run(t.Context(), p.Setting)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		for _, kind := range []string{"html", "pcap"} {
			status, text := l.request(t, "POST", "/api/export", jsonOf(struct {
				Kind string `json:"kind"`
				Replay
			}{kind, Replay{Mode: "lab", Lang: "en", Theme: "light", View: "lanes",
				Setting: &p.Setting, Sides: sides}}), nil)
			if status != 200 {
				t.Errorf("%s as %s: %d %.200s", p.Name, kind, status, text)
			}
		}
	}
}

// What the page breaks into lines is in lines in the drawing, too: no text leaves the drawing or
// covers another. The lasting marks are in it.
func TestDrawingIsWhole(t *testing.T) {
	l := startLab(t)
	for _, lang := range []string{"zh-CN", "en-US"} {
		b := openTab(t, l, look{1280, 720, false, lang, true}, l.URL("12"))
		b.predictAndRun()
		b.goTo(-1)
		var faults []string
		b.do(chromedp.Evaluate(`(async () => {
			const { drawing } = await import('/drawing.js');
			const d = new DOMParser().parseFromString(drawing(), 'image/svg+xml').documentElement;
			d.setAttribute('style', 'position: fixed; left: 0; top: 0');
			document.body.append(d);
			const all = [...d.querySelectorAll('text')].map((e) => [e.textContent, e.getBoundingClientRect()]);
			const whole = d.getBoundingClientRect(), faults = [];
			for (const [text, r] of all) {
				if (r.right > whole.right + 1) faults.push(text + ' is cut off');
				for (const [other, q] of all) if (q !== r && Math.min(q.right, r.right) - Math.max(q.left, r.left) > 3 && Math.min(q.bottom, r.bottom) - Math.max(q.top, r.top) > 9) faults.push(text + ' and ' + other);
			}
			if (!d.querySelectorAll('line').length) faults.push('no marks');
			return faults;
		})()`, &faults, awaited))
		if len(faults) > 0 {
			t.Errorf("%s: %s", lang, strings.Join(faults, "\n"))
		}
	}
}
