package options

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// keyRow is one key of ssh_config(5). Rows are found by their name in any case.
type keyRow struct {
	name   string
	status Status

	// line takes the rest of the line as one value, words any number of words;
	// otherwise it is exactly one word.
	line, words bool
	// repeat lets every line count, and not only the first.
	repeat bool
	// sshd marks keys that are about sshd's own port and routes: they do not
	// count in ~/.ssh/config.
	sshd bool
	// structure marks what makes sense in files only.
	structure bool

	// set reads the value into o. It must not depend on what o holds already, since
	// it is run on a scratch copy to check values that do not count.
	set func(o *Options, v []string) error
	// what says what a Later or Noted row would do; asks tells values that ask for
	// it from values that do not (nil: all do).
	what string
	asks func(v []string) bool
}

// keyRows is the table of keys that fill a field. Order: ssh_config(5)'s alphabet
// within each status.
var keyRows = []keyRow{
	{name: "AddressFamily", set: func(o *Options, v []string) (err error) {
		o.AddressFamily, err = parseChoice[string](v[0], same("any"), same("inet"), same("inet6"))
		return
	}},
	{name: "BatchMode", set: yesNo(func(o *Options) *bool { return &o.BatchMode })},
	{name: "ConnectTimeout", set: func(o *Options, v []string) (err error) {
		if strings.EqualFold(v[0], "none") {
			o.ConnectTimeout = 0
			return nil
		}
		o.ConnectTimeout, err = parseTime(v[0])
		return
	}},
	{name: "EscapeChar", set: func(o *Options, v []string) (err error) {
		o.EscapeChar, err = parseEscape(v[0])
		return
	}},
	{name: "ForkAfterAuthentication", set: yesNo(func(o *Options) *bool { return &o.ForkAfterAuthentication })},
	{name: "GlobalKnownHostsFile", words: true, set: func(o *Options, v []string) error {
		o.GlobalKnownHostsFiles = v
		return nil
	}},
	{name: "HashKnownHosts", set: yesNo(func(o *Options) *bool { return &o.HashKnownHosts })},
	{name: "HostKeyAlias", sshd: true, set: text(func(o *Options) *string { return &o.HostKeyAlias })},
	{name: "HostName", set: text(func(o *Options) *string { return &o.HostName })},
	{name: "IdentitiesOnly", set: yesNo(func(o *Options) *bool { return &o.IdentitiesOnly })},
	{name: "IdentityAgent", set: text(func(o *Options) *string { return &o.IdentityAgent })},
	{name: "IdentityFile", repeat: true, set: func(o *Options, v []string) error {
		if len(o.IdentityFiles) >= 100 {
			return errors.New("more than 100 identity files")
		}
		o.IdentityFiles = append(o.IdentityFiles, v[0])
		return nil
	}},
	{name: "LogLevel", set: func(o *Options, v []string) (err error) {
		o.LogLevel, err = parseLogLevel(v[0])
		return
	}},
	{name: "Port", sshd: true, set: func(o *Options, v []string) (err error) {
		o.Port, err = parsePort(v[0])
		return
	}},
	{name: "RequestTTY", set: func(o *Options, v []string) (err error) {
		o.RequestTTY, err = parseChoice(v[0], [2]TTY{"auto", TTYAuto}, [2]TTY{"no", TTYNo}, [2]TTY{"yes", TTYYes},
			[2]TTY{"force", TTYForce}, [2]TTY{"false", TTYNo}, [2]TTY{"true", TTYYes})
		return
	}},
	{name: "SendEnv", words: true, repeat: true, set: func(o *Options, v []string) error {
		for _, name := range v {
			if strings.Contains(name, "=") {
				return fmt.Errorf("%s is not the name of a variable", shown(name))
			}
		}
		o.SendEnv = append(o.SendEnv, v...)
		return nil
	}},
	{name: "SetEnv", words: true, set: func(o *Options, v []string) error {
		for _, pair := range v {
			if strings.IndexByte(pair, '=') < 1 {
				return fmt.Errorf("%s is not NAME=value", shown(pair))
			}
		}
		o.SetEnv = v
		return nil
	}},
	{name: "StdinNull", set: yesNo(func(o *Options) *bool { return &o.StdinNull })},
	{name: "StrictHostKeyChecking", set: func(o *Options, v []string) (err error) {
		o.StrictHostKeyChecking, err = parseChoice(v[0], [2]Strictness{"yes", StrictYes}, [2]Strictness{"no", StrictNo},
			[2]Strictness{"ask", StrictAsk}, [2]Strictness{"accept-new", StrictAcceptNew}, [2]Strictness{"off", StrictNo},
			[2]Strictness{"true", StrictYes}, [2]Strictness{"false", StrictNo})
		return
	}},
	{name: "User", set: text(func(o *Options) *string { return &o.User })},
	{name: "UserKnownHostsFile", words: true, set: func(o *Options, v []string) error {
		o.UserKnownHostsFiles = v
		return nil
	}},

	{name: "RemoteCommand", status: Later, line: true, what: "a command from the configuration", asks: notNone,
		set: func(o *Options, v []string) error {
			o.RemoteCommand = v[0]
			if strings.EqualFold(v[0], "none") {
				o.RemoteCommand = ""
			}
			return nil
		}},
	{name: "SessionType", status: Later, what: "a subsystem", asks: func(v []string) bool { return oneOf(v[0], "subsystem") },
		set: func(o *Options, v []string) (err error) {
			o.SessionType, err = parseChoice(v[0], [2]SessionType{"none", SessionNone},
				[2]SessionType{"subsystem", SessionSubsystem}, [2]SessionType{"default", SessionDefault})
			return
		}},

	{name: "ServerAliveCountMax", status: Noted, what: "counting missed signs of life", set: func(o *Options, v []string) error {
		n, err := strconv.ParseUint(v[0], 10, 31)
		if err != nil {
			return fmt.Errorf("%s is not a count", shown(v[0]))
		}
		o.ServerAliveCountMax = int(n)
		return nil
	}},
	{name: "ServerAliveInterval", status: Noted, what: "asking for signs of life", set: func(o *Options, v []string) (err error) {
		o.ServerAliveInterval, err = parseTime(v[0])
		return
	}},
}

