package run

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

func told(code protocol.Code) *protocol.RemoteError {
	return &protocol.RemoteError{Reason: protocol.Reason{Code: code, Message: "why"}}
}

// Every message about an outcome that is unknown without EXIT, and when it is given. What it says
// about the command is then true: "did not run it" only after a refusal, "is being stopped" only if
// the daemon ends a session that lives, and nothing about a command if none runs.
func TestOutcomesInWords(t *testing.T) {
	lost := &mux.LinkLost{Cause: io.EOF, Within: 10 * time.Minute}
	code := 3
	ended := &Outcome{&protocol.Exit{How: protocol.HowExited, Code: &code}}
	running := func(err error) error { return Known{Host: "box"}.Unknown(err) }
	idle := func(err error) error { return SessionOver("box", err) }
	held := func(err error) error { return Known{Host: "box"}.cutOff(err, ended) }
	for _, test := range []struct {
		when string
		tell func(error) error
		err  error
		want string
	}{
		{"CLOSE alone refuses it", running, &Closed{told(protocol.CodeStartFailed)}, "box did not run it: "},
		{"CLOSE alone refuses it: this key may not", running, &Closed{told(protocol.CodeServiceRefused)}, "box did not run it: "},
		{"CLOSE alone refuses it: the daemon is being stopped", running, &Closed{told(protocol.CodeShuttingDown)}, "box did not run it: "},
		{"CLOSE without EXIT, the session lives", running, &Closed{told(protocol.CodeInternal)}, "box gave the command up, and its outcome is unknown: "},
		{"GOODBYE: the daemon is being stopped", running, told(protocol.CodeShuttingDown), "minisshd on box is being stopped, and the command with it"},
		{"GOODBYE: minisshd end", running, told(protocol.CodeEndedByAdmin), "the administrator of box ended this session; what ran in it is being stopped"},
		{"ERROR", running, told(protocol.CodeInternal), "box ended the session, and the command's outcome is unknown: "},
		{"GOODBYE without a reason", running, mux.ErrGoodbye, "box ended the session, and the command's outcome is unknown"},
		{"we found a violation", running, protocol.Violate(protocol.CodeBadFrame, "no frame"),
			"the session with box ended, and the command's outcome is unknown: "},
		{"the link is lost", running, lost, "the connection to box was lost: "},
		{"our own output cannot be written", running,
			report.Failed(io.ErrClosedPipe, "", "cannot write the command's output: x"),
			"cannot write the command's output: x"},
		{"the link is lost, nothing runs", idle, lost, "the connection to box was lost: "},
		{"GOODBYE: being stopped, nothing runs", idle, told(protocol.CodeShuttingDown), "minisshd on box is being stopped"},
		{"GOODBYE: minisshd end, nothing runs", idle, told(protocol.CodeEndedByAdmin), "the administrator of box ended this session"},
		{"GOODBYE, nothing runs", idle, mux.ErrGoodbye, "box ended the session"},
		{"the link is lost, the command had ended", held, lost, "the connection to box was lost: "},
		{"minisshd end, the command had ended", held, told(protocol.CodeEndedByAdmin),
			"the administrator of box ended this session; the command had ended before (exit " +
				"code 3), and only output"},
		{"our own output cannot be written, the command had ended", held,
			report.Failed(io.ErrClosedPipe, "", "cannot write the command's output: x"),
			"cannot write the command's output: x"},
	} {
		err := test.tell(test.err)
		text := err.Error()
		if !strings.HasPrefix(text, test.want) {
			t.Errorf("%s: %q, not %q", test.when, text, test.want)
		}
		if !errors.Is(err, test.err) && !errors.As(err, new(*report.Failure)) {
			t.Errorf("%s: the cause is gone", test.when)
		}
		about := strings.Contains(text, "outcome") || strings.Contains(text, "hung up") ||
			strings.Contains(text, "what ran")
		if strings.Contains(test.when, "nothing runs") && about {
			t.Errorf("%s: it speaks of a command: %q", test.when, text)
		}
		if strings.Contains(test.when, "had ended") &&
			(strings.Contains(text, "unknown") || strings.Contains(text, "stopped")) {
			t.Errorf("%s: what is known is called unknown: %q", test.when, text)
		}
	}
	if text := running(lost).Error(); !strings.Contains(text, "10 minutes") ||
		strings.Contains(text, "is being stopped") {
		t.Errorf("of a lost link nobody knows that the daemon knows: %q", text)
	}
}
