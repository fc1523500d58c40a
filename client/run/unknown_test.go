package run

import (
	"errors"
	"io"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// What is said of a command whose session could not be taken up again is what is known (RE8): it
// was never started, it was, or nobody knows.
func TestFates(t *testing.T) {
	const day = 24 * time.Hour
	never := Known{Host: "box"}
	maybe := Known{Host: "box", Sent: true}
	began := Known{Host: "box", Sent: true, Opened: true}
	lost := &mux.LinkLost{Cause: io.EOF, Within: day, Tried: day}
	away := &mux.LinkLost{Cause: told(protocol.CodeKeyNotAuthorized), Within: day,
		Tried: time.Minute}
	for _, test := range []struct {
		known Known
		err   error
		want  string
	}{
		{never, lost, "the link to box was lost, and there was no new one for 24 hours: it was " +
			"closed on the way; " +
			"the command was never started"},
		{maybe, lost, "the link to box was lost, and there was no new one for 24 hours: it was " +
			"closed on the way; " +
			"nobody knows whether the command was started: if it was, what runs there is stopped " +
			"at the latest when its session has been without a link for 24 hours"},
		{began, lost, "the link to box was lost, and there was no new one for 24 hours: it was " +
			"closed on the way; " +
			"what runs there is stopped at the latest when its session has been without a link " +
			"for 24 hours, and its outcome is unknown"},
		{began, away, "the link to box was lost, and there was no new one for 60 seconds: it " +
			"does not let your key in from your new address; what runs there is stopped at the " +
			"latest when its session has been without a link for 24 hours, and its outcome is " +
			"unknown"},
		{never, mux.ErrRestarted, "minisshd on box was restarted, and has forgotten the session; " +
			"the command was never started"},
		{maybe, mux.ErrRestarted, "minisshd on box was restarted, and has forgotten the session; " +
			"nobody knows whether the command was started: if it was, the command was stopped " +
			"then, or runs on"},
		{began, mux.ErrRestarted, "minisshd on box was restarted, and has forgotten the session; " +
			"the command was stopped then, or runs on, and its outcome is unknown"},
		{began, told(protocol.CodeSessionExpired), "the session with box has expired; what ran " +
			"there was stopped, and its outcome is unknown"},
		{began, told(protocol.CodeSessionEnded), `box ended this session while it had no link: ` +
			`"why"; what ran there was stopped, and its outcome is unknown`},
		{never, told(protocol.CodeSessionEnded), `box ended this session while it had no link: ` +
			`"why"; the command was never started`},
	} {
		if got := test.known.Unknown(test.err).Error(); got != test.want {
			t.Errorf("%+v, %v:\n %s\nwant\n %s", test.known, test.err, got, test.want)
		}
	}
	const noNew = "the link to box was lost, and there was no new one for 24 hours: it was " +
		"closed on the way"
	expired, ended := told(protocol.CodeSessionExpired), told(protocol.CodeSessionEnded)
	for err, want := range map[error]string{
		error(lost):      noNew,
		mux.ErrRestarted: "minisshd on box was restarted, and has forgotten the session",
		expired:          "the session with box has expired",
		ended:            `box ended this session while it had no link: "why"`,
	} {
		if got := SessionOver("box", err).Error(); got != want {
			t.Errorf("%v: %s", err, got)
		}
		if !errors.Is(SessionOver("box", err), err) {
			t.Errorf("%v is not the cause", err)
		}
	}
}
