package options

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"minissh/protocol"
	"minissh/protocol/wildcard"
)

// configuration is the reading of the files.
type configuration struct {
	*parser
	wantFinal bool // some Match block waits for the second time
	final     bool // this is the second time
}

// matches judges the criteria of a Match line (ssh_config(5)), by what the lines before it have
// set. All must hold; quiet runs nothing. Besides those of OpenSSH 9.2 there are tagged and
// localnetwork (9.4), and command, sessiontype, version and the form NAME=LIST (10.0).
func (p *configuration) matches(words []string, quiet bool) (bool, error) {
	result := true
	for n := 0; len(words) > 0; n++ {
		name, negated := strings.CutPrefix(words[0], "!")
		words = words[1:]
		switch strings.ToLower(name) {
		case "all":
			if n > 1 || len(words) > 0 {
				return false, errors.New("all cannot be combined with other criteria")
			}
			return result && !negated, nil
		case "final", "canonical":
			p.wantFinal = p.wantFinal || strings.EqualFold(name, "final") && !negated
			result = result && p.final != negated
			continue
		}
		name, list, given := strings.Cut(name, "=")
		if !given && len(words) > 0 {
			list, words = words[0], words[1:]
		} else if !given {
			return false, fmt.Errorf("nothing comes after %s", shown(name))
		}
		if list == "" && !oneOf(name, "tagged", "command") {
			return false, fmt.Errorf("nothing comes after %s", shown(name))
		}
		if oneOf(name, "exec") && (!result || quiet) {
			continue
		}
		holds, err := p.criterion(strings.ToLower(name), list)
		if err != nil {
			return false, err
		}
		result = result && holds != negated
	}
	return result, nil
}

// criterion judges one criterion with its list of patterns.
func (p *configuration) criterion(name, list string) (bool, error) {
	switch name {
	case "host":
		return matchList(strings.ToLower(p.hostSoFar()), strings.ToLower(list)), nil
	case "originalhost":
		return matchList(strings.ToLower(p.o.Alias), strings.ToLower(list)), nil
	case "user":
		return matchList(p.userSoFar(), list), nil
	case "localuser":
		return matchList(p.env.User(), list), nil
	case "localnetwork":
		return p.onNetwork(list)
	case "tagged":
		return matchOrEmpty(p.o.Tag, list), nil
	case "command":
		return matchOrEmpty(strings.Join(p.o.Command, " "), list), nil
	case "sessiontype":
		return matchList(p.sessionSoFar(), list), nil
	case "version":
		return matchList(LikeSSH, list), nil
	case "exec":
		return p.matchExec(list)
	}
	return false, fmt.Errorf("there is no criterion %s", shown(name))
}

// matchOrEmpty is matchList where an empty list, and nothing else, stands for an empty string.
func matchOrEmpty(s, list string) bool {
	if s == "" || list == "" {
		return s == list
	}
	return matchList(s, list)
}

// sessionSoFar is what Match sessiontype looks at.
func (p *configuration) sessionSoFar() string {
	switch {
	case p.o.SessionType == SessionSubsystem || p.o.SessionType == SessionNone:
		return string(p.o.SessionType)
	case len(p.o.Command) > 0:
		return "exec"
	}
	return "shell"
}

// onNetwork says whether this machine has an address in one of the networks, which are addresses
// with or without a length (192.0.2.0/24).
func (p *configuration) onNetwork(list string) (bool, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		network, err := netip.ParsePrefix(text)
		if addr, bare := netip.ParseAddr(text); err != nil && bare == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network != network.Masked() {
			return false, fmt.Errorf("%s is not a network (like 192.0.2.0/24)", shown(text))
		}
		networks = append(networks, network)
	}
	if p.env.Addresses == nil {
		return false, nil
	}
	for _, addr := range p.env.Addresses() {
		for _, network := range networks {
			if network.Contains(addr) {
				return true, nil
			}
		}
	}
	return false, nil
}

// hostSoFar is the name to dial, by what has been read so far.
func (p *configuration) hostSoFar() string {
	switch {
	case p.o.HostName == "":
		return p.o.Alias
	case p.final: // it has been expanded
		return p.o.HostName
	}
	name, err := expandTokens(p.o.HostName, func(letter byte) (string, bool) {
		return map[byte]string{'%': "%", 'h': p.o.Alias}[letter], letter == '%' || letter == 'h'
	})
	if err != nil {
		return p.o.HostName
	}
	return name
}

func (p *configuration) userSoFar() string {
	if p.o.User != "" {
		return p.o.User
	}
	return p.env.User()
}

// matchList says whether s matches a list of patterns with commas.
func matchList(s, list string) bool {
	return wildcard.List([]string{s}, strings.Split(list, ","))
}

// matchExec runs a command in the user's shell and says whether it ended with 0. It gets no input,
// and its output is dropped.
func (p *configuration) matchExec(command string) (bool, error) {
	if runtime.GOOS == "windows" {
		return false, errors.New("exec cannot be judged on this system")
	}
	soFar := *p.o
	soFar.HostName, soFar.User, soFar.Port = p.hostSoFar(), p.userSoFar(),
		cmp.Or(p.o.Port, protocol.DefaultPort)
	line, err := expandTokens(command, p.env.fileTokens(&soFar))
	if err != nil {
		return false, err
	}
	shell, _ := p.env.Getenv("SHELL")
	err = exec.Command(cmp.Or(shell, "/bin/sh"), "-c", "exec "+line).Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return false, fmt.Errorf("exec %s: %w", strconv.Quote(command), err)
	}
	return err == nil, nil
}
