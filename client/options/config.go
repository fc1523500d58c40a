package options

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"minissh/protocol/wildcard"
)

// maxConfig is the most that a configuration file may hold, in bytes; maxNested is how deeply files
// may include files (readconf.c, READCONF_MAX_DEPTH).
const (
	maxConfig = 1 << 20
	maxNested = 16
)

// source is a configuration file that is being read.
type source struct {
	path     string
	optional bool   // it may be missing
	guarded  bool   // others must not be able to write it (readconf.c, SSHCONF_CHECKPERM)
	forSSH   bool   // ssh's own: ~/.ssh/config, the system's, and what they include
	never    bool   // included by a block for other hosts: it is only checked
	folder   string // where relative names after Include start
	depth    int
}

// read reads the files that count, after the command line. A Match final and CanonicalizeHostname
// make it read them a second time, when the name to dial is known.
func (p *configuration) read() error {
	if err := p.configFiles(); err != nil {
		return err
	}
	name, err := p.hostName()
	if err != nil {
		return err
	}
	if p.o.canonical.wanted() {
		if name, err = p.canonicalize(name); err != nil {
			return err
		}
	} else if !p.wantFinal {
		return nil
	}
	p.final, p.named, p.o.HostName, p.seen["hostname"] = true, true, name, true
	return p.configFiles()
}

func (p *configuration) configFiles() error {
	ssh := p.env.inHome(".ssh")
	switch {
	case strings.EqualFold(p.configFile, "none"):
		return nil
	case p.configFile != "":
		path, err := p.env.expandHome(p.configFile)
		if err != nil {
			return usage("", "-F %v", err)
		}
		return p.readConfig(source{path: path, folder: ssh})
	}
	if p.env.Home != "" {
		if err := p.usersFiles(ssh); err != nil {
			return err
		}
	}
	if p.env.SystemConfig == "" {
		return nil
	}
	return p.readConfig(source{path: p.env.SystemConfig, optional: true, forSSH: true,
		folder: filepath.Dir(p.env.SystemConfig)})
}

// usersFiles reads the user's own files: minissh's, and ssh's in the folder.
func (p *configuration) usersFiles(ssh string) error {
	own := p.env.inHome(".config", "minissh")
	if err := p.readConfig(source{path: filepath.Join(own, "config"), optional: true, guarded: true,
		folder: own}); err != nil {
		return err
	}
	return p.readConfig(source{path: filepath.Join(ssh, "config"), optional: true, guarded: true,
		forSSH: true, folder: ssh})
}

// readConfig reads one file.
func (p *configuration) readConfig(s source) error {
	fail := func(err error) error {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return &ConfigError{File: s.path, Msg: "cannot be read: " + err.Error(),
			Advice: "-F none does without configuration files"}
	}
	file, err := os.Open(s.path)
	if err != nil {
		if s.optional && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fail(err)
	}
	defer file.Close()
	if s.guarded {
		info, err := file.Stat()
		if err != nil {
			return fail(err)
		}
		if err := checkOwner(info, p.env.UID); err != nil {
			return &ConfigError{File: s.path, Msg: err.Error(),
				Advice: "chmod 600 " + shown(s.path) + ", and it must be yours"}
		}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return fail(err)
	}
	if len(data) > maxConfig {
		return fail(fmt.Errorf("it is larger than %d bytes", maxConfig))
	}
	return p.configLines(s, string(data))
}

// configLines applies the lines of a file. A Host or Match block counts when its patterns or
// criteria match. An unknown key is an error in every block, as in ssh: it may be a mistyped one
// that forbids something.
func (p *configuration) configLines(s source, data string) error {
	inactive := s.never
	for i, line := range strings.Split(data, "\n") {
		at := place{file: s.path, line: i + 1, forSSH: s.forSSH, inactive: inactive}
		if strings.IndexByte(line, 0) >= 0 {
			return at.fail(errors.New("there is a NUL byte in it"))
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
			if p.ignored(key) {
				continue
			}
			hint := "IgnoreUnknown " + shown(key) + " in a line above lets it be"
			if best := nearest(key); best != "" {
				hint = "is it spelt " + best + "? Else " + hint
			}
			return &ConfigError{File: at.file, Line: at.line, Msg: "there is no option " +
				shown(key), Advice: hint}
		}
		at.name = fmt.Sprintf("%s:%d: %s", shown(s.path), i+1, row.name)
		values, err := row.values(rest)
		if err != nil {
			return at.fail(err)
		}
		switch row.name {
		case "Host":
			inactive = s.never || !wildcard.List([]string{p.matched()}, values)
		case "Match":
			matches, err := p.matches(values, s.never)
			if err != nil {
				return at.fail(fmt.Errorf("in Match: %w", err))
			}
			inactive = s.never || !matches
		case "Include":
			err = p.include(s, values, at)
		default:
			err = p.apply(row, values, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// matched is the name that Host lines judge: the one that was typed, and the second time the one
// that it has led to.
func (p *configuration) matched() string {
	if p.final {
		return p.hostSoFar()
	}
	return p.o.Alias
}

// include reads the files that the patterns name. In a block for other hosts they are only checked.
func (p *configuration) include(from source, patterns []string, at place) error {
	if from.depth >= maxNested {
		return at.fail(errors.New("files include files too deeply"))
	}
	for _, pattern := range patterns {
		path, err := p.env.expandHome(pattern)
		if err == nil && !filepath.IsAbs(path) {
			path = filepath.Join(from.folder, path)
		}
		var found []string
		if err == nil {
			found, err = filepath.Glob(path)
		}
		if err != nil {
			return at.fail(fmt.Errorf("in Include: %w", err))
		}
		if len(found) == 0 {
			p.note("%s: no file is named %s", at.name, shown(path))
		}
		slices.Sort(found)
		for _, file := range found {
			next := source{path: file, optional: true, guarded: from.guarded, forSSH: from.forSSH,
				never: from.never || at.inactive, folder: from.folder, depth: from.depth + 1}
			if err := p.readConfig(next); err != nil {
				return err
			}
		}
	}
	return nil
}
