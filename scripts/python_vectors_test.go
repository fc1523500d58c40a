//go:build linux

package scripts

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"minissh/protocol/vectors"
	"minissh/scripts/testhost"
)

// peer is a link of a test's to minisshd.py, frame by frame.
type peer struct {
	t    *testing.T
	link *net.UnixConn
}

func dialPython(t *testing.T, socket string) *peer {
	t.Helper()
	link, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	link.SetDeadline(time.Now().Add(testhost.Patience))
	return &peer{t, link}
}

var sessionsMade int

// session is the name of a session that no other test has.
func session() string {
	sessionsMade++
	return fmt.Sprintf("%064x", sessionsMade)
}

// hello is HELLO's payload with the given fields instead of the usual ones.
func hello(t *testing.T, fields map[string]any) string {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"protocol": "minissh/1", "session": session(), "epoch": 1, "create": true,
		"received": 0, "user": me.Username, "resend": 0}
	for name, value := range fields {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func frame(kind byte, channel uint32, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(b, kind, 0, 0, 0)
	return append(binary.BigEndian.AppendUint32(b, channel), payload...)
}

func (w *peer) send(frames ...[]byte) { w.link.Write(slices.Concat(frames...)) }

// next is the next frame; kind 0 is the link's end.
func (w *peer) next() (kind byte, channel uint32, payload string) {
	w.t.Helper()
	header := make([]byte, 12)
	if _, err := io.ReadFull(w.link, header); err != nil {
		if !errors.Is(err, io.EOF) {
			w.t.Error(err)
		}
		return 0, 0, ""
	}
	body := make([]byte, binary.BigEndian.Uint32(header))
	if _, err := io.ReadFull(w.link, body); err != nil {
		w.t.Error(err)
	}
	return header[4], binary.BigEndian.Uint32(header[8:]), string(body)
}

// welcomed has HELLO answered by WELCOME.
func (w *peer) welcomed(fields map[string]any) {
	w.t.Helper()
	w.send(frame(typeHello, 0, hello(w.t, fields)))
	if kind, _, payload := w.next(); kind != typeWelcome {
		w.t.Fatalf("%#x %s in place of WELCOME", kind, payload)
	}
}

func code(payload string) string {
	var reason struct{ Code string }
	json.Unmarshal([]byte(payload), &reason)
	return reason.Code
}

// verdict sends frames and a PING. It is the code of the ERROR that comes, or "none" if the PING is
// answered; and the codes of the CLOSEs ahead of it.
func (w *peer) verdict(frames ...byte) (verdict string, closes []string) {
	w.t.Helper()
	go w.send(frames, frame(typePing, 0, "question"))
	for {
		switch kind, _, payload := w.next(); {
		case kind == typeError:
			return code(payload), closes
		case kind == typePong && payload == "question":
			return "none", closes
		case kind == typeClose:
			closes = append(closes, code(payload))
		case kind == 0:
			return "a lost link", closes
		}
	}
}

// told is all that a daemon says on channel 1.
type told struct {
	stdout, stderr  string
	notices, exits  []string
	reason, refused string // of CLOSE, and of ERROR or GOODBYE
}

// until reads what comes on channel 1, up to CLOSE, the link's end, or what is asked for.
func (w *peer) until(enough func(told) bool) told {
	w.t.Helper()
	var all told
	for all.reason == "" && !enough(all) {
		switch kind, _, payload := w.next(); kind {
		case typeStdout:
			all.stdout += payload
		case typeStderr:
			all.stderr += payload
		case typeNotice:
			all.notices = append(all.notices, payload)
		case typeExit:
			all.exits = append(all.exits, payload)
		case typeClose:
			all.reason = "CLOSE " + code(payload)
		case typeGoodbye, typeError:
			all.refused = code(payload)
		case 0:
			return all
		}
	}
	return all
}

func toTheEnd(told) bool { return false }

// opened opens channel 1 of a new session.
func opened(t *testing.T, socket, open string) *peer {
	t.Helper()
	w := dialPython(t, socket)
	w.welcomed(nil)
	w.send(frame(typeOpen, 1, open))
	return w
}

// The vectors hold for minisshd.py, which was written from the same pages.
func TestPythonDaemonVectors(t *testing.T) {
	socket, _ := pythonDaemon(t)
	each := func(t *testing.T, file string, test func(*testing.T, vectors.Vector)) {
		for _, v := range vectors.Read(file) {
			t.Run(v.Name, func(t *testing.T) { test(t, v) })
		}
	}
	t.Run("frames", func(t *testing.T) {
		each(t, "frames.txt", func(t *testing.T, v vectors.Vector) {
			if v.Has("error") {
				w := dialPython(t, socket)
				w.welcomed(nil)
				if v.Text("rule") == "JS2" { // a channel that was never opened comes first
					w.send(frame(typeOpen, 1, `{"service":"exec","command":"cat"}`))
				}
				if got, _ := w.verdict(v.Bytes("hex")...); got != v.Text("error") {
					t.Errorf("%s, not %s", got, v.Text("error"))
				}
			}
		})
	})
	t.Run("json", func(t *testing.T) {
		each(t, "json.txt", func(t *testing.T, v vectors.Vector) { pythonJSON(t, socket, v) })
	})
	t.Run("opens", func(t *testing.T) {
		each(t, "opens.txt", func(t *testing.T, v vectors.Vector) { pythonOpen(t, socket, v) })
	})
	t.Run("sessions", func(t *testing.T) {
		each(t, "sessions.txt", func(t *testing.T, v vectors.Vector) {
			if v.Text("role") == "daemon" {
				pythonSession(t, socket, v)
			}
		})
	})
	t.Run("resuming", func(t *testing.T) {
		each(t, "resuming.txt", func(t *testing.T, v vectors.Vector) {
			other := slices.Contains([]string{"session_ended", "session_unknown"}, v.Text("error"))
			if v.Text("role") == "daemon" && (v.Text("resend") == "0" || other) {
				pythonSecondHello(t, socket, v)
			}
		})
	})
}

func pythonJSON(t *testing.T, socket string, v vectors.Vector) {
	if v.Has("welcome") {
		return
	}
	w, want := dialPython(t, socket), v.Text("error")
	if v.Has("hello") {
		w.send(frame(typeHello, 0, v.Text("hello")))
		kind, _, payload := w.next()
		ok := code(payload) == want
		if want == "" {
			ok = kind == typeWelcome || code(payload) == "key_not_authorized"
		}
		if !ok {
			t.Errorf("%#x %s, not %s", kind, payload, want)
		}
		return
	}
	w.welcomed(nil)
	payload := v.Text("json")
	if v.Has("hex") {
		payload = string(v.Bytes("hex"))
	}
	got, closes := w.verdict(frame(typeOpen, 1, payload)...)
	if want == "" && (got != "none" || !slices.Equal(closes, []string{"unknown_service"})) ||
		want != "" && got != want {
		t.Errorf("%s %q, not %s", got, closes, want)
	}
}

func pythonOpen(t *testing.T, socket string, v vectors.Vector) {
	open, want := v.Text("open"), v.Text("error")
	w := dialPython(t, socket)
	w.welcomed(nil)
	w.send(frame(typeOpen, 1, open), frame(typeClose, 1, "{}"))
	var got string
	for got == "" {
		switch kind, _, payload := w.next(); kind {
		case typeError:
			got = code(payload)
		case typeClose:
			got = "closed " + code(payload)
		case 0:
			got = "lost"
		}
	}
	switch {
	case want == "bad_json":
	case strings.Contains(open, `"subsystem"`): // it offers none, which it may say first
		if want == "" || got != "closed bad_request" {
			want = "closed service_refused"
		} else {
			want = got
		}
	case !strings.Contains(open, `"exec"`):
		want = "closed unknown_service"
	case strings.Contains(open, `"agent"`): // for which there is no listener (FO9)
		want = "closed bad_request"
	case want == "" && strings.Contains(open, `"length"`): // nothing has begun
		want = "closed cancelled"
	default:
		want = strings.TrimSpace("closed " + want)
	}
	if strings.TrimSpace(got) != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// pythonSession sends a conversation twice: first to a service that is not there, whose channels
// are refused, then to a command that reads nothing.
func pythonSession(t *testing.T, socket string, v vectors.Vector) {
	test, sleep := `{"service":"test"}`, `{"service":"exec","argv":["sleep","1000"]}`
	for _, payload := range []string{test, sleep} {
		w := dialPython(t, socket)
		w.welcomed(nil)
		var frames []byte
		for _, line := range v.Lines("hex") {
			if len(line) > 12 && string(line[12:]) == test {
				line = frame(typeOpen, binary.BigEndian.Uint32(line[8:]), payload)
			}
			frames = append(frames, line...)
		}
		if got, _ := w.verdict(frames...); got != v.Text("error") {
			t.Errorf("%s: %s, not %s", payload, got, v.Text("error"))
		}
		w.link.Close()
	}
}

func pythonSecondHello(t *testing.T, socket string, v vectors.Vector) {
	name := session()
	first := dialPython(t, socket)
	first.welcomed(map[string]any{"session": name, "epoch": 3, "resend": v.Number("resend", 10),
		"hold": 60})
	first.send(frame(typeOpen, 1, `{"service":"exec","argv":["sleep","1000"]}`))
	switch v.Text("first") {
	case "lost":
		first.link.Close()
	case "goodbye":
		first.send(frame(typeGoodbye, 0, "{}"))
		if kind, _, _ := first.next(); kind == typeOpened {
			first.next()
		}
	}
	fields := map[string]any{"session": name, "epoch": v.Number("epoch", 10), "create": false,
		"received": v.Number("received", 10), "resend": v.Number("resend", 10)}
	if v.Has("session") {
		fields["session"] = v.Text("session")
	}
	if v.Has("later") {
		fields["resend"] = v.Number("later", 10)
	}
	second := dialPython(t, socket)
	second.send(frame(typeHello, 0, hello(t, fields)))
	if kind, _, payload := second.next(); kind != typeError || code(payload) != v.Text("error") {
		t.Errorf("%#x %s, not %s", kind, payload, v.Text("error"))
	}
	if kind, _, payload := second.next(); kind != 0 {
		t.Errorf("%#x %s after ERROR", kind, payload)
	}
	if v.Text("lives") == "yes" {
		if got, _ := first.verdict(); got != "none" {
			t.Errorf("the first link: %s", got)
		}
	}
}
