package web

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web/taped"
)

// ownRun is a recorded run: a command, and an answer in two pieces, of which one came in two
// segments.
func ownRun(title, answer string) taped.Run {
	return taped.New(title, []tape.Event{
		{Conn: 1, Kind: tape.Open},
		{Conn: 1, At: 100, Kind: tape.Data, Way: tape.Up, Data: []byte("ls"), Segments: 1},
		{Conn: 1, At: 900, Kind: tape.Data, Way: tape.Down, Data: []byte(answer[:4]), Segments: 1},
		{Conn: 1, At: 41000, Kind: tape.Data, Way: tape.Down, Data: []byte(answer[4:]), Segments: 2},
		{Conn: 1, At: 50000, Kind: tape.End, Way: tape.Up},
	}, nil, false)
}

// A recorded run is given to the page alone, and only where there is one.
func TestRecordedRunIsForThePage(t *testing.T) {
	l := startLab(t)
	if status, text := l.request(t, "GET", "/api/recorded", "", nil); status != 404 {
		t.Errorf("without one: %d %s", status, text)
	}
	with, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	with.Recorded = func() ([]taped.Run, bool) { return []taped.Run{ownRun("mine", "abcd")}, true }
	serveLab(t, with)
	if status, text := with.request(t, "GET", "/api/recorded", "", nil); status != 200 ||
		!strings.Contains(text, `"grows":true`) || !strings.Contains(text, `"to_server"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := l.request(t, "GET", "/api/recorded", "", func(r *http.Request) {
		r.Header.Del(TokenHeader)
	}); status != 401 {
		t.Errorf("without the token: %d", status)
	}
}

// The picture of one's own programs: each piece where it was, what is guessed and what is not seen
// said so, legible in both languages, and two runs below each other. Pictures go to
// MINISSH_SCREENSHOTS, where that is set.
func TestRecordedRunInTheLanes(t *testing.T) {
	const hello = "\x05\x00\x00\x00hello"
	for _, c := range []struct {
		look
		want []string
	}{
		{looks()[1], []string{"Client → server", "send() ?", "inside the program: not seen"}},
		{look{1920, 1080, true, "zh-CN", false}, []string{"客户端 → 服务端", "send() ?", "看不见"}},
	} {
		runs := []taped.Run{ownRun("mine", hello)}
		l, err := Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Recorded = func() ([]taped.Run, bool) { return runs, false }
		serveLab(t, l)
		b := openTab(t, l, c.look, l.URL("recorded=1"))
		b.until(`document.querySelectorAll('.panel').length === 2`)
		b.goTo(-1)
		got := eval[[][]shown](b, blocks)
		want := [][]shown{
			{{"send", "0", "2", "1"}, {"segment", "0", "2", "1"}},
			{{"send", "0", "4", "1"}, {"send", "4", "9", "2"}, {"segment", "0", "4", "1"},
				{"segment", "4", "9", "2"}},
		}
		if jsonOf(got) != jsonOf(want) {
			t.Errorf("the lanes show %s, want %s", jsonOf(got), jsonOf(want))
		}
		eval[bool](b, `(() => { const l = document.querySelectorAll('.lanes')[1]; `+
			`l.focus(); l.dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'})); return true; })()`)
		if value := b.fact("value"); !strings.HasPrefix(value, "5 (") {
			t.Errorf("the length is %q", value)
		}
		b.legible(c.String() + "-recorded")
		text := b.text("main")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in %s", want, text)
			}
		}
		runs = append(runs, ownRun("<b>mended", hello+"x"))
		b.do(chromedp.Reload())
		b.until(`document.querySelectorAll('.panel').length === 4`)
		if text := b.text("#panels"); !strings.Contains(text, `"<b>mended"`) {
			t.Errorf("the titles are %s", text)
		}
		b.picture(c.String() + "-beside")
		if all := b.foreign(); len(all) > 0 {
			t.Errorf("asked elsewhere: %v", all)
		}
	}
}

