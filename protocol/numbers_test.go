package protocol

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The numbers that the pages state, written out: a test that uses a constant would follow any
// change of it.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want int64 }{
		"HeaderSize":    {HeaderSize, 12},
		"MaxPayload":    {MaxPayload, 65_536},
		"MaxHello":      {MaxHello, 8_192},
		"MaxPair":       {MaxPair, 4_096},
		"MaxLogin":      {MaxLogin, 16_384},
		"MaxGreeting":   {MaxGreeting, 28_672},
		"InitialWindow": {InitialWindow, 262_144},
		"MaxWindow":     {MaxWindow, 67_108_864},
		"MinChannels":   {MinChannels, 16},
		"MinResend":     {MinResend, 262_144},
		"MaxOpens":      {MaxOpens, 1_048_576},
		"MaxRequests":   {MaxRequests, 16},
		"MaxMessage":    {MaxMessage, 1_024},
		"MaxCode":       {MaxCode, 64},
		"DefaultPort":   {DefaultPort, 7_422},
		"FlagBlocked":   {FlagBlocked, 1},
		"FlagSuspended": {FlagSuspended, 1},
		"MaxTimeout":    {MaxTimeout, 1_000_000_000},
		"MaxTerm":       {MaxTerm, 64},
		"MaxModes":      {MaxModes, 128},

		"PairingLifetime in seconds": {int64(PairingLifetime / time.Second), 120},
		"PairingPatience in seconds": {int64(PairingPatience / time.Second), 10},
		"PairingPerCode":             {PairingPerCode, 100},
		"PairingPerSource":           {PairingPerSource, 5},
		"a pairing code's length":    {int64(len(NewPairingCode())), 12},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d instead of %d", name, c.got, c.want)
		}
	}
	if LoginLabel != "EXPORTER-minissh-login" || LoginNamespace != "minissh-login" {
		t.Errorf("%q %q", LoginLabel, LoginNamespace)
	}
	if PairingLabel != "EXPORTER-minissh-pairing" {
		t.Errorf("%q", PairingLabel)
	}
	if ALPN != "minissh/1" || crockford != "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		t.Errorf("%q, %q", ALPN, crockford)
	}
}

// JSON is nested 8 deep at most, the outermost object counted, and numbers have 63 bits.
func TestDepthAndNumbers(t *testing.T) {
	repeat := strings.Repeat
	deep := func(n int) string { return repeat(`{"x":`, n-1) + "{}" + repeat("}", n-1) }
	list := func(n int) string { return `{"x":` + repeat("[", n-1) + repeat("]", n-1) + "}" }
	for text, ok := range map[string]bool{
		deep(8): true, deep(9): false, list(8): true, list(9): false,
		`{"epoch":9223372036854775807}`: true, `{"epoch":9223372036854775808}`: false,
		`{"later":9223372036854775807}`: true, `{"later":9223372036854775808}`: false,
	} {
		if err := DecodeJSON([]byte(text), new(Hello)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What HELLO and WELCOME may hold at the edges.
func TestHelloAtTheEdges(t *testing.T) {
	name := strings.Repeat("0f", 32)
	good := Hello{Protocol: "minissh/1", Session: name, Epoch: 1, Create: true, User: "u"}
	for name, c := range map[string]struct {
		change func(*Hello)
		ok     bool
	}{
		"as it is":             {func(*Hello) {}, true},
		"16 keys":              {func(h *Hello) { h.Keys = make([]string, 16) }, true},
		"17 keys":              {func(h *Hello) { h.Keys = make([]string, 17) }, false},
		"62 digits":            {func(h *Hello) { h.Session = h.Session[2:] }, false},
		"66 digits":            {func(h *Hello) { h.Session += "0f" }, false},
		"capitals":             {func(h *Hello) { h.Session = strings.ToUpper(h.Session) }, false},
		"epoch 0":              {func(h *Hello) { h.Epoch = 0 }, false},
		"epoch 1, not create":  {func(h *Hello) { h.Create = false }, false},
		"a resend of 262,143":  {func(h *Hello) { h.Resend = 262_143 }, false},
		"a resend of 262,144":  {func(h *Hello) { h.Resend = 262_144 }, true},
		"a resend of 1":        {func(h *Hello) { h.Resend = 1 }, false},
		"channels below 0":     {func(h *Hello) { h.Channels = -1 }, false},
		"received of 63 bits":  {func(h *Hello) { h.Received = 1<<63 - 1 }, true},
		"another protocol":     {func(h *Hello) { h.Protocol = "minissh/2" }, false},
		"a hold of very long":  {func(h *Hello) { h.Hold = 1 << 40 }, true},
		"a hold below 0":       {func(h *Hello) { h.Hold = -1 }, false},
		"received less than 0": {func(h *Hello) { h.Received = -1 }, false},
	} {
		h := good
		c.change(&h)
		if err := h.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		channels, resend int64
		ok               bool
	}{
		{16, 0, true}, {15, 0, false}, {16, 262_144, true}, {16, 262_143, false},
	} {
		w := Welcome{Channels: int(c.channels), Resend: c.resend}
		if err := w.Check(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A code has 1 to 64 small letters, digits and underscores, and text for people at most 1,024
// bytes.
func TestWordsAtTheEdges(t *testing.T) {
	for code, want := range map[string]Code{
		"a":                     "a",
		"z_0":                   "z_0",
		"A":                     "internal",
		"a-b":                   "internal",
		strings.Repeat("a", 64): Code(strings.Repeat("a", 64)),
		strings.Repeat("a", 65): "internal",
	} {
		for n, most := range map[int]int{1_024: 1_024, 1_025: 1_024} {
			text := fmt.Sprintf(`{"code":"%s","message":"%s"}`, code, strings.Repeat("m", n))
			f := Frame{Header: Header{Type: TypeError}, Payload: []byte(text)}
			var r Reason
			err := f.Decode(&r)
			got := len(r.Message)
			if err != nil || r.Code != want || got > most || n == most && got < n {
				t.Errorf("%s, %d bytes: %q, %d bytes, %v", code, n, r.Code, got, err)
			}
		}
	}
}

// A command may be stopped after at most 1,000,000,000 milliseconds; 0 means never.
func TestTimeoutAtTheEdges(t *testing.T) {
	const most = 1_000_000_000
	for n, ok := range map[int64]bool{0: true, most: true, most + 1: false, -1: false} {
		open := Open{Command: Bytes("x"), Timeout: n}
		if err := open.CheckExec(); (err == nil) != ok {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// The header shows how long the payload is: 65,536 bytes are the most of all, and 65,537 are too
// many whatever the type.
func TestLengthBeforeType(t *testing.T) {
	for raw, want := range map[string]Code{
		"\x00\x01\x00\x01\x77\x00\x00\x00\x00\x00\x00\x01": CodeFrameTooLarge,
		"\x00\x01\x00\x00\x77\x00\x00\x00\x00\x00\x00\x01": CodeUnknownType,
		"\x00\x01\x00\x01\x10\x00\x00\x00\x00\x00\x00\x01": CodeFrameTooLarge,
	} {
		var v *Violation
		_, err := NewReader(strings.NewReader(raw)).Next()
		if !errors.As(err, &v) || v.Code != want {
			t.Errorf("% x: %v", raw, err)
		}
	}
}
