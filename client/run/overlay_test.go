package run

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/vt"
)

var window = protocol.Size{Rows: 24, Cols: 80}

// showing is a gate to a terminal after some output, and what was written since.
func showing(output ...string) (*gate, *bytes.Buffer) {
	to := new(bytes.Buffer)
	g := &gate{to: to, modes: new(vt.Modes)}
	for _, piece := range output {
		g.Write([]byte(piece))
	}
	to.Reset()
	return g, to
}

// A line of ours is written once, written over, and taken away before anything else is written. On
// the main screen it has a row of its own, on the alternate one the program has to draw again.
func TestOverlay(t *testing.T) {
	const (
		below = "\x1bD\x1bM\x1b7\r\n\x1b[m\x1b[L\x1b(B\x0f\x1b[0;7mlost\x1b[m\x1b8"
		again = "\x1b7\r\n\x1b(B\x0f\x1b[0;7mlost 1\x1b[m\x1b8"
		gone  = "\x1b7\r\n\x1b[m\x1b[1M\x1b8"
		above = "\x1b7\x1b[H\x1b(B\x0f\x1b[0;7mlost\x1b[m\x1b8"
		blank = "\x1b7\x1b[H\x1b(B\x0f\x1b[m    \x1b8"
	)
	g, to := showing("$ ")
	g.show("lost", window)
	g.show("lost 1", window)
	g.Write([]byte("x"))
	g.hide()
	if got := to.String(); got != below+again+gone+"x" || g.spoilt() {
		t.Errorf("on the main screen: %q", got)
	}
	g, to = showing("\x1b[?1049h\x1b[5;5H")
	g.show("lost", window)
	if got := to.String(); got != above {
		t.Errorf("on the alternate screen: %q", got)
	}
	g.hide()
	if got := to.String(); got != above+blank || !g.spoilt() || g.spoilt() {
		t.Errorf("on the alternate screen: %q", got)
	}
	g, to = showing("\x1b[?1049h\x1b[?6h\x1b[4h")
	g.show("lost", window)
	if got := to.String(); got != "\x1b7\x1b[?6l\x1b[H\x1b(B\x0f\x1b[4l\x1b[0;7mlost\x1b[m\x1b[4h"+
		"\x1b[?6h\x1b8" {
		t.Errorf("with places that count from the region, and inserting: %q", got)
	}
	g, _ = showing("\x1b[H\x1b[Jtop")
	g.show("lost", window)
	if g.spoilt() {
		t.Error("a program that was never below the cursor has to draw again")
	}
	g, _ = showing("\x1b[12;1Hmiddle")
	g.show("lost", window)
	if !g.spoilt() {
		t.Error("the last row is lost, and nobody draws it again")
	}
}

// Where it would do harm, nothing is written.
func TestOverlayStaysAway(t *testing.T) {
	for _, output := range []string{"\x1b[3", "你\xe5", "\x1b]0;title", "\x1b7", "\x1b[2;5r"} {
		g, to := showing(output)
		if g.show("lost", window); to.Len() > 0 || g.spoilt() {
			t.Errorf("after %q: %q", output, to)
		}
	}
	g, to := showing()
	if g.show("lost", protocol.Size{Rows: 2, Cols: 80}); to.Len() > 0 {
		t.Errorf("in two rows: %q", to)
	}
	if g.show("lost", protocol.Size{Rows: 24, Cols: 19}); to.Len() > 0 {
		t.Errorf("in 19 columns: %q", to)
	}
	g.end()
	to.Reset()
	if g.show("lost", window); to.Len() > 0 {
		t.Errorf("after the end: %q", to)
	}
}

// The line fits in its row, also after the window has become narrower.
func TestOverlayFits(t *testing.T) {
	g, to := showing("$ ")
	g.show(strings.Repeat("你", 60), window)
	if n := strings.Count(to.String(), "你"); n != 39 {
		t.Errorf("%d wide characters in 80 columns", n)
	}
	to.Reset()
	g.show("lost", protocol.Size{Rows: 24, Cols: 30})
	if got := to.String(); !strings.HasPrefix(got, "\x1b7\r\n\x1b[m\x1b[3M\x1b8") {
		t.Errorf("a row that was wrapped to three is taken away by %q", got)
	}
	g.end()
	if got := to.String(); !strings.HasSuffix(got, "\x1b7\r\n\x1b[m\x1b[1M\x1b8") {
		t.Errorf("at the end: %q", got)
	}
}

// When the link is back, the program there is asked to draw again a little later than the keys that
// were kept have gone to it.
func TestKeysBeforeDrawing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Shell{conn: &dial.Connection{Options: &options.Options{LogLevel: options.LevelInfo}},
			changed: make(chan struct{}, 1), redraw: make(chan struct{}, 1),
			stdout: gate{to: io.Discard, modes: new(vt.Modes), over: overlay{spoilt: true}}}
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { defer close(stopped); s.tellLoss(stop) }()
		back := time.Now()
		s.look()
		<-s.redraw
		if after := time.Since(back); after != 200*time.Millisecond {
			t.Errorf("asked after %v", after)
		}
		close(stop)
		<-stopped
	})
}
