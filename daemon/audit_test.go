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
	"minissh/protocol"
)

// Nothing that a client adds to a request keeps it out of the audit log. What is not there is how a
// word may go on, which is asked for at each Tab.
func TestNothingEscapesTheAuditLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.json")
	log, err := audit.Open(audit.Options{Path: file, Size: 1 << 20, Keep: 1, Full: audit.Refuse,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close(time.Minute)
	l := newLab(t, func(o *Options) { o.Audit = log })
	s := l.session(nil)
	defer s.Close(nil)
	word := &protocol.Complete{Kind: protocol.KindCommand, Word: protocol.Bytes("tru")}
	noted := func() int {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), `"event":"request"`)
	}
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
