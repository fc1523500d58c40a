package options

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// These make the set function of a row: from the field that it fills, or, without a field, as a
// check of the value like ssh's.

func yesNo(field func(*Options) *bool) func(*Options, []string) error {
	return func(o *Options, v []string) (err error) {
		*field(o), err = parseYesNo(v[0])
		return
	}
}

func text(field func(*Options) *string) func(*Options, []string) error {
	return func(o *Options, v []string) error {
		*field(o) = v[0]
		return nil
	}
}

// noneText is text where "none" means empty.
func noneText(field func(*Options) *string) func(*Options, []string) error {
	return func(o *Options, v []string) error {
		if *field(o) = v[0]; oneOf(v[0], "none") {
			*field(o) = ""
		}
		return nil
	}
}

func number(field func(*Options) *int) func(*Options, []string) error {
	return func(o *Options, v []string) error {
		n, err := strconv.ParseUint(v[0], 10, 31)
		if err != nil {
			return fmt.Errorf("%s is not a number", shown(v[0]))
		}
		*field(o) = int(n)
		return nil
	}
}

func isNumber(_ *Options, v []string) error {
	return number(func(*Options) *int { return new(int) })(nil, v)
}

func isYesNo(_ *Options, v []string) error {
	_, err := parseYesNo(v[0])
	return err
}

func isTime(_ *Options, v []string) error {
	_, err := parseTimeOrNone(v[0])
	return err
}

// parseTimeOrNone reads a time; none is 0.
func parseTimeOrNone(s string) (time.Duration, error) {
	if s == "none" { // ssh takes no other case
		return 0, nil
	}
	return parseTime(s)
}

// oneOfThese checks a single word.
func oneOfThese(names ...string) func(*Options, []string) error {
	return func(_ *Options, v []string) error {
		if oneOf(v[0], names...) {
			return nil
		}
		return fmt.Errorf("%s is not one of %s", shown(v[0]), strings.Join(names, ", "))
	}
}

// parseMask is StreamLocalBindMask's.
func parseMask(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o777 {
		return 0, fmt.Errorf("%s is not an octal mask", shown(s))
	}
	return uint32(n), nil
}

// isIPQoS takes one or two classes of traffic (ssh_config(5)).
func isIPQoS(_ *Options, v []string) error {
	for _, class := range v {
		if oneOf(class, "none", "ef", "le", "lowdelay", "throughput", "reliability") {
			continue
		}
		kind, n := strings.ToLower(class), 0
		if len(kind) == 4 && kind[:2] == "af" && kind[2] >= '1' && kind[2] <= '4' &&
			kind[3] >= '1' && kind[3] <= '3' ||
			len(kind) == 3 && kind[:2] == "cs" && kind[2] >= '0' && kind[2] <= '7' {
			continue
		}
		parsed, err := strconv.ParseUint(class, 0, 8)
		if n = int(parsed); err != nil || n > 255 {
			return fmt.Errorf("%s is not a class of traffic", shown(class))
		}
	}
	return nil
}

// isRekeyLimit takes an amount of data, and after it a time.
func isRekeyLimit(_ *Options, v []string) error {
	if amount := v[0]; !oneOf(amount, "default") {
		digits := strings.TrimRight(strings.ToUpper(amount), "BKMGTPE")
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || len(amount)-len(digits) > 1 || n < 0 || len(amount) == len(digits) &&
			n != 0 && n < 16 {
			return fmt.Errorf("%s is not an amount of data", shown(amount))
		}
	}
	if len(v) > 1 {
		return isTime(nil, v[1:])
	}
	return nil
}

// isTunnelDevice takes any or a number, and after a colon the same.
func isTunnelDevice(_ *Options, v []string) error {
	here, there, _ := strings.Cut(v[0], ":")
	for _, device := range []string{here, there} {
		if device == "" && here != "" || oneOf(device, "any") {
			continue
		}
		if isNumber(nil, []string{device}) != nil {
			return fmt.Errorf("%s is not a tunnel device", shown(v[0]))
		}
	}
	return nil
}

// isDomains takes names of domains, or none alone.
func isDomains(_ *Options, v []string) error {
	for _, domain := range v {
		if domain == "" || oneOf(domain, "none") && len(v) > 1 ||
			strings.IndexByte("-._", domain[0]) >= 0 ||
			strings.ContainsFunc(domain, func(r rune) bool {
				return !(r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' ||
					strings.ContainsRune("-._", r))
			}) {
			return fmt.Errorf("%s is not the name of a domain", shown(domain))
		}
	}
	return nil
}

// isPersistence is ControlPersist's: yes, no or a time.
func isPersistence(_ *Options, v []string) error {
	if _, err := parseTime(v[0]); err != nil && v[0] != "yes" && v[0] != "no" && v[0] != "true" &&
		v[0] != "false" {
		return fmt.Errorf("%s is neither yes, no nor a time", shown(v[0]))
	}
	return nil
}

func same(s string) [2]string { return [2]string{s, s} }

func oneOf(s string, names ...string) bool {
	for _, name := range names {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

func notNone(v []string) bool { return !oneOf(v[0], "none") }
func notNo(v []string) bool   { return !oneOf(v[0], "no", "false") }
