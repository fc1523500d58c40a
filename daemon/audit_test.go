//go:build unix

package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/daemon/audit"
	"minissh/daemon/control"
	"minissh/protocol"
)

// audited makes a log for a daemon, and counts its entries of a kind.
func audited(t *testing.T) (log *audit.Log, count func(event string) int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "audit.json")
	log, err := audit.Open(audit.Options{Path: file, Size: 1 << 20, Keep: 1, Full: audit.Refuse,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close(time.Minute) })
	return log, func(event string) int {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), `"event":"`+event+`"`)
	}
}

// A login that is refused although its key is good, and a session that ends while it waits for its
// client, are in the audit log.
func TestAuditOfSessions(t *testing.T) {
	log, count := audited(t)
	l := newLab(t, func(o *Options) {
		o.Audit, o.Hold, o.Shares.Sessions = log, time.Hour, 1
	})
	raw := l.dial()
	r := l.resumer()
	if err := r.attachOver(raw); err != nil {
		t.Fatal(err)
	}
	if err := l.resumer().attach(); err == nil {
		t.Fatal("a second session has room")
	}
	l.until("the refusal is noted", func() bool { return count("login_refused") == 1 })
	r.lose(raw)
	l.sessions.Entries()[0].Session.Close(stoppingReason())
	l.until("the end is noted", func() bool { return count("session_ended") == 1 })
}

// Whoever can log in from now on by pairing, and who has tried to, is in the audit log.
func TestAuditOfPairing(t *testing.T) {
	log, count := audited(t)
	l := newPairingLab(t, func(o *Options) { o.Audit = log })
	host, made := l.opts.HostKey.Public, l.offer(control.Offer{})
	pairs(t, l.secure(l.stranger), protocol.NewPairingCode(), user, host, l.stranger.Public)
	l.until("the failure is noted", func() bool { return count("pairing_refused") == 1 })
	pairs(t, l.secure(l.stranger), made.Codes[0], user, host, l.stranger.Public)
	l.until("the new key is noted", func() bool { return count("paired") == 1 })
}

// Nothing that a client adds to a request keeps it out of the audit log. What is not there is how a
// word may go on, which is asked for at each Tab.
func TestNothingEscapesTheAuditLog(t *testing.T) {
	log, count := audited(t)
	l := newLab(t, func(o *Options) { o.Audit = log })
	s := l.session(nil)
	defer s.Close(nil)
	word := &protocol.Complete{Kind: protocol.KindCommand, Word: protocol.Bytes("tru")}
	noted := func() int { return count("request") }
	lines := start(t, s, protocol.Open{Service: "lines"})
	l.until("the shell is in the audit log", func() bool { return noted() == 1 })
	before := 1
	for _, open := range []protocol.Open{
		{Service: "exec", Command: protocol.Bytes("true")},
		{Service: "exec", Shell: true},
		{Service: "exec", Length: 4},
		{Service: "subsystem", Name: "sftp"},
		{Service: "forward"},
		{Service: "agent"},
		{Service: "files", Files: &protocol.Files{}},
		{Service: "job", Job: &protocol.Job{Do: "list"}},
		{Service: "lines"},
		{Service: "lines", In: int64(lines.ID()), Command: protocol.Bytes("true")},
		{Service: "lines", In: int64(lines.ID()), Length: 4},
	} {
		open.Complete = word
		ch := start(t, s, open)
		l.until("it is in the audit log", func() bool { return noted() > before })
		if before++; noted() != before {
			t.Errorf("%+v: %d entries", open, noted())
		}
		ch.Close(nil)
	}
	within(t, "the word is completed",
		start(t, s, protocol.Open{Service: "lines", In: int64(lines.ID()), Complete: word}).Gone())
	if noted() != before {
		t.Error("a word is in the audit log")
	}
}
