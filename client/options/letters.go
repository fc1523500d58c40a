package options

import "strings"

// flagRow is one option letter of ssh(1), or one long flag of ours.
type flagRow struct {
	letter byte   // 0 for long flags
	long   string // without the two dashes
	arg    bool   // takes an argument
	status Status

	// A flag that is short for a key: -p N is Port=N, -n is StdinNull=yes.
	// The key's own status does not matter then.
	key, value string
	// set does anything else. Both may stand.
	set func(p *parser, arg string) error

	what string // what a Later or Noted flag asks for
	hint string // what to type instead
}

// flagRows is the table of ssh's option letters (SSH_CONTRACT rule 3) and of the
// long flags that are minissh's own.
var flagRows = []flagRow{
	{letter: '4', set: func(p *parser, _ string) error { p.setFamily("inet"); return nil }},
	{letter: '6', set: func(p *parser, _ string) error { p.setFamily("inet6"); return nil }},
	{letter: 'F', arg: true, set: func(p *parser, arg string) error { p.configFile = arg; return nil }},
	{letter: 'G', set: func(p *parser, _ string) error { p.o.PrintConfig = true; return nil }},
	{letter: 'N', set: func(p *parser, _ string) error {
		return p.setSession(SessionNone, "-N")
	}},
	{letter: 'T', set: func(p *parser, _ string) error { p.setTTY(TTYNo); return nil }},
	{letter: 'V', set: func(p *parser, _ string) error { p.o.Version = true; return nil }},
	{letter: 'e', arg: true, key: "EscapeChar"},
	{letter: 'f', key: "ForkAfterAuthentication", value: "yes",
		set: func(p *parser, _ string) error { return p.setKey("StdinNull", "yes") }},
	{letter: 'i', arg: true, set: (*parser).addIdentity},
	{letter: 'l', arg: true, key: "User"},
	{letter: 'n', key: "StdinNull", value: "yes"},
	{letter: 'o', arg: true, set: (*parser).dashO},
	{letter: 'p', arg: true, key: "Port"},
	{letter: 'q', set: func(p *parser, _ string) error { p.setLevel(LevelQuiet); return nil }},
	{letter: 't', set: func(p *parser, _ string) error {
		if p.o.RequestTTY == TTYYes {
			p.setTTY(TTYForce)
		} else {
			p.setTTY(TTYYes)
		}
		return nil
	}},
	{letter: 'v', set: func(p *parser, _ string) error { p.louder(); return nil }},

	{letter: 'D', arg: true, status: Later, what: "a SOCKS proxy"},
	{letter: 'J', arg: true, status: Later, what: "going through another host", hint: "minissh jumphost minissh host command"},
	{letter: 'L', arg: true, status: Later, what: "forwarding a local port"},
	{letter: 'O', arg: true, status: Later, what: "talking to a master process; minissh has none and needs none"},
	{letter: 'Q', arg: true, status: Later, what: "a list of algorithms; minissh has one TLS 1.3 profile and nothing to choose"},
	{letter: 'R', arg: true, status: Later, what: "forwarding a port from the other side"},
	{letter: 'W', arg: true, status: Later, what: "joining standard input and output to a port of the other side",
		set: func(p *parser, arg string) error {
			p.o.StdioForward = arg
			p.setTTY(TTYNo)
			return p.setSession(SessionNone, "-W")
		}},
	{letter: 'b', arg: true, status: Later, what: "a source address"},
	{letter: 'B', arg: true, status: Later, what: "a source interface"},
	{letter: 's', status: Later, what: "a subsystem", set: func(p *parser, _ string) error {
		return p.setSession(SessionSubsystem, "-s")
	}},
	{letter: 'w', arg: true, status: Later, what: "a tunnel device"},

	{letter: 'A', status: Noted, what: "lending the agent to the other side"},
	{letter: 'E', arg: true, status: Noted, what: "messages to a file", set: func(p *parser, arg string) error {
		p.o.LogFile = arg
		return nil
	}},
	{letter: 'I', arg: true, status: Noted, what: "keys in PKCS#11 devices"},

	{letter: '1', status: Ignored, set: func(p *parser, _ string) error {
		return usage("leave out -1", "version 1 of the SSH protocol is gone, and minissh never spoke it")
	}},
	{letter: '2', status: Ignored},
	{letter: 'C', status: Ignored},
	{letter: 'K', status: Ignored},
	{letter: 'M', status: Ignored},
	{letter: 'P', arg: true, status: Ignored},
	{letter: 'S', arg: true, status: Ignored},
	{letter: 'X', status: Ignored},
	{letter: 'Y', status: Ignored},
	{letter: 'Z', status: Ignored},
	{letter: 'a', status: Ignored},
	{letter: 'c', arg: true, status: Ignored},
	{letter: 'g', status: Ignored},
	{letter: 'k', status: Ignored},
	{letter: 'm', arg: true, status: Ignored},
	{letter: 'x', status: Ignored},
	{letter: 'y', status: Ignored},

	{long: "exec", set: func(p *parser, _ string) error { p.o.Exec = true; return nil }},
	{long: "help", set: func(p *parser, _ string) error { p.o.Help = true; return nil }},
	{long: "keylog", arg: true, set: (*parser).setKeyLog},
	{long: "timeout", arg: true, set: func(p *parser, arg string) error {
		d, err := parseTimeout(arg)
		if err != nil {
			return usage("minissh --timeout 90s host command", "--timeout: %v", err)
		}
		if p.o.Timeout == 0 {
			p.o.Timeout = d
		}
		return nil
	}},
	{long: "version", set: func(p *parser, _ string) error { p.o.Version = true; return nil }},
}

func findLetter(letter byte) *flagRow {
	for i := range flagRows {
		if flagRows[i].letter == letter && letter != 0 {
			return &flagRows[i]
		}
	}
	return nil
}

func findLong(name string) *flagRow {
	for i := range flagRows {
		if flagRows[i].long == name && name != "" {
			return &flagRows[i]
		}
	}
	return nil
}

// name is the flag as it is typed.
func (row *flagRow) name() string {
	if row.long != "" {
		return "--" + row.long
	}
	return "-" + string(rune(row.letter))
}

// Row is one line of the tables, for documents, completion and tests.
type Row struct {
	Name     string // "-p", "--exec", "Port"
	Argument bool   // for flags: takes one
	Status   Status
	File     bool // for keys: it can stand in a file only
}

// Table returns every flag and every -o key with its status.
func Table() (flags, keys []Row) {
	for i := range flagRows {
		flags = append(flags, Row{flagRows[i].name(), flagRows[i].arg, flagRows[i].status, false})
	}
	return flags, keyList()
}

func keyList() (keys []Row) {
	for _, rows := range [][]keyRow{keyRows, knownRows} {
		for i := range rows {
			keys = append(keys, Row{rows[i].name, true, rows[i].status, rows[i].structure})
		}
	}
	for _, name := range strings.Fields(ignoredKeys) {
		keys = append(keys, Row{name, true, Ignored, false})
	}
	return keys
}