// tracedRun is one whose calls a tracer saw.
func tracedRun(title string) taped.Run {
	events := []tape.Event{
		{Conn: 1, Kind: tape.Open},
		{Conn: 1, At: 90, Kind: tape.Send, Way: tape.Up, Size: 3},
		{Conn: 1, At: 100, Kind: tape.Data, Way: tape.Up, Data: []byte("big"), Segments: 1},
		{Conn: 1, At: 150, Kind: tape.Recv, Way: tape.Up, Size: 3, Ask: 1024},
		{Conn: 1, At: 180, Kind: tape.Send, Way: tape.Down, Size: 3000},
		{Conn: 1, At: 200, Kind: tape.Data, Way: tape.Down, Data: make([]byte, 3000), Segments: 2},
	}
	for i := range 3 {
		events = append(events, tape.Event{Conn: 1, At: 300 + int64(i), Kind: tape.Recv,
			Way: tape.Down, Size: min(1024, 3000-1024*i), Ask: 1024})
	}
	events = append(events, tape.Event{Conn: 1, At: 50000, Kind: tape.End, Way: tape.Up},
		tape.Event{Conn: 1, At: 50100, Kind: tape.End, Way: tape.Down})
	return taped.New(title, events, nil, false)
}

// One run and two beside each other, with a tracer and without, fit a screen and are not cut off
// on a phone, in both languages; nor is the page that waits for a connection.
func TestRecordedRunsAreNotCutOff(t *testing.T) {
	var runs []taped.Run
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Recorded = func() ([]taped.Run, bool) { return runs, false }
	serveLab(t, l)
	const title = "my_server_第三次_2026-11-30"
	mine := ownRun(title, "\x1a\x00\x00\x00张三 pts/0 and more of it\n")
	for i, size := range [][2]int64{{1280, 720}, {1920, 1080}, {390, 844}} {
		for _, lang := range []string{"zh-CN", "en-US"} {
			as := look{size[0], size[1], (i == 1) == (lang == "zh-CN"), lang, true}
			t.Run(as.String(), func(t *testing.T) {
				runs = []taped.Run{taped.New("", nil, nil, false)}
				b := openTab(t, l, as, l.URL("recorded=1"))
				b.until(`document.querySelector('#predict .why') !== null`)
				if eval[bool](b, `document.getElementById('connection').checkVisibility()`) {
					t.Error("there is no connection to choose")
				}
				for name, shown := range map[string][]taped.Run{"one": {mine},
					"traced": {tracedRun("t")}, "two": {mine, tracedRun(title)},
					"two-traced": {tracedRun("t"), tracedRun(title)}} {
					runs = shown
					b.do(chromedp.Reload())
					b.until(fmt.Sprintf(`document.querySelectorAll('.panel').length === %d`,
						2*len(runs)))
					b.goTo(-1)
					b.fits(as, "recorded "+name)
					eval[bool](b, `(() => { document.getElementById('view').click(); return true; })()`)
					b.until(`document.querySelectorAll('.ladder .ev').length > 6`)
					b.goTo(-1)
					b.fits(as, "recorded ladder "+name)
					if text := b.text(".panel .caption"); !strings.Contains(text, "50.1 ms") &&
						strings.HasPrefix(name, "traced") {
						t.Errorf("a ladder of both directions says %q at the other's step", text)
					}
				}
			})
		}
	}
}

// With a tracer the page says so, and no more that sends are guessed.
func TestTracedRunIsNotCalledGuessed(t *testing.T) {
	for traced, words := range map[bool][2]string{true: {"strace 看见的", "是猜的"},
		false: {"是猜的", "strace 看见的"}} {
		events := []tape.Event{{Conn: 1, Kind: tape.Open},
			{Conn: 1, At: 100, Kind: tape.Data, Way: tape.Up, Data: []byte("ls"), Segments: 1}}
		if traced {
			events = append(events, tape.Event{Conn: 1, At: 90, Kind: tape.Send, Way: tape.Up,
				Size: 2})
		}
		l, err := Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		runs := []taped.Run{taped.New("mine", events, nil, false)}
		l.Recorded = func() ([]taped.Run, bool) { return runs, false }
		serveLab(t, l)
		b := openTab(t, l, look{1280, 720, false, "zh-CN", true}, l.URL("recorded=1"))
		b.until(`document.querySelectorAll('.panel').length === 2`)
		text := b.text("#recorded-help")
		if !strings.Contains(text, words[0]) || strings.Contains(text, words[1]) {
			t.Errorf("traced %v: %s", traced, text)
		}
	}
}

// legible wants everything on the page to be legible and to fit.
func (b *tab) legible(name string) {
	b.Helper()
	b.until(`document.getAnimations().length === 0`)
	if faults := eval[[]string](b, legible); len(faults) > 0 {
		b.Errorf("%s:\n%s", name, strings.Join(faults, "\n"))
	}
	b.picture(name)
}

// picture keeps what is seen, where that is asked for.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("MINISSH_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.do(chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Error(err)
	}
}
