package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
)

// configuration is what a daemon's files set, and what its command line sets, which wins.
type configuration struct {
	command  map[string][]string // by flag, what the command line says
	named    string              // what --config says
	files    []string            // that were read
	settings []confValue         // of the files, in their order
	sections []section           // likewise
}

// confValue is what a line sets.
type confValue struct {
	setting
	flag    string
	values  []string
	section int    // in which it is, from 1; 0: none, it holds for everybody
	unused  string // why it does not count; "": it does
}

// configure reads the files that the command line means, and sets what it does not set itself.
func configure(c *cli.Context) (*configuration, error) { return configureBy(c, c.Set) }

// configureBy is configure with a way to set a flag, or to add to a list.
func configureBy(c *cli.Context, set func(name, value string) error) (*configuration, error) {
	conf := &configuration{command: map[string][]string{}, named: c.String("config")}
	for _, f := range daemonFlags() {
		if name := f.Names()[0]; c.IsSet(name) {
			conf.command[name] = valuesOf(c, f)
		}
	}
	if err := emptyGiven(c, daemonFlags()); err != nil {
		return nil, err
	}
	if err := conf.read(); err != nil {
		return nil, err
	}
	for _, v := range conf.counting(nil) {
		for _, value := range v.values {
			if err := set(v.flag, value); err != nil {
				return nil, v.wrong("minisshd --help", "%v", err)
			}
		}
	}
	return conf, nil
}

// valuesOf is what a flag has, as it is typed.
func valuesOf(c *cli.Context, f cli.Flag) []string {
	if name := f.Names()[0]; isList(f) {
		return c.StringSlice(name)
	} else {
		return []string{fmt.Sprint(c.Value(name))}
	}
}

// emptyGiven refuses flags that are given with nothing in them, also once among several times: what
// restricts would not do so any more. In a script it is a variable that is not set.
func emptyGiven(c *cli.Context, list []cli.Flag) error {
	for _, f := range list {
		if name := f.Names()[0]; c.IsSet(name) && slices.ContainsFunc(valuesOf(c, f), blank) {
			return advise("--"+name+" is given without a value", "leave it out, or say what it is")
		}
	}
	return nil
}

// blank says that nothing is in a value.
func blank(value string) bool { return strings.Trim(value, listBreaks) == "" }

// empty says that nothing is in a flag's values.
func empty(values []string) bool {
	return !slices.ContainsFunc(values, func(value string) bool { return !blank(value) })
}

// isYes says whether a flag is a yes or no.
func isYes(name string) bool {
	return slices.ContainsFunc(daemonFlags(), func(f cli.Flag) bool {
		_, is := f.(*cli.BoolFlag)
		return is && f.Names()[0] == name
	})
}

func isList(f cli.Flag) bool {
	_, is := f.(*cli.StringSliceFlag)
	return is
}

// read reads the files.
func (conf *configuration) read() error {
	account, err := process.CurrentAccount()
	if err != nil {
		return fmt.Errorf("who am I? %w", err)
	}
	if conf.files, err = confFiles(conf.named, account, os.Geteuid() == 0); err != nil {
		return err
	}
	list := daemonFlags()
	for _, file := range conf.files {
		lines, err := readConf(file, account)
		if err != nil {
			return err
		}
		if err := conf.addAll(lines, list, account); err != nil {
			return err
		}
	}
	return nil
}

