package daemon

import (
	"testing"
	"time"
)

// What PROTOCOL.md says about a daemon's defaults, in numbers: the deadline of a login (ID8), the
// grace between HUP and KILL (EX7), how long a helper may take (FI10), how long a session
// is held, and what is kept for resending at most (RE2, RE4), channels (CH2).
func TestDefaultsInNumbers(t *testing.T) {
	var o Options
	o.defaults()
	for name, c := range map[string]struct{ got, want time.Duration }{
		"LoginGrace":  {o.LoginGrace, 20 * time.Second},
		"StopGrace":   {o.StopGrace, 5 * time.Second},
		"HelperStart": {o.HelperStart, 30 * time.Second},
		"HelperGrace": {o.HelperGrace, 5 * time.Second},
		"Hold":        {o.Hold, 24 * time.Hour},
		"resendMost":  {resendMost, 67_108_864},
		"MaxChannels": {time.Duration(o.MaxChannels), 64},
		"SocketMode":  {time.Duration(o.SocketMode), 0o600},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v instead of %v", name, c.got, c.want)
		}
	}
	for asked, want := range map[int]int{1: 16, 16: 16, 17: 17} {
		o := Options{MaxChannels: asked}
		if o.defaults(); o.MaxChannels != want {
			t.Errorf("%d channels become %d", asked, o.MaxChannels)
		}
	}
}
