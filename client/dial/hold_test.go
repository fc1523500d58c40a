package dial

import (
	"testing"
	"time"

	"minissh/client/options"
)

// How long a session is asked to be kept: by what it is for, and by what the user has set.
func TestHold(t *testing.T) {
	for _, c := range []struct {
		what     string
		terminal bool
		o        options.Options
		want     time.Duration
	}{
		{"a command", false, options.Options{ResumeFor: options.ResumeDefault}, 600 * time.Second},
		{"a shell", true, options.Options{ResumeFor: options.ResumeDefault}, 86_400 * time.Second},
		{"-N", false, options.Options{ResumeFor: options.ResumeDefault,
			SessionType: options.SessionNone}, 86_400 * time.Second},
		{"ResumeFor=5", true, options.Options{ResumeFor: 5 * time.Second}, 5 * time.Second},
		{"ResumeFor=0", true, options.Options{}, 0},
		{"ServerAlive", true, options.Options{ResumeFor: options.ResumeDefault,
			ServerAliveInterval: 2 * time.Second, ServerAliveCountMax: 3}, 12 * time.Second},
	} {
		d := &Dialer{Options: &c.o, OnTerminal: c.terminal}
		if got := d.hold(); got != c.want {
			t.Errorf("%s: %v, not %v", c.what, got, c.want)
		}
	}
}