// keyNamed finds the row of a key by its name, in any case; nil if there is no such key. It searches, since a client asks a few times in its life and a
// table for all names would be made each time.
func keyNamed(name string) *keyRow {
	for _, alias := range keyAliases {
		if strings.EqualFold(alias[0], name) {
			name = alias[1]
		}
	}
	for _, rows := range [][]keyRow{keyRows, knownRows} {
		for i := range rows {
			if strings.EqualFold(rows[i].name, name) {
				return &rows[i]
			}
		}
	}
	for ignored := range strings.FieldsSeq(ignoredKeys) {
		if strings.EqualFold(ignored, name) {
			return &keyRow{name: ignored, status: Ignored, words: true}
		}
	}
	return nil
}

// values checks and cuts the rest of a line as the row wants it.
func (row *keyRow) values(rest string) ([]string, error) {
	if rest == "" {
		return nil, errors.New("no value after " + row.name)
	}
	if row.line {
		return []string{rest}, nil
	}
	words, ok := splitWords(rest)
	switch {
	case !ok:
		return nil, errors.New("a quote is not closed")
	case row.status == Ignored:
		return words, nil
	case len(words) == 0 || words[0] == "":
		return nil, errors.New("no value after " + row.name)
	case len(words) > 1 && !row.words:
		return nil, fmt.Errorf("%s takes one value, and %s is left over", row.name, shown(strings.Join(words[1:], " ")))
	}
	return words, nil
}

// put sets the row's value in o.
func (row *keyRow) put(o *Options, v []string) error {
	if row.set == nil {
		return nil
	}
	if err := row.set(o, v); err != nil {
		return fmt.Errorf("%s: %w", row.name, err)
	}
	return nil
}

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
