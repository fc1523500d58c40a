package options

import (
	"errors"
	"path/filepath"
	"strings"
)

// setKnownHostsCommand is a program by its whole path, and its arguments; no shell reads them.
func setKnownHostsCommand(o *Options, v []string) error {
	if o.knownHostsAsGiven = v[0]; oneOf(v[0], "none") {
		o.KnownHostsCommand, o.knownHostsAsGiven = nil, ""
		return nil
	}
	words, ok := splitWords(v[0])
	if !ok || len(words) == 0 {
		return errors.New("a quote is not closed")
	}
	o.KnownHostsCommand = words
	return nil
}

// resolvePrograms expands what is run on this machine, after what it may name.
func (p *parser) resolvePrograms() error {
	o := p.o
	if err := p.resolveControl(); err != nil {
		return err
	}
	known := p.env.fileTokens(o)
	o.localAsGiven = o.LocalCommand
	line, err := expandTokens(o.LocalCommand, func(letter byte) (string, bool) {
		if letter == 'T' { // of Tunnel
			return "NONE", true
		}
		return known(letter)
	})
	if err != nil {
		return usage("", "LocalCommand: %v", err)
	}
	if o.LocalCommand = line; !o.permitLocalCommand {
		o.LocalCommand = ""
	}
	o.expand = func(word string, more map[byte]string) (string, error) {
		return p.env.expandBoth(word, func(letter byte) (string, bool) {
			if value, ok := more[letter]; ok {
				return value, true
			}
			return known(letter)
		})
	}
	if len(o.KnownHostsCommand) == 0 {
		return nil
	}
	if !filepath.IsAbs(o.KnownHostsCommand[0]) {
		p.unsupported(&UnsupportedError{Msg: "KnownHostsCommand: " +
			shown(o.KnownHostsCommand[0]) + " is not a whole path",
			Advice: "KnownHostsCommand /usr/bin/PROGRAM"})
	}
	_, err = o.KnownHostsArguments("", "", "", "", "")
	return err
}

// setControl is -O.
func (p *commandLine) setControl(arg string) error {
	if !oneOf(arg, "check", "exit", "stop", "forward", "cancel", "proxy") {
		return usage("minissh -O check -S PATH host", "-O: there is nothing called %s to ask",
			shown(arg))
	}
	p.o.Control = arg
	return nil
}

// resolveControl finds the socket of ControlMaster.
func (p *parser) resolveControl() (err error) {
	o := p.o
	if oneOf(o.ControlPath, "none") {
		o.ControlPath = ""
	}
	if o.ControlPath, err = p.env.expandFile(o.ControlPath, p.env.fileTokens(o)); err != nil {
		return usage("", "ControlPath: %v", err)
	}
	return nil
}

// IsMaster says whether this process is to own ControlPath: it is asked to, or it may be and runs
// nothing itself.
func (o *Options) IsMaster() bool {
	switch o.controlMaster {
	case "yes", "ask":
		return o.ControlPath != ""
	case "auto", "autoask":
		return o.ControlPath != "" && o.SessionType == SessionNone && o.StdioForward == nil
	}
	return false
}

// expandBoth replaces ${NAME} and tokens, each once: what one gives is not read by the other.
func (env *Environment) expandBoth(s string, tokens tokens) (string, error) {
	var out strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "${")
		text, err := expandTokens(before, tokens)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		if s = after; !found {
			break
		}
		name, rest, _ := strings.Cut(after, "}")
		value, err := env.expandVariables("${" + name + "}")
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		s = rest
	}
	return out.String(), nil
}

// KnownHostsArguments are the arguments of KnownHostsCommand about a host's key: the name to look
// for in its lines, why it is run, and the key's type, fingerprint and base64 form (ssh_config(5),
// TOKENS).
func (o *Options) KnownHostsArguments(name, why, keyType, fingerprint, key string) ([]string,
	error) {
	more := map[byte]string{'H': name, 'I': why, 't': keyType, 'f': fingerprint, 'K': key}
	argv := []string{o.KnownHostsCommand[0]}
	for _, word := range o.KnownHostsCommand[1:] {
		word, err := o.expand(word, more)
		if err != nil {
			return nil, usage("", "KnownHostsCommand: %v", err)
		}
		argv = append(argv, word)
	}
	return argv, nil
}
