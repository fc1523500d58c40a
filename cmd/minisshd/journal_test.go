package main

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
)

// A journal's lines have syslog's levels and no time (sd-daemon(3)), and so has the error that ends
// the program. Elsewhere there are no levels.
func TestJournal(t *testing.T) {
	var out bytes.Buffer
	log, sink := newLog(&out, slog.LevelDebug, true)
	log.Debug("one", "a", "x\n<0>level=ERROR msg=forged")
	log.Info("two")
	log.Warn("three")
	log.Error("four")
	sink.Flush(lastWords)
	const want = "<7>level=DEBUG msg=one a=\"x\\n<0>level=ERROR msg=forged\"\n" +
		"<6>level=INFO msg=two\n<4>level=WARN msg=three\n<3>level=ERROR msg=four\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	if got := complaint(errors.New("no"), true); got != "<3>minisshd: no\n" {
		t.Errorf("%q", got)
	}
	if got := complaint(hinted{}, false); got != "minisshd: no\nminisshd: hint: type this\n" {
		t.Errorf("%q", got)
	}
}

type hinted struct{}

func (hinted) Error() string { return "no" }
func (hinted) Hint() string  { return "type this" }
