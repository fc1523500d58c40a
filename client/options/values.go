package options

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// These read single values. Their errors are fragments that follow the name of the option; the
// caller adds hints, since it knows where the value is.

func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("bad port %s (1 to 65535)", shown(s))
	}
	return int(n), nil
}

func parseYesNo(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes", "true":
		return true, nil
	case "no", "false":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither yes nor no", shown(s))
}

// parseChoice returns the entry of choices (pairs of spelling and meaning) that s
// spells in any case.
func parseChoice[T ~string](s string, choices ...[2]T) (T, error) {
	var names []string
	for _, c := range choices {
		if strings.EqualFold(s, string(c[0])) {
			return c[1], nil
		}
		names = append(names, string(c[0]))
	}
	return "", fmt.Errorf("%s is not one of %s", shown(s), strings.Join(names, ", "))
}

func parseLogLevel(s string) (LogLevel, error) {
	switch strings.ToUpper(s) {
	case "DEBUG1":
		return LevelDebug1, nil
	case "SILENT":
		return LevelQuiet, nil
	}
	for i, name := range levelNames {
		if strings.EqualFold(s, name) {
			return LogLevel(i), nil
		}
	}
	return 0, fmt.Errorf("%s is not a log level (%s)", shown(s), strings.Join(levelNames[:], ", "))
}

// longestTime keeps sums of parsed times far from overflow.
const longestTime = 100 * 365 * 24 * time.Hour

// parseTime reads ssh's time format (sshd_config(5), TIME FORMATS): a sequence of
// numbers, each followed by s, m, h, d, w in either case, or by nothing for
// seconds.
func parseTime(s string) (time.Duration, error) {
	bad := fmt.Errorf("%s is not a time (like 90, 90s or 1m30s)", shown(s))
	var total time.Duration
	for rest := s; rest != "" || s == ""; {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseUint(rest[:digits], 10, 32)
		if err != nil {
			return 0, bad
		}
		rest = rest[digits:]
		unit := time.Second
		if rest != "" {
			switch rest[0] | 0x20 {
			case 's':
			case 'm':
				unit = time.Minute
			case 'h':
				unit = time.Hour
			case 'd':
				unit = 24 * time.Hour
			case 'w':
				unit = 7 * 24 * time.Hour
			default:
				return 0, bad
			}
			rest = rest[1:]
		}
		if time.Duration(n) > longestTime/unit {
			return 0, bad
		}
		if total += time.Duration(n) * unit; total > longestTime {
			return 0, bad
		}
	}
	return total, nil
}

// facilities of the system's log (ssh_config(5), SyslogFacility), by the numbers that syslog(3)
// gives them.
var facilities = map[string]int{"USER": 1, "DAEMON": 3, "AUTH": 4, "AUTHPRIV": 10, "LOCAL0": 16,
	"LOCAL1": 17, "LOCAL2": 18, "LOCAL3": 19, "LOCAL4": 20, "LOCAL5": 21, "LOCAL6": 22,
	"LOCAL7": 23}

func parseFacility(s string) (string, error) {
	name := strings.ToUpper(s)
	if facilities[name] == 0 {
		return "", fmt.Errorf("%s is not a part of the system's log (like USER, DAEMON or LOCAL0)",
			shown(s))
	}
	return name, nil
}

// Facility is the number of SyslogFacility in syslog(3).
func (o *Options) Facility() int { return facilities[o.SyslogFacility] }

// parseTimeout reads --timeout: ssh's time format or Go's (1.5s, 300ms), more
// than nothing.
func parseTimeout(s string) (time.Duration, error) {
	d, err := parseTime(s)
	if err != nil {
		var goErr error
		if d, goErr = time.ParseDuration(s); goErr != nil || d > longestTime {
			return 0, err
		}
	}
	if d <= 0 {
		return 0, fmt.Errorf("%s is not a time above 0", shown(s))
	}
	return d, nil
}

// parseEscape reads -e and EscapeChar: none, one character, or ^X.
func parseEscape(s string) (int, error) {
	switch {
	case s == "none": // ssh takes no other case
		return -1, nil
	case len(s) == 1:
		return int(s[0]), nil
	case len(s) == 2 && s[0] == '^' && s[1] >= '@' && s[1] < 0x80:
		return int(s[1] & 31), nil
	}
	return 0, fmt.Errorf("bad escape character %s (one character, ^ and a letter, or none)",
		shown(s))
}
