package main

import (
	"bytes"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

func TestEventLogSumsUpLongRuns(t *testing.T) {
	var out bytes.Buffer
	log := newEventLog(speak.New(&out, speak.English))
	log.print(1, "#1 ", dialect.Event{Op: dialect.Recv, Data: []byte("get a\x1b")})
	for range maxRun + 3 {
		log.print(1, "#1 ", dialect.Event{Op: dialect.Send, Data: []byte("xxxxx")})
	}
	log.print(2, "#2 ", dialect.Event{Op: dialect.Send, Data: nil}) // another connection's run
	log.print(1, "#1 ", dialect.Event{Op: dialect.Recv})
	log.print(1, "#1 ", dialect.Event{Op: dialect.Recv, Data: []byte{}, Zh: "127.0.0.1:5",
		En: "127.0.0.1:5"})
	log.end(1, "#1 ")
	want := "#1 recv    6 \"get a\\x1b\"\n" + strings.Repeat("#1 send    5 \"xxxxx\"\n", maxRun) +
		"#2 send    0 no bytes to send\n#1 send      … 3 more, 15 bytes\n" +
		"#1 recv      empty: the peer has closed\n" +
		"#1 recv    0 \"\"  ← 127.0.0.1:5\n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
	if len(log.runs) != 1 {
		t.Errorf("%d runs are remembered, want that of connection 2 alone", len(log.runs))
	}
}

func TestEventLogPutsItsPrefixBeforeBothLanguages(t *testing.T) {
	var out bytes.Buffer
	log := newEventLog(speak.New(&out, speak.Both))
	zh, en := strings.Repeat("中", 40), strings.Repeat("e", 40)
	log.print(1, "#1 ", dialect.Event{Op: dialect.Note, Zh: zh, En: en})
	if want := "#1 " + zh + "\n#1 " + en + "\n"; out.String() != want {
		t.Errorf("printed %q", out.String())
	}
}
