package daemon

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/protocol"
)

// A banner is cut so that its WELCOME fits a frame, whatever is in it.
func TestBannerFits(t *testing.T) {
	if got := bounded([]byte("a\x00b")); got != "ab" {
		t.Errorf("with a NUL: %q", got)
	}
	for text, want := range map[string]int{
		strings.Repeat("a", 8192):                        8192,
		strings.Repeat("<", 9000):                        8192,
		strings.Repeat("\"", 9000):                       4096,
		strings.Repeat("\x01", 9000):                     1365,
		strings.Repeat("\u4e2d", 3000):                   8190,
		strings.Repeat("a", 8191) + "\u4e2d":             8191,
		"\xff" + strings.Repeat("\x1b", 1366) + "\xfe\n": 1365,
		"": 0,
	} {
		got := bounded([]byte(text))
		if len(got) != want || !strings.HasPrefix(strings.ToValidUTF8(text, ""), got) {
			t.Errorf("%.10q: %d bytes, not %d", text, len(got), want)
		}
		home := protocol.Bytes(strings.Repeat("\xff", 4096))
		whole, err := json.Marshal(&protocol.Welcome{Banner: got, Home: home})
		if err != nil || !strings.Contains(got, "<") && len(whole) > 16384 {
			t.Errorf("%.10q: %d bytes, %v", text, len(whole), err)
		}
	}
}

// A client is asked before it is given up, also with one interval, and no number overflows.
func TestAliveTimes(t *testing.T) {
	for _, c := range []struct {
		interval      time.Duration
		most          int
		ask, patience time.Duration
	}{
		{15 * time.Second, 3, 15 * time.Second, 45 * time.Second},
		{30 * time.Second, 2, 30 * time.Second, time.Minute},
		{time.Second, 1, 500 * time.Millisecond, time.Second},
		{time.Hour, 9_000_000, time.Hour, 87600 * time.Hour},
		{0, 3, 0, 0},
		{time.Second, 0, 0, 0},
	} {
		ask, patience := alive(&access.Terms{AliveInterval: c.interval, AliveMost: c.most})
		if ask != c.ask || patience != c.patience {
			t.Errorf("%v times %d: %v and %v", c.interval, c.most, ask, patience)
		}
	}
}
