package options

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxConfig is the most that a configuration file may hold, in bytes.
const maxConfig = 1 << 20

// configuration reads the files that count, after the command line.
func (p *parser) configuration() error {
	switch {
	case strings.EqualFold(p.configFile, "none"):
		return nil
	case p.configFile != "":
		path, err := p.env.expandHome(p.configFile)
		if err != nil {
			return usage("", "-F %v", err)
		}
		return p.readConfig(path, false, false)
	}
	if p.env.Home == "" {
		return nil
	}
	if err := p.readConfig(filepath.Join(p.env.Home, ".config", "minissh", "config"), true, false); err != nil {
		return err
	}
	return p.readConfig(filepath.Join(p.env.Home, ".ssh", "config"), true, true)
}

// readConfig reads one file. A default file need not exist, and must not be
// writable by others (readconf.c, SSHCONF_CHECKPERM).
func (p *parser) readConfig(path string, byDefault, forSSH bool) error {
	fail := func(err error) error {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return &ConfigError{File: path, Msg: "cannot be read: " + err.Error(), Advice: "-F none does without configuration files"}
	}
	file, err := os.Open(path)
	if err != nil {
		if byDefault && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fail(err)
	}
	defer file.Close()
	if byDefault {
		info, err := file.Stat()
		if err != nil {
			return fail(err)
		}
		if err := checkOwner(info, p.env.UID); err != nil {
			return &ConfigError{File: path, Msg: err.Error(), Advice: "chmod 600 " + shown(path) + ", and it must be yours"}
		}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return fail(err)
	}
	if len(data) > maxConfig {
		return fail(fmt.Errorf("it is larger than %d bytes", maxConfig))
	}
	return p.configLines(path, string(data), forSSH)
}

// configLines applies the lines of a file. A Host block counts when its patterns
// match; Match blocks do not count, with a note.
func (p *parser) configLines(path, data string, forSSH bool) error {
	inactive := false
	for i, line := range strings.Split(data, "\n") {
		at := place{file: path, line: i + 1, forSSH: forSSH, inactive: inactive}
		if strings.IndexByte(line, 0) >= 0 {
			return at.fail(errors.New("a NUL byte stands in it"))
		}
		key, rest, ok := splitKey(line)
		if !ok {
			return at.fail(errors.New("a quote is not closed"))
		}
		if key == "" {
			continue
		}
		row := keyNamed(key)
		if row == nil {
			if !inactive && !p.ignored(key) {
				p.note("%s:%d: %s is not known and has no effect", shown(path), i+1, shown(key))
			}
			continue
		}
		at.name = fmt.Sprintf("%s:%d: %s", shown(path), i+1, row.name)
		values, err := row.values(rest)
		if err != nil {
			return at.fail(err)
		}
		switch row.name {
		case "Host":
			inactive = !matchHost(p.o.Alias, values)
		case "Match":
			inactive = true
			p.note("%s: Match blocks are not in this version, this one is skipped", at.name)
		case "Include":
			if !inactive {
				p.note("%s: Include is not in this version, the line is skipped", at.name)
			}
		default:
			if err := p.apply(row, values, at); err != nil {
				return err
			}
		}
	}
	return nil
}
