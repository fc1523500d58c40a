package authorized

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"minissh/protocol"
)

// maxEnvironment bounds the environment= options of a line (sshd's bound, INT_MAX, is useless).
const maxEnvironment = 1024

// Restrictions are what the options before a key say.
type Restrictions struct {
	// command= is set: it runs whatever the client asks for, which is in SSH_ORIGINAL_COMMAND
	HasCommand bool
	Command    string // may be empty

	// cert-authority is set: the key admits nobody, but vouches for certificates (CE3)
	Authority  bool
	Principals []string // principals=, one of which a certificate must have; nil: the user's name

	// by a certificate: its options and the line's are together here
	Certified  bool
	CertSource From // source-address; zero: anywhere

	From   From      // where the client may come from; zero: anywhere
	Expiry time.Time // the key does not count after it; zero: no end

	Restricted bool // restrict is set: whatever is not granted by name is refused
	NoPty      bool

	// minissh-files= is set: the key may copy files within this folder, an absolute path, and
	// nothing else
	FilesFolder string
	FilesMode   string // FilesRead, FilesWrite; "": both

	Environment []string // "NAME=value", each name once; for a daemon that permits it

	NoPortForwarding, NoAgentForwarding bool
	// port-forwarding or agent-forwarding is there: a key that is restricted to something else may
	// forward as well
	NamesPortForwarding, NamesAgentForwarding bool

	NoJobs bool // no-minissh-jobs, or restrict without minissh-jobs

	PermitOpen   []string // as written: host:port
	PermitListen []string // as written: [host:]port

	NoUserRC bool // ~/.ssh/rc is not run

	// What does not exist yet and needs no forbidding, for later services (see Allows).
	NoX11Forwarding bool

	// of hardware keys; of several such options the last one counts, as in sshd
	NoTouchRequired, VerifyRequired bool
}

// parseOptions reads a line's options as sshd's sshauthopt_parse does. remarks are for the log.
func parseOptions(text string, local *time.Location) (r Restrictions, remarks []string, err error) {
	for text != "" {
		end := strings.IndexAny(text, ",=")
		name, rest := text, ""
		if end >= 0 {
			name, rest = text[:end], text[end:]
		}
		value, hasValue := "", false
		if rest, hasValue = strings.CutPrefix(rest, "="); hasValue {
			if value, rest, err = unquote(rest); err != nil {
				return r, remarks, fmt.Errorf("option %s: %w", clipped(name), err)
			}
		}
		if rest != "" {
			if rest[0] != ',' {
				return r, remarks, fmt.Errorf("option %s: there is something after its value",
					clipped(name))
			}
			rest = rest[1:]
		}
		text = rest
		if name == "" && !hasValue {
			continue // a comma too many, which sshd does not mind either
		}
		remark, err := r.set(name, value, hasValue, local)
		if err != nil {
			return r, remarks, err
		}
		if remark != "" {
			remarks = append(remarks, remark)
		}
	}
	if r.Principals != nil && !r.Authority {
		return r, remarks, errors.New("principals is for lines with cert-authority")
	}
	if r.HasCommand && r.FilesFolder != "" {
		return r, remarks, errors.New("command and minissh-files exclude each other")
	}
	return r, remarks, nil
}

// elsewhereError is a line that sshd uses and we do not.
type elsewhereError struct{ why string }

func (e *elsewhereError) Error() string { return e.why }

// The modes of minissh-files.
const (
	FilesRead  = "ro"
	FilesWrite = "wo"
)

// unquote reads a value in double quotes, in which \" stands for " and no other character is
// special.
func unquote(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", errors.New("its value is not in double quotes")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("its double quote is not closed")
}

// set takes one option.
func (r *Restrictions) set(name, value string, hasValue bool, local *time.Location) (remark string,
	err error) {
	lower := strings.ToLower(name)
	if flag := r.flag(lower); flag != nil {
		if hasValue {
			return "", fmt.Errorf("option %s takes no value", clipped(name))
		}
		flag()
		return "", nil
	}
	take, known := valued[lower]
	switch {
	case !known && name == "":
		return "", errors.New("there is an option without a name")
	case !known:
		return "", fmt.Errorf("the option %s is not supported", clipped(name))
	case !hasValue:
		return "", fmt.Errorf("option %s needs a value", clipped(name))
	}
	remark, err = take(r, value, local)
	if err != nil {
		err = fmt.Errorf("option %s: %w", lower, err)
	}
	return remark, err
}

