package options

import (
	"errors"
	"fmt"
	"strings"

	"minissh/protocol/wildcard"
)

// Parse reads a command line (without the program's name) and the configuration files that go with
// it, for the user and environment of this process. The error is a *UsageError or a *ConfigError;
// [Options.Refuse] reports what this version cannot do.
func Parse(args []string) (*Options, error) { return CurrentEnvironment().Parse(args) }

// Parse is [Parse] in this environment.
func (env *Environment) Parse(args []string) (*Options, error) {
	o := &Options{EscapeChar: '~', ServerAliveCountMax: 3, ResumeFor: ResumeDefault,
		StreamLocalBindMask: 0o177, canonical: canonical{maxDots: 1}}
	if err := env.parse(o, args); err != nil {
		if wrong, ok := errors.AsType[*UsageError](err); ok {
			wrong.Outcome = o.Outcome
		}
		return nil, err
	}
	return o, nil
}

// parse fills in the options.
func (env *Environment) parse(o *Options, args []string) error {
	p := &parser{env: env, judgement: judgement{o: o}, seen: make(map[string]bool)}
	line := &commandLine{parser: p}
	if err := line.arguments(args); err != nil || o.ends() {
		return err
	}
	if !line.haveHost {
		return usage("[user@]host names one; minissh try needs none", "no host was given")
	}
	line.noteUnfit()
	if err := (&configuration{parser: p}).read(); err != nil {
		return err
	}
	if err := p.resolve(); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := p.checkJob(); err != nil {
		return err
	}
	p.judgeLate()
	return nil
}

// ends says whether nothing after it counts: -V, --help or -Q.
func (o *Options) ends() bool { return o.Version || o.Help || o.Answer != nil }

// parser is one run of Parse: which values count.
type parser struct {
	judgement
	env        *Environment
	seen       map[string]bool // keys (lower case) that have their value
	ignore     []string        // patterns of IgnoreUnknown
	configFile string          // -F; "" is the default files
	named      bool            // o.HostName is what is dialled, and holds no token
}

// commandLine is the reading of the command line.
type commandLine struct {
	*parser
	haveHost bool
	levelByV bool // LogLevel was set by -v
}

// arguments walks through the command line: options, the host, options again until the command's
// first word (SSH_CONTRACT rule 1). -- ends the options for good.
func (p *commandLine) arguments(args []string) error {
	ended := false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case !ended && arg == "--":
			ended = true
		case !ended && strings.HasPrefix(arg, "--"):
			used, err := p.longFlag(arg[2:], args[i+1:])
			if err != nil {
				return err
			}
			i += used
		case !ended && len(arg) > 1 && arg[0] == '-':
			used, err := p.cluster(arg[1:], args[i+1:])
			if err != nil {
				return err
			}
			i += used
		case !p.haveHost:
			if err := p.destination(arg); err != nil {
				return err
			}
			p.haveHost, p.o.HostAt = true, i
		default:
			p.o.Command = append([]string(nil), args[i:]...)
			return nil
		}
		if p.o.ends() {
			return nil
		}
	}
	return nil
}

// cluster reads the letters of one argument (-MT, -lUSER, -p22). used is 1 when
// the value was the next argument.
func (p *commandLine) cluster(letters string, next []string) (used int, err error) {
	for i := 0; i < len(letters); i++ {
		row := findLetter(letters[i])
		if row == nil {
			name := "-" + letters[i:i+1]
			if letters[i] >= 0x80 {
				name = "-" + letters[i:]
			}
			return 0, usage(helpHint, "unknown option %s", shown(name))
		}
		if !row.arg {
			if err := p.flag(row, row.value); err != nil {
				return 0, err
			}
			if p.o.ends() {
				return 0, nil
			}
			continue
		}
		if rest := letters[i+1:]; rest != "" {
			return 0, p.flag(row, rest)
		}
		if len(next) == 0 {
			return 0, usage(helpHint, "%s needs a value after it", row.name())
		}
		return 1, p.flag(row, next[0])
	}
	return 0, nil
}

func (p *commandLine) longFlag(flag string, next []string) (used int, err error) {
	name, value, attached := strings.Cut(flag, "=")
	row := findLong(name)
	switch {
	case row == nil:
		return 0, usage(helpHint, "unknown option %s", shown("--"+name))
	case !row.arg && attached:
		return 0, usage(helpHint, "%s takes no value", row.name())
	case !row.arg:
		return 0, p.flag(row, "")
	case attached:
		return 0, p.flag(row, value)
	case len(next) == 0:
		return 0, usage(helpHint, "%s needs a value after it", row.name())
	}
	return 1, p.flag(row, next[0])
}

