package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/web/record"
)

// patience bounds what a browser does: it is long, and only a failure waits so long.
const patience = 2 * time.Minute

// browser is one Chromium for all tests; TestMain ends it.
var browser struct {
	once sync.Once
	ctx  context.Context
	end  context.CancelFunc
	err  error
}

func startBrowser() {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		browser.err = exec.ErrNotFound
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("enable-precise-memory-info", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root may not use it
	}
	allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
	browser.end = end
	browser.ctx, _ = chromedp.NewContext(allocated)
	browser.err = chromedp.Run(browser.ctx)
}

// endBrowser lets it end by itself: one that is killed leaves its folders.
func endBrowser() {
	if browser.ctx != nil {
		chromedp.Cancel(browser.ctx)
		browser.end()
	}
}

// look is how a page is looked at.
type look struct {
	width, height int64
	dark          bool
	lang          string // zh-CN, en-US
	reduced       bool
}

func (l look) String() string {
	theme := "light"
	if l.dark {
		theme = "dark"
	}
	return fmt.Sprintf("%dx%d-%s-%s", l.width, l.height, theme, l.lang[:2])
}

var projector = look{1280, 720, false, "zh-CN", false}

// looks are both sizes in both themes and both languages.
func looks() (all []look) {
	for _, size := range [][2]int64{{1280, 720}, {1920, 1080}} {
		for _, dark := range []bool{false, true} {
			for _, lang := range []string{"zh-CN", "en-US"} {
				all = append(all, look{size[0], size[1], dark, lang, false})
			}
		}
	}
	return all
}

// tab is a page in a profile of its own. What it complains about fails the test.
type tab struct {
	*testing.T
	ctx  context.Context
	lab  *Lab
	mu   sync.Mutex
	urls []string // all that was asked for
}

// openTab opens an address as seen through a look.
func openTab(t *testing.T, l *Lab, as look, url string) *tab {
	t.Helper()
	browser.once.Do(startBrowser)
	if browser.err == exec.ErrNotFound {
		t.Skip("not run: needs chromium")
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, err := newProfile(t)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	b := &tab{T: t, ctx: ctx, lab: l}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.mu.Lock()
			b.urls = append(b.urls, e.Request.URL)
			b.mu.Unlock()
		case *runtime.EventExceptionThrown:
			t.Errorf("the page throws %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				t.Errorf("the page complains: %+v", e.Args[0])
			}
		}
	})
	scheme, motion := "light", "no-preference"
	if as.dark {
		scheme = "dark"
	}
	if as.reduced {
		motion = "reduce"
	}
	b.do(network.Enable(), chromedp.EmulateViewport(as.width, as.height),
		emulation.SetUserAgentOverride("minissh-lab test").WithAcceptLanguage(as.lang),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: motion}}),
		chromedp.Navigate(url))
	return b
}

// newProfile opens an empty tab with storage of its own. (It wants a window of its own:
// where none is open, Chromium makes no tab in a new profile.)
func newProfile(t *testing.T) (context.Context, error) {
	onBrowser := cdp.WithExecutor(browser.ctx, chromedp.FromContext(browser.ctx).Browser)
	profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(onBrowser)
	if err != nil {
		return nil, err
	}
	blank := target.CreateTarget("about:blank").WithBrowserContextID(profile)
	id, err := blank.WithNewWindow(true).Do(onBrowser)
	if err != nil {
		return nil, err
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithTargetID(id))
	t.Cleanup(func() {
		cancel()
		if err := target.DisposeBrowserContext(profile).Do(onBrowser); err != nil {
			t.Log(err)
		}
	})
	return ctx, nil
}

// do runs actions; an error ends the test.
func (b *tab) do(actions ...chromedp.Action) {
	b.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.Fatalf("%v; the page says %q", err, b.text("body"))
	}
}

// eval runs JavaScript and gives its value.
func eval[T any](b *tab, script string) (value T) {
	b.Helper()
	var raw []byte
	err := chromedp.Run(b.ctx, chromedp.Evaluate(script, &raw))
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &value)
	}
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return value
}

// text is what an element says.
func (b *tab) text(selector string) string {
	var out string
	// "" when the page is gone
	chromedp.Run(b.ctx,
		chromedp.Evaluate(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector),
			&out))
	return out
}

// until waits for a condition. A page that was just left takes with it what was asked of it: then
// it is asked anew.
func (b *tab) until(condition string) {
	b.Helper()
	var err error
	for range 5 {
		err = chromedp.Run(b.ctx,
			chromedp.Poll(condition, nil, chromedp.WithPollingTimeout(patience)))
		if err == nil || !strings.Contains(err.Error(), "Cannot find context") {
			break
		}
	}
	if err != nil {
		b.Fatalf("%v; the page says %q", err, b.text("body"))
	}
}

// predictAndRun answers each question with the given option, counted from 0, or with its first, and
// runs.
func (b *tab) predictAndRun(options ...int) {
	b.Helper()
	b.until(`document.querySelectorAll('#predict input').length > 0`)
	eval[bool](b,
		fmt.Sprintf(
			`(() => { document.querySelectorAll('#predict fieldset').forEach((f, i) => f.querySelectorAll('label')[%s[i] ?? 0].click()); document.getElementById('run').click(); return true; })()`, jsonOf(append([]int{}, options...))))
	b.until(`!document.getElementById('result').hidden`)
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// answered is the last answer of the lab, as the browser received it: what the
// sockets did.
func (b *tab) answered(path string) (sides []*record.Trace) {
	b.Helper()
	var got struct{ Sides []*record.Trace }
	if err := json.Unmarshal([]byte(eval[string](b, "window.__answer")), &got); err != nil {
		b.Fatal(err)
	}
	return got.Sides
}

// witness keeps the text of each answer of the lab beside the page, before the page
// sees it.
func (b *tab) witness() {
	b.Helper()
	eval[bool](b,
		`(() => { const real = fetch; window.fetch = async (...a) => { const r = await real(...a); if (r.ok) window.__answer = await r.clone().text(); return r; }; return true; })()`)
}

// choose opens a lesson's setting in the page that is open.
func (b *tab) choose(lesson string) {
	b.Helper()
	b.until(`document.querySelectorAll('#preset option').length > 1`)
	eval[bool](b,
		fmt.Sprintf(
			`(() => { document.getElementById('again').click(); location.hash = '#at=%s'; return true; })()`, lesson))
	b.until(
		fmt.Sprintf(
			`document.getElementById('preset').value === %q && document.getElementById('result').hidden`, lesson))
}

// goTo steps to a step; -1 is the last.
func (b *tab) goTo(step int) {
	b.Helper()
	eval[bool](b,
		fmt.Sprintf(
			`(() => { const s = document.getElementById('step'); s.value = %d < 0 ? s.max : '%d'; s.dispatchEvent(new Event('input')); return true; })()`, step, step))
}

// foreign are addresses asked for that are not the lab's.
func (b *tab) foreign() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.urls {
		if !strings.HasPrefix(u, "http://"+b.lab.host()+"/") && u != "about:blank" {
			all = append(all, u)
		}
	}
	return all
}
