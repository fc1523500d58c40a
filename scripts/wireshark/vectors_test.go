//go:build unix

package wireshark_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// faults gives the violations shown on each connection, in order.
func faults(packets []packet) map[int][]string {
	all := map[int][]string{}
	for _, p := range packets {
		if len(p["tcp.stream"]) > 0 {
			id := atoi(p["tcp.stream"][0])
			all[id] = append(all[id], p["minissh.violation"]...)
		}
	}
	return all
}

// Each frame vector is shown as this project's decoder reads it, or with the violation that it
// finds.
func TestFrameVectors(t *testing.T) {
	t.Parallel()
	c := newCapture()
	all := vectors.Read("frames.txt")
	for _, v := range all {
		s := c.connect(plainPort)
		raw := v.Bytes("hex")
		s.send(client, raw[:len(raw)/2], raw[len(raw)/2:])
		s.end()
	}
	packets := fields(t, c.write(t), append(frameFields, "minissh.violation"))
	codes := faults(packets)
	got := seen(packets, plainPort)
	for id, v := range all {
		want := v.Text("error")
		if want == "" {
			same(t, v.Name, got[way{id, true}], said(t, v.Bytes("hex")))
		}
		// A frame alone is not a conversation: its channel may be missing, and nothing else.
		codes[id] = slices.DeleteFunc(codes[id], func(code string) bool {
			return code == "unknown_channel" && v.Text("error") == ""
		})
		if strings.Join(codes[id], " ") != want {
			t.Errorf("%s: %q, want %q", v.Name, codes[id], want)
		}
	}
}

// JSON that the programs refuse is told to be bad, all other is shown as it is.
func TestJSONVectors(t *testing.T) {
	t.Parallel()
	c := newCapture()
	all := append(vectors.Read("json.txt"), vectors.Read("opens.txt")...)
	var frames [][]byte
	for _, v := range all {
		kind, payload := protocol.TypeGoodbye, append(v.Bytes("hex"), v.Text("json")...)
		from, channel := client, uint32(0)
		switch {
		case v.Has("hello"):
			kind, payload = protocol.TypeHello, []byte(v.Text("hello"))
		case v.Has("welcome"):
			kind, payload, from = protocol.TypeWelcome, []byte(v.Text("welcome")), server
		case v.Has("open"):
			kind, payload, channel = protocol.TypeOpen, []byte(v.Text("open")), 1
		}
		frame := protocol.AppendFrame(nil, kind, 0, channel, payload)
		frames = append(frames, frame)
		c.connect(plainPort).send(from, frame)
	}
	codes := faults(fields(t, c.write(t), []string{"minissh.violation"}))
	for id, v := range all {
		want := v.Text("error")
		if want == "bad_request" { // it refuses a channel, and breaks no rule of the wire
			want = ""
		}
		if _, err := protocol.NewReader(bytes.NewReader(frames[id])).Next(); err != nil {
			var broken *protocol.Violation
			if !errors.As(err, &broken) {
				t.Fatal(err)
			}
			want = string(broken.Code) // the frame as such is not allowed
		}
		if strings.Join(codes[id], " ") != want {
			t.Errorf("%s: %q, want %q", v.Name, codes[id], want)
		}
	}
}

// The conversations that break a rule are shown to break it, at the same frame.
func TestSessionVectors(t *testing.T) {
	t.Parallel()
	c := newCapture()
	all := vectors.Read("sessions.txt")
	hello := protocol.AppendFrame(nil, protocol.TypeHello, 0, 0,
		[]byte(`{"protocol":"minissh/1","session":"`+strings.Repeat("0f", 32)+
			`","epoch":1,"create":true,"received":0,"user":"u","resend":0}`))
	welcome := protocol.AppendFrame(nil, protocol.TypeWelcome, 0, 0,
		[]byte(`{"received":0,"resend":0,"channels":16,"user":"u"}`))
	open := protocol.AppendFrame(nil, protocol.TypeOpen, 0, 1, []byte(`{"service":"test"}`))
	for _, v := range all {
		s := c.connect(plainPort)
		s.send(client, hello)
		s.send(server, welcome)
		side := client
		if v.Text("role") == "client" { // it is the client whose peer misbehaves
			side = server
			s.send(client, open)
		}
		s.send(side, v.Lines("hex")...)
		s.end()
	}
	codes := faults(fields(t, c.write(t), []string{"minissh.violation"}))
	for id, v := range all {
		want := v.Text("error")
		if want == "none" {
			want = ""
		}
		if strings.Join(codes[id], " ") != want {
			t.Errorf("%s: %q, want %q", v.Name, codes[id], want)
		}
	}
}