// addAll notes what a file's lines set, outside sections and in them.
func (conf *configuration) addAll(lines []setting, list []cli.Flag,
	account process.Account) error {
	section := 0
	for _, line := range lines {
		var err error
		if strings.EqualFold(line.name, "match") {
			err = conf.begin(line)
			section = len(conf.sections)
		} else {
			err = conf.add(line, section, list, account)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add notes what a line sets. Lists of several lines and files add up; otherwise a later file wins,
// and within a file, or a section, nothing is set twice.
func (conf *configuration) add(line setting, section int, list []cli.Flag,
	account process.Account) error {
	f, err := line.flagOf(list)
	if err != nil {
		return err
	}
	v := confValue{setting: line, flag: f.Names()[0], section: section}
	if err := v.mayBeIn(); err != nil {
		return err
	}
	if v.values, err = line.valuesFor(f, account); err != nil {
		return err
	}
	if conf.command[v.flag] != nil {
		v.unused = "the command line's --" + v.flag + " counts"
	}
	for i := range conf.settings {
		before := &conf.settings[i]
		switch {
		case isList(f) || before.flag != v.flag || before.section != section ||
			before.unused != "" && before.file != v.file:
		case before.file == v.file:
			return v.wrong("take one of the two lines out", "%s is set in line %d already",
				v.flag, before.line)
		default:
			before.unused = v.where() + " counts"
		}
	}
	conf.settings = append(conf.settings, v)
	return nil
}

// fileFlags are the flags whose values are files.
var fileFlags = []string{"host-key", "host-certificate", "authorized-keys", "trusted-user-ca",
	"revoked-keys", "keylog", "audit", "banner", "control"}

// valuesFor are the values of a line as the command line would have them.
func (s *setting) valuesFor(f cli.Flag, account process.Account) ([]string, error) {
	name, values := f.Names()[0], slices.Clone(s.args)
	if name == "force-command" && s.rest != "" {
		return []string{s.rest}, nil // the account's shell reads it, quotes and all, as with sshd
	}
	switch {
	case empty(values) || slices.Contains(values, ""):
		return nil, s.wrong("or take the line out", "%s needs a value after it", s.name)
	case name == "subsystem" && !strings.Contains(values[0], "="):
		values = sshdSubsystem(values)
	case name == "authorized-keys-command":
		values = []string{quotedWords(values)}
	case !isList(f) && len(values) > 1:
		return nil, s.wrong(`quote a value that has blanks: "…"`, "%s takes one value, not %d",
			s.name, len(values))
	}
	sshdWord := ofSshd[strings.ToLower(s.name)] != ""
	for i, value := range values {
		kind := ""
		switch f.(type) {
		case *cli.BoolFlag:
			switch strings.ToLower(value) {
			case "yes", "true":
				values[i] = "true"
			case "no", "false":
				values[i] = "false"
			default:
				kind = "yes or no"
			}
		case *cli.IntFlag:
			if _, err := strconv.Atoi(value); err != nil {
				kind = "a number"
			}
		case *cli.DurationFlag:
			if _, err := strconv.Atoi(value); err == nil && sshdWord {
				values[i] = value + "s" // sshd's times are in seconds
			}
			if _, err := time.ParseDuration(values[i]); err != nil {
				kind = "a time such as 90s or 5m"
			}
		}
		if kind != "" {
			return nil, s.wrong("minisshd --help tells what it means", "%s is %s, not %s", s.name,
				kind, strconv.QuoteToASCII(logbook.Shorten(value, 80)))
		}
		if slices.Contains(fileFlags, name) {
			path, err := s.path(name, value, account)
			if err != nil {
				return nil, err
			}
			values[i] = path
		}
		if socket, is := strings.CutPrefix(value, "unix:"); is && name == "listen" {
			path, err := s.path(name, socket, account)
			if err != nil {
				return nil, err
			}
			values[i] = "unix:" + path
		}
		if name == "allow-forwarding" && value == "all" {
			values[i] = "yes" // sshd's other word for it
		}
	}
	return values, nil
}

// mayBeNone are the files that there need not be.
var mayBeNone = []string{"banner", "control", "trusted-user-ca", "revoked-keys"}

// path is the value of a setting that is a file. The daemon is started anywhere, so a name counts
// from no directory, except that keys' files are below the homes, as with sshd.
func (s *setting) path(name, value string, account process.Account) (string, error) {
	below, home := strings.CutPrefix(value, "~/")
	switch {
	case value == "none" && slices.Contains(mayBeNone, name), filepath.IsAbs(value):
		return value, nil
	case name == "authorized-keys" && home:
		return "%h/" + below, nil
	case name == "authorized-keys" && strings.HasPrefix(value, "%"):
		return value, nil
	case name == "authorized-keys" && value != "none":
		return "%h/" + value, nil
	case home:
		return filepath.Join(account.Home, below), nil
	}
	return "", s.wrong("write the whole path, from / or ~/ on", "%s: %s is not an absolute path",
		s.name, strconv.QuoteToASCII(logbook.Shorten(value, 80)))
}

// sshdSubsystem is sshd's form of a subsystem, NAME COMMAND ARGUMENT…, in the daemon's.
func sshdSubsystem(words []string) []string {
	for i, word := range words {
		if i > 0 && strings.ContainsAny(word, " \t'\"\\") && len(words) > 2 {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return []string{words[0] + "=" + strings.Join(words[1:], " ")}
}

// aboutFlag is how errors about a flag's value begin.
var aboutFlag = regexp.MustCompile(`^--([a-z-]+)`)

// located says where the file sets what an error is about, if it does.
func (conf *configuration) located(err error) error {
	if conf == nil {
		return err
	}
	return conf.locatedWith(err, nil)
}

// locatedWith is located where some sections hold.
func (conf *configuration) locatedWith(err error, holding []int) error {
	if err == nil {
		return err
	}
	about := aboutFlag.FindStringSubmatch(err.Error())
	if about == nil {
		return err
	}
	var where []string
	for _, v := range conf.counting(holding) {
		if v.flag == about[1] {
			where = append(where, v.where())
		}
	}
	if len(where) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", strings.Join(where, ", "), err)
}

// again reads the files anew, for a daemon that runs: c is what it would be started with now.
func (conf *configuration) again(app *cli.App) (c *cli.Context, now *configuration, err error) {
	c, set, err := conf.without(app)
	if err != nil {
		return nil, nil, err
	}
	now, err = configureBy(c, func(name, value string) error { return put(set, name, value) })
	return c, now, err
}

// quotedWords are words as one line, from which splitWords gets them back.
func quotedWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if quoted[i] = word; word != "" && !strings.ContainsAny(word, " \t\"'\\#") {
			continue
		}
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
	}
	return strings.Join(quoted, " ")
}
