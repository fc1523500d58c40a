//go:build unix

package daemon

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// A client that leaves between its proof and the answer has paired all the same, and its code is
// used: it cannot know, but a login shows it (PA6).
func TestPairingAnswerUnheard(t *testing.T) {
	l := newPairingLab(t)
	made := l.offer(control.Offer{})
	conn := l.secure(l.stranger)
	exported, err := conn.Export(protocol.PairingLabel)
	if err != nil {
		t.Fatal(err)
	}
	transcript := protocol.PairingTranscript(exported, l.opts.HostKey.Public.Marshal(),
		l.stranger.Public.Marshal(), user)
	frame, err := protocol.AppendMessage(nil, protocol.TypePair, 0, &protocol.Pair{
		Protocol: protocol.ALPN, User: user,
		Proof: hex.EncodeToString(made.Codes[0].Prove(protocol.PairingClient, transcript)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if p := <-made.Events; p.Fingerprint != keys.Fingerprint(l.stranger.Public) {
		t.Errorf("%+v", p)
	}
	if _, more := <-made.Events; more {
		t.Error("the code goes on")
	}
	s := mux.New(mux.Config{Role: mux.Client})
	if _, err := s.Connect(l.secure(l.stranger), &protocol.Hello{User: user}); err != nil {
		t.Errorf("its key does not log in: %v", err)
	}
	s.Close(nil)
}

// A proof from one connection is worthless on another, with the same keys at both ends and while
// its code still lives.
func TestPairingReplayed(t *testing.T) {
	l := newPairingLab(t)
	made := l.offer(control.Offer{})
	first, second := l.secure(l.stranger), l.secure(l.stranger)
	exported, err := first.Export(protocol.PairingLabel)
	if err != nil {
		t.Fatal(err)
	}
	proof := made.Codes[0].Prove(protocol.PairingClient,
		protocol.PairingTranscript(exported, l.opts.HostKey.Public.Marshal(),
			l.stranger.Public.Marshal(), user))
	refusedPairing(t, sendPair(t, second, user, proof))
	if f := sendPair(t, first, user, proof); f.Type != protocol.TypePair {
		t.Errorf("where it belongs: %v %s", f.Type, f.Payload)
	}
}

// Two pairings at once disturb neither each other nor a running session; withdrawing one does not
// touch the other's code.
func TestPairingsBesideEachOther(t *testing.T) {
	l := newPairingLab(t)
	one, two, three := l.offer(control.Offer{}),
		l.offer(control.Offer{Limits: access.Limits{HasCommand: true, Command: "echo limited"}}),
		l.offer(control.Offer{})
	host := l.opts.HostKey.Public
	if f, _ := pairs(t, l.secure(l.guest), one.Codes[0], user, host,
		l.guest.Public); f.Type != protocol.TypePair {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
	firstLine(t, ch)
	three.Withdraw()
	if f, _ := pairs(t, l.secure(l.stranger), two.Codes[0], user, host,
		l.stranger.Public); f.Type != protocol.TypePair {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
	if p := <-two.Events; !strings.Contains(p.Limits, "echo limited") ||
		p.Fingerprint != keys.Fingerprint(l.stranger.Public) {
		t.Errorf("%+v", p)
	}
	limited := mux.New(mux.Config{Role: mux.Client})
	if _, err := limited.Connect(l.secure(l.stranger), &protocol.Hello{User: user}); err != nil {
		t.Fatal(err)
	}
	defer limited.Close(nil)
	if r := collect(t,
		start(t, limited,
			protocol.Open{Command: protocol.Bytes("rm -rf everything")})); r.out != "limited\n" {
		t.Errorf("a key with command= runs %q", r.out)
	}
	ch.Write(protocol.TypeStdin, []byte("undisturbed"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "undisturbed" {
		t.Errorf("the session that was there: %+v", r)
	}
	text, err := os.ReadFile(access.PairedFile(l.opts.Account))
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("%s, %v", text, err)
	}
}

// A file of paired keys that cannot be written pairs nobody; nothing of it is lost.
func TestPairingFileReadOnly(t *testing.T) {
	l := newPairingLab(t)
	first := l.offer(control.Offer{})
	if f, _ := pairs(t, l.secure(l.guest), first.Codes[0], user, l.opts.HostKey.Public,
		l.guest.Public); f.Type != protocol.TypePair {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
	file := access.PairedFile(l.opts.Account)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept := file + ".kept"
	if err := os.Rename(file, kept); err != nil {
		t.Fatal(err)
	}
	// root writes read-only files: a directory in its place stops root too
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	made := l.offer(control.Offer{})
	f, _ := pairs(t, l.secure(l.stranger), made.Codes[0], user, l.opts.HostKey.Public,
		l.stranger.Public)
	notWritten(t, f)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, file); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Errorf("%s was %s", after, before)
	}
	// The code is still good for the key that proved it, and for no other.
	third := newKey(t)
	f, _ = pairs(t, l.secure(third), made.Codes[0], user, l.opts.HostKey.Public, third.Public)
	refusedPairing(t, f)
	if f, _ := pairs(t, l.secure(l.stranger), made.Codes[0], user, l.opts.HostKey.Public,
		l.stranger.Public); f.Type != protocol.TypePair {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
	if p, more := <-made.Events; !more || p.Fingerprint != keys.Fingerprint(l.stranger.Public) {
		t.Errorf("%+v", p)
	}
	if _, more := <-made.Events; more {
		t.Error("the code goes on after it was used")
	}
}

// notWritten expects what a client is told that proved the code, but whose key could not be
// written.
func notWritten(t *testing.T, f protocol.Frame) {
	t.Helper()
	var said protocol.Reason
	if f.Type != protocol.TypeError || f.Decode(&said) != nil ||
		said.Code != protocol.CodeInternal ||
		!strings.Contains(said.Message, "could not be written") {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
}
