package options

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"minissh/protocol"
)

// configuration is the reading of the files.
type configuration struct {
	*parser
	wantFinal bool // some Match block waits for the second time
	final     bool // this is the second time
}

// matches judges the criteria of a Match line (ssh_config(5)), by what the lines before it have
// set. All must hold; quiet runs nothing.
func (p *configuration) matches(words []string, quiet bool) (bool, error) {
	result := true
	for i, n := 0, 0; i < len(words); i, n = i+1, n+1 {
		name, negated := strings.CutPrefix(words[i], "!")
		var holds bool
		switch strings.ToLower(name) {
		case "all":
			if n > 1 || i+1 < len(words) {
				return false, errors.New("all cannot be combined with other criteria")
			}
			return result && !negated, nil
		case "final", "canonical":
			p.wantFinal = p.wantFinal || strings.EqualFold(name, "final")
			result = result && p.final != negated
			continue
		}
		if i++; i == len(words) || words[i] == "" {
			return false, fmt.Errorf("nothing comes after %s", shown(name))
		}
		list := words[i]
		switch strings.ToLower(name) {
		case "host":
			holds = matchList(strings.ToLower(p.hostSoFar()), strings.ToLower(list))
		case "originalhost":
			holds = matchList(strings.ToLower(p.o.Alias), strings.ToLower(list))
		case "user":
			holds = matchList(p.userSoFar(), list)
		case "localuser":
			holds = matchList(p.env.User(), list)
		case "exec":
			if !result || quiet {
				continue
			}
			var err error
			if holds, err = p.matchExec(list); err != nil {
				return false, err
			}
		default:
			return false, fmt.Errorf("there is no criterion %s", shown(name))
		}
		result = result && holds != negated
	}
	return result, nil
}

// hostSoFar is the name to dial, by what has been read so far.
func (p *configuration) hostSoFar() string {
	if p.o.HostName == "" {
		return p.o.Alias
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

// matchList is matchHost for patterns with commas.
func matchList(s, list string) bool { return matchHost(s, strings.Split(list, ",")) }

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
