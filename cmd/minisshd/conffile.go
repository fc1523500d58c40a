package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
)

// The configuration is files of one setting a line, NAME VALUE, with the comments and quotes of
// sshd_config(5). This file finds them, reads them and splits their lines.

const (
	rootConf     = "/etc/minisshd/minisshd.conf"
	rootConfDir  = "/etc/minisshd/minisshd.conf.d"
	noConf       = "none" // of --config: no file is read
	mostConf     = 100    // files
	mostSettings = 10_000 // lines of all files that set something
)

// setting is one line of a file.
type setting struct {
	file string
	line int
	name string   // as it is written
	args []string // without quotes
	rest string   // all that follows the name, as it is written
}

func (s *setting) where() string { return fmt.Sprintf("%s:%d", shown(s.file), s.line) }

// wrong is an error in this line.
func (s *setting) wrong(advice, format string, args ...any) error {
	return advise(s.where()+": "+fmt.Sprintf(format, args...), advice)
}

// confFiles are the files that are read: the one that is named, or those of the usual places that
// are there, in their order.
func confFiles(named string, account process.Account, root bool) ([]string, error) {
	switch {
	case named == noConf:
		return nil, nil
	case named != "":
		path, err := filepath.Abs(named)
		return []string{path}, err
	}
	first := filepath.Join(account.Home, ".config", "minissh", "minisshd.conf")
	if root {
		first = rootConf
	}
	var files []string
	if _, err := os.Lstat(first); err == nil {
		files = append(files, first)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if !root {
		return files, nil
	}
	parts, err := confParts(rootConfDir)
	return append(files, parts...), err
}

// confParts are the *.conf in a directory, in the order of their names.
func confParts(dir string) (files []string, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.IsDir(): // opening a named pipe would wait
		return nil, advise(shown(dir)+" is not a directory",
			"put the *.conf files into a directory of that name")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".conf") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	if len(files) > mostConf {
		return nil, advise(fmt.Sprintf("%s holds %d files *.conf, and %d at most are read",
			shown(dir), len(files), mostConf), "put several settings into one file")
	}
	slices.Sort(files)
	return files, nil
}

// readConf reads one file. It is a regular file of at most 1 MiB that only its owner, who is root
// or the daemon's account, can write; opening it does not wait.
func readConf(path string, account process.Account) (list []setting, err error) {
	text, err := authorized.Read(path, authorized.Owner{UID: account.UID, Home: account.Home})
	_, unsafe := errors.AsType[*authorized.ModeError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, advise(shown(path)+": there is no such file",
			"minisshd --config none starts without one")
	case unsafe:
		return nil, fmt.Errorf("%s: %w: others could change what the daemon does", shown(path),
			err)
	case err != nil:
		return nil, advise(fmt.Sprintf("%s cannot be read: %v", shown(path), err),
			"minisshd --config none starts without one")
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		s := setting{file: path, line: number}
		words, err := splitConf(line)
		switch {
		case err != nil:
			return nil, s.wrong(`close the quote, or write \" for one that is meant`, "%v", err)
		case len(words) == 0:
			continue
		case len(list) == mostSettings:
			return nil, s.wrong("a pattern such as dev* stands for many names",
				"a file sets %d things at most", mostSettings)
		}
		s.name, s.args, s.rest = words[0], words[1:], restOf(line)
		list = append(list, s)
	}
	return list, nil
}

// restOf is what follows a line's name, as it is written.
func restOf(line string) string {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return ""
	}
	rest := strings.TrimLeft(line[end:], " \t")
	return strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
}

// splitConf splits a line into words as sshd_config(5) does: blanks separate them, and a = may
// follow the name; what is in '…' or "…" is one word; \ before a quote, a \ or a blank takes its
// meaning away; # where a word could begin is a comment.
func splitConf(line string) (words []string, err error) {
	line = strings.TrimSpace(line)
	if strings.ContainsRune(line, 0) {
		return nil, errors.New("it has a byte 0: is it a text?")
	}
	if end := strings.IndexAny(line, " \t="); end > 0 && line[0] != '#' &&
		!strings.ContainsAny(line[:end], `"'`) {
		words, line = []string{line[:end]}, strings.TrimLeft(line[end:], " \t")
		line = strings.TrimPrefix(line, "=")
	}
	rest, err := splitWords(line)
	return append(words, rest...), err
}

// splitWords is splitConf for the values alone.
func splitWords(line string) (words []string, err error) {
	var word strings.Builder
	began, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		b := line[i]
		switch {
		case b == '\\' && i+1 < len(line) && (strings.IndexByte(`"'\`, line[i+1]) >= 0 ||
			quote == 0 && line[i+1] == ' '):
			i++
			word.WriteByte(line[i])
			began = true
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(b)
		case b == '"' || b == '\'':
			quote, began = b, true
		case b == ' ' || b == '\t':
			if began {
				words = append(words, word.String())
			}
			word.Reset()
			began = false
		case b == '#' && !began:
			return words, nil
		default:
			word.WriteByte(b)
			began = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %s is not closed", protocol.Quote(string(quote)))
	}
	if began {
		words = append(words, word.String())
	}
	return words, nil
}
