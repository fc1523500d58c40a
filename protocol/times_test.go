package protocol

import (
	"testing"
	"time"
)

// A time is told in whole words, in one unit. One that passes is rounded; a limit is not, since
// "3 minutes" for 150 seconds would promise what does not hold.
func TestTimesInWords(t *testing.T) {
	const s, min, h = time.Second, time.Minute, time.Hour
	for d, want := range map[time.Duration][2]string{
		0:                   {"0 seconds", "0 seconds"},
		s:                   {"1 second", "1 second"},
		6*s + 90_000_000:    {"6 seconds", "6.09 seconds"},
		1500 * s / 1000:     {"2 seconds", "1.5 seconds"},
		200 * s / 1000:      {"0 seconds", "0.2 seconds"},
		12 * s:              {"12 seconds", "12 seconds"},
		min:                 {"60 seconds", "60 seconds"},
		119 * s:             {"119 seconds", "119 seconds"},
		150 * s:             {"3 minutes", "150 seconds"},
		10*min - 20_000_000: {"10 minutes", "599.98 seconds"},
		10 * min:            {"10 minutes", "10 minutes"},
		h:                   {"60 minutes", "60 minutes"},
		90 * min:            {"90 minutes", "90 minutes"},
		150 * min:           {"3 hours", "150 minutes"},
		24 * h:              {"24 hours", "24 hours"},
		-s:                  {"0 seconds", "0 seconds"},
	} {
		if got := [2]string{InWords(d), ExactlyInWords(d)}; got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{3 * time.Millisecond: "3 ms",
		1550 * time.Millisecond: "1.6 s", 75 * time.Second: "1m15s"} {
		if got := Took(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
