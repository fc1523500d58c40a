package web

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/web/record"
	"minissh/cmd/minissh-lab/web/taped"
)

// hostile is text that would break out of a script, a comment, a string or an element.
const hostile = "</script><script>document.title='broken'</script><!--<img src=x onerror=" +
	"\"document.title='broken'\">]]>\u2028\u2029'\"`${document.title='broken'}"

func writeReplay(t *testing.T, r *Replay) string {
	t.Helper()
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := r.Write(&page); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "replay.html")
	if err := os.WriteFile(name, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + name
}

// A page that was taken along shows the same run, from a file, asks for nothing, and takes what is
// in the run for text.
func TestReplayFromAFile(t *testing.T) {
	l := startLab(t)
	s := record.Setting{Messages: []int{5, 5}, Recv: 1024, NoDelay: true, Framing: "simple",
		Text: "letters"}
	sides, err := record.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	sides[0].Got[0].Text = hostile
	sides[0].Sent[0].Text = hostile
	mine := ownRun(hostile, "\x05\x00\x00\x00hello")
	for i, r := range []*Replay{
		{Mode: "lab", Lang: "zh", Theme: "light", View: "lanes", Setting: &s, Sides: sides},
		{Mode: "lab", Lang: "en", Theme: "dark", View: "ladder", Setting: &s, Sides: sides},
		{Mode: "recorded", Lang: "en", Theme: "light", View: "lanes",
			Runs: []taped.Run{mine, ownRun("mended", "\x05\x00\x00\x00hello")}},
	} {
		b := openTab(t, l, projector, writeReplay(t, r))
		b.until(`document.querySelectorAll('.panel').length >= 2`)
		b.goTo(-1)
		got := eval[[][]shown](b, blocks)
		want := r.Sides
		if r.Runs != nil {
			want = r.Runs[0].Connections[0].Sides
		} else if fmt := jsonOf(got[1]); fmt != jsonOf(expected(want[1], len(want[1].Events))) {
			t.Errorf("%d: it shows %s", i, fmt)
		}
		if len(got) < len(want) || strings.Contains(eval[string](b, `document.title`), "broken") ||
			eval[int](b, `document.querySelectorAll('img').length`) > 0 {
			t.Errorf("%d: broken out of: %q", i, eval[string](b, `document.title`))
		}
		if r.Lang == "zh" != strings.Contains(b.text("header.top h1"), "粘包") {
			t.Errorf("%d: the language is not %s", i, r.Lang)
		}
		b.do(chromedp.Click("#first", chromedp.ByQuery), chromedp.Click("#view", chromedp.ByQuery),
			chromedp.Click("#lang", chromedp.ByQuery), chromedp.Click("#theme", chromedp.ByQuery))
		b.picture("replay-" + r.Mode + "-" + r.View)
		for _, u := range b.urls {
			if !strings.HasPrefix(u, "file://") || !strings.HasSuffix(u, "/replay.html") {
				t.Errorf("%d: it asks for %s", i, u)
			}
		}
		fetched := eval[string](b, `(() => { const s = document.createElement('script'); `+
			`s.textContent = "document.title = 'broken'"; document.body.append(s); `+
			`return document.title; })()`)
		if strings.Contains(fetched, "broken") {
			t.Errorf("%d: the policy lets another script run", i)
		}
	}
}

// The page's own button gives the file, and the lab refuses what is not a run.
func TestExport(t *testing.T) {
	l := startLab(t)
	s := setting("simple", 5, 5)
	sides, err := record.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	body := func(change func(map[string]any)) string {
		var m map[string]any
		if err := json.Unmarshal([]byte(jsonOf(Replay{Mode: "lab", Lang: "zh", Theme: "dark",
			View: "lanes", Setting: &s, Sides: sides})), &m); err != nil {
			t.Fatal(err)
		}
		m["kind"] = "pcap"
		change(m)
		return jsonOf(m)
	}
	side := func(m map[string]any) map[string]any {
		return m["sides"].([]any)[0].(map[string]any)
	}
	for name, c := range map[string]struct {
		status int
		change func(map[string]any)
	}{
		"pcap":         {200, func(map[string]any) {}},
		"html":         {200, func(m map[string]any) { m["kind"] = "html" }},
		"another kind": {400, func(m map[string]any) { m["kind"] = "exe" }},
		"a language":   {400, func(m map[string]any) { m["lang"] = "<script>" }},
		"no sides":     {400, func(m map[string]any) { delete(m, "sides") }},
		"nil":          {400, func(m map[string]any) { m["sides"] = []any{nil, nil} }},
		"a place":      {400, func(m map[string]any) { side(m)["bytes"] = "" }},
		"a framing":    {400, func(m map[string]any) { side(m)["framing"] = "../x" }},
		"another key":  {400, func(m map[string]any) { side(m)["x"] = 1 }},
		"a setting":    {400, func(m map[string]any) { delete(m, "setting") }},
		"too long": {400, func(m map[string]any) {
			side(m)["name"] = strings.Repeat("x", maxExport)
		}},
	} {
		status, text := l.request(t, "POST", "/api/export", body(c.change), nil)
		if status != c.status {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
	}
	b := openTab(t, l, projector, l.URL("15a"))
	b.predictAndRun(0, 0)
	eval[bool](b, `(() => { window.__files = []; URL.createObjectURL = (f) => { `+
		`window.__files.push(f); return 'about:blank#'; }; `+
		`HTMLAnchorElement.prototype.click = function () { window.__name = this.download; }; `+
		`document.getElementById('export').open = true; return true; })()`)
	b.goTo(-1)
	for i, kind := range []string{"html", "pcap", "svg"} {
		b.do(chromedp.Click(`[data-export="`+kind+`"]`, chromedp.ByQuery))
		b.until(`window.__files.length === ` + string(rune('1'+i)))
		b.until(`document.getElementById('export-said').textContent.includes(window.__name)`)
		if size := eval[int](b, `window.__files.at(-1).size`); size < 500 {
			t.Errorf("%s has %d bytes", kind, size)
		}
	}
	for _, view := range []string{"lanes", "ladder"} {
		eval[bool](b, `(() => { document.querySelector('[data-export=svg]').click(); return true; })()`)
		var text string
		b.do(chromedp.Evaluate(`window.__files.at(-1).text()`, &text, awaited))
		faults := eval[string](b, `(() => { const d = new DOMParser().parseFromString(`+
			jsonOf(text)+`, 'image/svg+xml'); return d.querySelector('parsererror') ? 'broken' : `+
			`d.querySelectorAll('text').length < 12 ? 'empty' : `+
			`d.querySelector('[href], foreignObject, script, style') ? 'not plain' : ''; })()`)
		if faults != "" {
			t.Errorf("the drawing of the %s is %s: %.300s", view, faults, text)
		}
		if dir := os.Getenv("MINISSH_SCREENSHOTS"); dir != "" {
			name := filepath.Join(dir, "drawing-"+view+".svg")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Error(err)
			}
		}
		eval[bool](b, `(() => { document.getElementById('view').click(); return true; })()`)
	}
	b.legible("export-" + projector.String())
}