// flag is what an option without a value does, nil if there is none of that name.
func (r *Restrictions) flag(lower string) func() {
	switch lower {
	case "cert-authority":
		return func() { r.Authority = true }
	case "restrict":
		return func() {
			r.Restricted = true
			r.NamesPortForwarding, r.NamesAgentForwarding = false, false
			r.NoPty, r.NoPortForwarding, r.NoAgentForwarding, r.NoX11Forwarding, r.NoUserRC = true,
				true, true, true, true
			r.NoJobs = true
		}
	}
	positive, no := strings.CutPrefix(lower, "no-")
	var field *bool
	switch positive {
	case "pty":
		field = &r.NoPty
	case "port-forwarding":
		return func() { r.NoPortForwarding, r.NamesPortForwarding = no, !no }
	case "agent-forwarding":
		return func() { r.NoAgentForwarding, r.NamesAgentForwarding = no, !no }
	case "minissh-jobs":
		field = &r.NoJobs
	case "x11-forwarding":
		field = &r.NoX11Forwarding
	case "user-rc":
		field = &r.NoUserRC
	case "touch-required":
		field = &r.NoTouchRequired
	case "verify-required":
		return func() { r.VerifyRequired = !no }
	default:
		return nil
	}
	return func() { *field = no } // of several, the last one counts, as in sshd
}

// Same is equal for two lines exactly if they allow the same to a key that they admit. From where
// and until when they do so is not part of it, nor is the environment.
func (r *Restrictions) Same() string {
	what := *r
	what.From, what.Expiry, what.Environment = From{}, time.Time{}, nil
	what.CertSource = From{}
	return fmt.Sprintf("%+v", what)
}

// valued are the options with a value.
var valued = map[string]func(r *Restrictions, value string, local *time.Location) (remark string,
	err error){
	"command": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		if r.HasCommand {
			return "", errors.New("it is there twice")
		}
		r.HasCommand, r.Command = true, value
		return "", nil
	},
	"minissh-files": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		if r.FilesFolder != "" {
			return "", errors.New("it is there twice")
		}
		folder, mode := value, ""
		if i := strings.LastIndexByte(value, ','); i >= 0 {
			folder, mode = value[:i], value[i+1:]
			if mode != FilesRead && mode != FilesWrite {
				return "", errors.New("after the comma comes neither ro nor wo")
			}
		}
		if !filepath.IsAbs(folder) {
			return "", errors.New("its folder is not an absolute path")
		}
		r.FilesFolder, r.FilesMode = folder, mode
		return "", nil
	},
	"from": func(r *Restrictions, value string, _ *time.Location) (remark string, err error) {
		if r.From.set {
			return "", errors.New("it is there twice")
		}
		r.From, remark, err = ParseFrom(value)
		return remark, err
	},
	"principals": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		if r.Principals != nil {
			return "", errors.New("it is there twice")
		}
		r.Principals = strings.Split(value, ",")
		return "", nil
	},
	"expiry-time": func(r *Restrictions, value string, local *time.Location) (string, error) {
		at, err := parseExpiry(value, local)
		// of several, the earliest counts
		if err == nil && (r.Expiry.IsZero() || at.Before(r.Expiry)) {
			r.Expiry = at
		}
		return "", err
	},
	"environment": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		name, _, ok := strings.Cut(value, "=")
		if !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool {
			return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
		}) {
			return "", errors.New("it is not NAME=value")
		}
		for _, have := range r.Environment {
			if strings.HasPrefix(have, name+"=") { // the first one counts
				return "", nil
			}
		}
		if len(r.Environment) == maxEnvironment {
			return "", errors.New("there are too many of them")
		}
		r.Environment = append(r.Environment, value)
		return "", nil
	},
	"permitopen": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		r.PermitOpen = append(r.PermitOpen, value)
		_, _, err := destination(value, false)
		return "", err
	},
	"permitlisten": func(r *Restrictions, value string, _ *time.Location) (string, error) {
		r.PermitListen = append(r.PermitListen, value)
		_, _, err := destination(value, true)
		return "", err
	},
	"tunnel": func(_ *Restrictions, value string, _ *time.Location) (string, error) {
		if value == "" {
			return "", errors.New("it is empty")
		}
		return "", nil // it chooses a device, and there are no tunnels here
	},
}

// clipped is an option's name, quoted: the name is the user's, the log is not.
func clipped(name string) string {
	if len(name) > 64 {
		name = name[:64] + "…"
	}
	return protocol.Quote(name)
}

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
