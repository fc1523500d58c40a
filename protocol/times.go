package protocol

import (
	"fmt"
	"time"
)

// Took is how long something took, for people who compare such times.
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// InWords is a time that has passed, or is left, for people: rounded, in its largest unit of which
// there are two.
func InWords(d time.Duration) string {
	switch d = max(d, 0).Round(time.Second); {
	case d >= 2*time.Hour:
		d = d.Round(time.Hour)
	case d >= 2*time.Minute:
		d = d.Round(time.Minute)
	}
	return ExactlyInWords(d)
}

// ExactlyInWords is a limit for people: not rounded, in the largest unit of which it is a multiple,
// at least twice.
func ExactlyInWords(d time.Duration) string {
	switch d = max(d, 0); {
	case d == time.Second:
		return "1 second"
	case d >= 2*time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%v seconds", d.Seconds())
}