func (p *commandLine) flag(row *flagRow, arg string) error {
	at := place{name: row.name(), flag: true}
	if strings.IndexByte("FiJ", row.letter) >= 0 {
		p.o.Reach = append(p.o.Reach, row.name(), arg)
	}
	switch {
	case row.key != "":
		if arg == "" {
			return usage(helpHint, "%s needs a value that is not empty", row.name())
		}
		if row.wins {
			delete(p.seen, keyNamed(row.key).claimed())
		}
		if err := p.setKey(row.key, arg, at); err != nil {
			return usage(helpHint, "%s: %v", row.name(), err)
		}
	case row.class == Refused:
		p.unsupported(&UnsupportedError{Option: row.name(), What: row.what, Advice: row.hint})
	case row.class == Told:
		p.tell(row.name(), row.what)
	}
	if row.set != nil {
		return row.set(p, arg)
	}
	return nil
}

// setKey gives a key its value, if it has none yet. The value counts as one word.
func (p *parser) setKey(name, value string, at place) error {
	row, values := keyNamed(name), []string{value}
	if p.claim(row, values) {
		return row.check(values)
	}
	if row.set != nil {
		if err := row.set(p.o, values); err != nil {
			return err
		}
	}
	p.judge(row, values, at)
	return nil
}

// claim marks the row's key as given, and tells whether it was given already.
func (p *parser) claim(row *keyRow, v []string) (taken bool) {
	key := row.claimed()
	taken = p.seen[key] && !row.repeat
	if row.name == "ProxyJump" {
		taken = taken || p.seen["proxyjump"]
		if p.seen["proxyjump"] = true; !notNone(v) {
			return taken // as in ssh: a ProxyCommand may still come
		}
	}
	p.seen[key] = true
	return taken
}

// dashO is -o: a line of a configuration file (SSH_CONTRACT rule 2).
func (p *commandLine) dashO(arg string) error {
	key, rest, ok := splitKey(arg)
	if !ok || key == "" {
		return usage("minissh -o Key=value host", "-o %s is not an option", shown(arg))
	}
	row := keyNamed(key)
	if row == nil {
		if p.ignored(key) {
			return nil
		}
		return usage(suggestion(key), "-o: there is no option %s", shown(key))
	}
	if row.structure {
		return usage("put it into a file and name that with -F", "-o: %s can be in a file only",
			row.name)
	}
	values, err := row.values(rest)
	if err != nil {
		return usage("minissh -o "+row.name+"=value host", "-o: %v", err)
	}
	return p.apply(row, values, place{name: "-o " + row.name})
}

// place is where a key was given: as messages name it, and in which file. The zero file is the
// command line.
type place struct {
	name     string
	file     string
	line     int
	flag     bool // a letter
	forSSH   bool // a file of ssh
	inactive bool // a block for other hosts: only checked
}

func (at place) fail(err error) error {
	if at.file != "" {
		return &ConfigError{File: at.file, Line: at.line, Msg: err.Error()}
	}
	return usage("", "-o %v", err)
}

// apply gives a row its values, and judges them.
func (p *parser) apply(row *keyRow, v []string, at place) error {
	if row.name == "IgnoreUnknown" {
		if !at.inactive {
			p.ignore = append(p.ignore, strings.Split(v[0], ",")...)
		}
		return nil
	}
	if at.forSSH && row.sshd {
		if !at.inactive && !p.seen[row.claimed()] {
			p.o.Skipped = append(p.o.Skipped, at.name)
			p.note("%s does not count: it is about sshd (what is meant for minissh belongs in "+
				"~/.config/minissh/config)", at.name)
		}
		return nil
	}
	target, counts := p.o, !at.inactive && !p.claim(row, v)
	if !counts {
		target = new(Options)
	}
	if err := row.put(target, v); err != nil {
		return at.fail(err)
	}
	if counts {
		p.judge(row, v, at)
	}
	return nil
}

func (p *parser) note(format string, args ...any) {
	p.o.Notes = append(p.o.Notes, fmt.Sprintf(format, args...))
}

// ignored says whether IgnoreUnknown covers an unknown key.
func (p *parser) ignored(key string) bool {
	for _, pattern := range p.ignore {
		if wildcard.Match(strings.ToLower(key), strings.ToLower(pattern)) {
			return true
		}
	}
	return false
}
