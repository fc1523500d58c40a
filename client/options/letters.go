package options

// flagRow is one of ssh(1)'s option letters, or one of our long flags.
type flagRow struct {
	letter byte   // 0 for long flags
	long   string // without the two dashes
	arg    bool   // takes an argument
	class  Class

	// A flag that abbreviates a key: -p N is Port=N, -n is StdinNull=yes. Then the key's row judges
	// the value.
	key, value string
	// wins: as in ssh, the letter counts whatever was given before it, and so the last one does
	wins bool
	// set does anything else; a row may have both.
	set func(p *commandLine, arg string) error

	what string // what a Refused or Told flag asks for, or why a Harmless one is
	hint string // what to type instead
}

// flagRows is the table of ssh's option letters (SSH_CONTRACT rule 3) and of minissh's own long
// flags.
var flagRows = []flagRow{
	{letter: '4', set: func(p *commandLine, _ string) error { p.setFamily("inet"); return nil }},
	{letter: '6', set: func(p *commandLine, _ string) error { p.setFamily("inet6"); return nil }},
	{letter: 'D', arg: true, key: "DynamicForward"},
	{letter: 'F', arg: true, set: func(p *commandLine, arg string) error { p.configFile, p.o.configFile = arg, arg; return nil }},
	{letter: 'G', set: func(p *commandLine, _ string) error { p.o.PrintConfig = true; return nil }},
	{letter: 'J', arg: true, set: (*commandLine).setJump},
	{letter: 'L', arg: true, set: func(p *commandLine, arg string) error {
		if err := addForward(&p.o.LocalForwards, arg, false); err != nil {
			return usage("minissh -L 8080:localhost:80 host", "-L: %v", err)
		}
		return nil
	}},
	{letter: 'M', wins: true, key: "ControlMaster", value: "yes"},
	{letter: 'N', set: func(p *commandLine, _ string) error {
		return p.setSession(SessionNone, "-N")
	}},
	{letter: 'O', arg: true, set: (*commandLine).setControl},
	{letter: 'P', arg: true, key: "Tag"},
	{letter: 'Q', arg: true, set: (*commandLine).setQuery},
	{letter: 'R', arg: true, set: func(p *commandLine, arg string) error {
		if err := p.o.addRemote(arg); err != nil {
			return usage("minissh -R 8080:localhost:80 host", "-R: %v", err)
		}
		return nil
	}},
	{letter: 'S', arg: true, wins: true, key: "ControlPath"},
	{letter: 'T', set: func(p *commandLine, _ string) error { p.setTTY(TTYNo); return nil }},
	{letter: 'V', set: func(p *commandLine, _ string) error { p.o.Version = true; return nil }},
	{letter: 'W', arg: true, set: func(p *commandLine, arg string) (err error) {
		if p.o.StdioForward, err = parseStdio(arg); err != nil {
			return usage("minissh -W localhost:80 host", "-W: %v", err)
		}
		for key, field := range map[string]*bool{"clearallforwardings": &p.o.clearForwardings,
			"exitonforwardfailure": &p.o.ExitOnForwardFailure} {
			p.seen[key], *field = true, true
		}
		p.setTTY(TTYNo)
		return p.setSession(SessionNone, "-W")
	}},
	{letter: 'e', arg: true, wins: true, key: "EscapeChar"},
	{letter: 'f', wins: true, key: "ForkAfterAuthentication", value: "yes",
		set: func(p *commandLine, _ string) error {
			delete(p.seen, "stdinnull")
			return p.setKey("StdinNull", "yes", place{name: "-f", flag: true})
		}},
	{letter: 'A', wins: true, key: "ForwardAgent", value: "yes"},
	{letter: 'a', wins: true, key: "ForwardAgent", value: "no"},
	{letter: 'g', wins: true, key: "GatewayPorts", value: "yes"},
	{letter: 'i', arg: true, set: (*commandLine).addIdentity},
	{letter: 'l', arg: true, key: "User"},
	{letter: 'n', wins: true, key: "StdinNull", value: "yes"},
	{letter: 'o', arg: true, set: (*commandLine).dashO},
	{letter: 'p', arg: true, key: "Port"},
	{letter: 'q', set: func(p *commandLine, _ string) error { p.quiet(); return nil }},
	{letter: 's', set: func(p *commandLine, _ string) error {
		return p.setSession(SessionSubsystem, "-s")
	}},
	{letter: 't', set: func(p *commandLine, _ string) error {
		if p.o.RequestTTY == TTYYes {
			p.setTTY(TTYForce)
		} else {
			p.setTTY(TTYYes)
		}
		return nil
	}},
	{letter: 'y', set: func(p *commandLine, _ string) error { p.o.Syslog = true; return nil }},
	{letter: 'v', set: func(p *commandLine, _ string) error { p.louder(); return nil }},

	// letters win over keys, as in ssh
	{letter: 'B', arg: true, set: func(p *commandLine, arg string) error {
		p.seen["bindinterface"], p.o.BindInterface = true, arg
		return nil
	}},
	{letter: 'E', arg: true, set: func(p *commandLine, arg string) error {
		p.o.LogFile = arg
		return nil
	}},
	{letter: 'b', arg: true, set: func(p *commandLine, arg string) error {
		p.seen["bindaddress"], p.o.BindAddress = true, arg
		return nil
	}},

	{letter: '1', class: Refused, what: "version 1 of the SSH protocol",
		set: func(p *commandLine, _ string) error {
			return usage("leave out -1",
				"version 1 of the SSH protocol is gone, and minissh never spoke it")
		}},
	{letter: 'Z', class: Refused, what: "nothing in ssh either", set: func(p *commandLine, _ string) error { return usage(helpHint, "unknown option -Z") }},
	{letter: 'w', arg: true, class: Refused, what: "a tunnel device"},

	{letter: 'I', arg: true, class: Told, key: "PKCS11Provider", what: "keys in PKCS#11 devices"},
	{letter: 'X', class: Told, key: "ForwardX11", value: "yes", what: "windows of the other side"},
	{letter: 'Y', class: Told, key: "ForwardX11", value: "yes", what: "windows of the other side"},

	{letter: '2', class: Harmless, what: "there is no other version"},
	{letter: 'C', class: Harmless, key: "Compression", value: "yes", what: "nothing is compressed"},
	{letter: 'K', class: Harmless, key: "GSSAPIAuthentication", value: "yes", what: keysOnly},
	{letter: 'c', arg: true, class: Harmless, key: "Ciphers", what: profile, set: listed("-c")},
	{letter: 'k', class: Harmless, key: "GSSAPIDelegateCredentials", value: "no", what: keysOnly},
	{letter: 'm', arg: true, class: Harmless, key: "MACs", what: profile, set: listed("-m")},
	{letter: 'x', class: Harmless, key: "ForwardX11", value: "no", what: noForwarding},

	{long: "detach", set: func(p *commandLine, _ string) error { p.o.Detach = true; return nil }},
	{long: "exec", set: func(p *commandLine, _ string) error { p.o.Exec = true; return nil }},
	{long: "help", set: func(p *commandLine, _ string) error { p.o.Help = true; return nil }},
	{long: "keylog", arg: true, set: (*commandLine).setKeyLog},
	{long: "name", arg: true, set: (*commandLine).setJobName},
	{long: "outcome", arg: true, set: (*commandLine).setOutcome},
	{long: "spool", arg: true, set: (*commandLine).setSpool},
	{long: "spool-wait", set: func(p *commandLine, _ string) error {
		p.o.SpoolWait = true
		return nil
	}},
	{long: "timeout", arg: true, set: func(p *commandLine, arg string) error {
		d, err := parseTimeout(arg)
		if err != nil {
			return usage("minissh --timeout 90s host command", "--timeout: %v", err)
		}
		if p.o.Timeout == 0 {
			p.o.Timeout = d
		}
		return nil
	}},
	{long: "version", set: func(p *commandLine, _ string) error { p.o.Version = true; return nil }},
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

// listed is -c and -m, which do not take a list of what to leave out, as in ssh.
func listed(name string) func(*commandLine, string) error {
	return func(_ *commandLine, arg string) error {
		if arg[0] == '-' {
			return usage(helpHint, "%s: %s is not the name of one of ssh's algorithms", name,
				shown(arg))
		}
		return nil
	}
}
