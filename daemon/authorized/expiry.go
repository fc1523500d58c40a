package authorized

import (
	"errors"
	"strings"
	"time"
)

// parseExpiry reads a time as sshd does: YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in the daemon's
// time zone, or in UTC if Z or UTC follows.
func parseExpiry(text string, local *time.Location) (time.Time, error) {
	digits := text
	if n := len(text); n > 1 && strings.EqualFold(text[n-1:], "z") {
		digits, local = text[:n-1], time.UTC
	} else if n > 3 && strings.EqualFold(text[n-3:], "utc") {
		digits, local = text[:n-3], time.UTC
	}
	layout := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(digits)]
	bad := errors.New("it is not a time of the form YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z]")
	if layout == "" {
		return time.Time{}, bad
	}
	at, err := time.ParseInLocation(layout, digits, local)
	if err != nil || at.Unix() <= 0 {
		return time.Time{}, bad
	}
	return at, nil
}
