package run

import (
	"strings"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/terminal"
	"minissh/protocol"
)

// The line about a lost link is as wide as the screen allows (the host's name had 20 columns on any
// screen), and says who refused to take the session back.
func TestLossInWords(t *testing.T) {
	const host = "a-long-name.of-a-machine.example.org"
	s := &Shell{conn: &dial.Connection{Options: &options.Options{Alias: host}},
		typed: newTypeahead(), escape: &terminal.Escaper{Char: '~'}}
	loss := &dial.Loss{Since: time.Now().Add(-time.Hour)}
	const rest = " lost 60 minutes ago; SIGTERM gives up; keys are kept"
	for columns, want := range map[int]string{
		200: "minissh: link to " + host + rest, 106: "minissh: link to " + host + rest,
		105: "minissh: link to " + host[:35] + rest, 91: "minissh: link to " + host[:21] + rest,
		20: "minissh: link to " + host[:20] + rest,
	} {
		if got := s.lossInWords(loss, columns); got != want {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
	if n := terminal.Columns("minissh: link to " + host + rest); n != 106 {
		t.Errorf("the whole line has %d columns", n)
	}
	loss.Refusal = &protocol.RemoteError{Reason: protocol.Reason{
		Code: protocol.CodeKeyNotAuthorized, Message: "no"}}
	if got := s.lossInWords(loss, 80); !strings.HasPrefix(got, "minissh: SIGTERM gives up; "+host+
		` refused to take the session back from this address: "no"; trying on; link lost 60 `) {
		t.Error(got)
	}
}
