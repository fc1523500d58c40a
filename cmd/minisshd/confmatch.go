package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/daemon/access"
	"minissh/daemon/match"
	"minissh/daemon/process"
)

// A file's Match lines begin sections, as in sshd_config(5). What a section sets holds for the
// logins that match it, instead of what the files say outside sections; of several sections that
// match, the first one that sets something counts. For each combination of sections that a login
// meets, a command line is made up, and read as the daemon reads its own: so everything is judged
// alike.

// section is a Match line, and what follows it up to the next one or the end of its file.
type section struct {
	setting
	line *match.Line
}

// mostSections bounds what each login is compared with.
const mostSections = 500

// perLogin are the settings that may be in a section: what holds for a login, its sessions and
// their channels. The others are the daemon's as a whole.
var perLogin = []string{"allow-users", "deny-users", "allow-groups", "deny-groups", "permit-root",
	"authorized-keys", "authorized-keys-command", "authorized-keys-command-user",
	"trusted-user-ca", "revoked-keys", "permit-user-environment",
	"allow-forwarding", "allow-agent-forwarding", "gateway-ports", "subsystem", "hold",
	"idle-timeout", "max-channels", "max-sessions-per-user", "max-commands-per-user",
	"max-sessions-per-key", "max-commands-per-key", "disable-forwarding", "permit-open",
	"permit-listen", "permit-tty", "force-command", "accept-env", "set-env",
	"chroot-directory", "permit-user-rc", "print-motd", "print-last-login",
	"banner", "alive-interval", "alive-count-max"}

// addingUp are the lists that all matching sections add to, as in sshd.
var addingUp = []string{"allow-users", "deny-users", "allow-groups", "deny-groups",
	"accept-env"}

// begin begins a section.
func (conf *configuration) begin(line setting) error {
	criteria, err := match.Parse(line.args)
	if err != nil {
		hint := ""
		if h, ok := err.(interface{ Hint() string }); ok {
			hint = h.Hint()
		}
		return line.wrong(hint, "Match: %v", err)
	}
	if len(conf.sections) == mostSections {
		return line.wrong("a list such as User alice,bob holds for many",
			"there are %d sections at most", mostSections)
	}
	conf.sections = append(conf.sections, section{line, criteria})
	return nil
}

// mayBeIn refuses what cannot hold for some logins alone.
func (v *confValue) mayBeIn() error {
	if v.section == 0 || slices.Contains(perLogin, v.flag) {
		return nil
	}
	return v.wrong("put it before the first Match line, or into a file of its own; in a section "+
		"may be "+strings.Join(perLogin, ", "), "%s cannot be in a Match section: it holds for "+
		"the daemon as a whole", v.name)
}

// without are a context's values before any file is read: what the command line says.
func (conf *configuration) without(app *cli.App) (*cli.Context, *flag.FlagSet, error) {
	set := flag.NewFlagSet("minisshd", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	command := &cli.Command{Name: "minisshd", Flags: daemonFlags()}
	for _, f := range command.Flags {
		if err := f.Apply(set); err != nil {
			return nil, nil, err
		}
	}
	for name, values := range conf.command {
		for _, value := range values {
			if err := put(set, name, value); err != nil {
				return nil, nil, err
			}
		}
	}
	c := cli.NewContext(app, set, nil)
	c.Command = command
	return c, set, nil
}

// put sets a flag, or adds to a list. A comma separates nothing: a path may hold one. The app says
// so of its own flags, and these are not among them.
func put(set *flag.FlagSet, name, value string) error {
	if f := set.Lookup(name); f != nil {
		if list, is := f.Value.(*cli.StringSlice); is {
			value = cli.NewStringSlice(append(list.Value(), value)...).Serialize()
		}
	}
	return set.Set(name, value)
}

// with is what the daemon would be started with where some sections hold.
func (conf *configuration) with(app *cli.App, holding []int) (*cli.Context, error) {
	c, set, err := conf.without(app)
	if err != nil {
		return nil, err
	}
	for _, v := range conf.counting(holding) {
		for _, value := range v.values {
			if err := put(set, v.flag, value); err != nil {
				return nil, v.wrong("minisshd --help", "%v", err)
			}
		}
	}
	return c, nil
}

// counting are the lines that count where some sections hold, by their numbers.
func (conf *configuration) counting(holding []int) (lines []confValue) {
	sets := map[string]int{} // by flag, the section whose lines count
	for _, v := range conf.settings {
		if i := v.section - 1; i >= 0 && slices.Contains(holding, i) {
			if before, there := sets[v.flag]; !there || v.section < before {
				sets[v.flag] = v.section
			}
		}
	}
	for _, v := range conf.settings {
		first, there := sets[v.flag]
		holds := v.section > 0 && slices.Contains(holding, v.section-1)
		switch {
		case v.unused != "":
		case v.flag == "subsystem" && (v.section == 0 || holds):
			if v.values = conf.stillNamed(v, holding); len(v.values) > 0 {
				lines = append(lines, v)
			}
		case there && v.section == first, there && holds && slices.Contains(addingUp, v.flag),
			!there && v.section == 0:
			lines = append(lines, v)
		}
	}
	return lines
}

// stillNamed are the subsystems of a line that no section sets before it: each counts by its name.
func (conf *configuration) stillNamed(v confValue, holding []int) (values []string) {
	for _, value := range v.values {
		name, _, _ := strings.Cut(value, "=")
		if !slices.ContainsFunc(conf.settings, func(other confValue) bool {
			return other.flag == "subsystem" && other.section > 0 && other.unused == "" &&
				slices.Contains(holding, other.section-1) &&
				(v.section == 0 || other.section < v.section) &&
				slices.ContainsFunc(other.values, func(s string) bool {
					return strings.HasPrefix(s, name+"=")
				})
		}) {
			values = append(values, value)
		}
	}
	return values
}

// book is what holds for whom. Each section is judged alone, and then as logins meet it with
// others.
func (conf *configuration) book(app *cli.App, own process.Account) (*access.Book, error) {
	lines := make([]*match.Line, len(conf.sections))
	for i, s := range conf.sections {
		lines[i] = s.line
	}
	book, err := access.NewBook(own, lines, func(holding []int) (*access.Terms, error) {
		set, c, err := conf.settingsWith(app, holding)
		if err != nil {
			return nil, conf.locatedWith(err, holding)
		}
		return set.terms(c), nil
	})
	if err != nil {
		return nil, err
	}
	for i := range conf.sections {
		if conf.sets(i, "trusted-user-ca") || conf.sets(i, "revoked-keys") {
			set, _, err := conf.settingsWith(app, []int{i})
			if err == nil {
				err = set.judgeTrust()
			}
			if err != nil {
				return nil, fmt.Errorf("the section of %s: %w", conf.sections[i].where(), err)
			}
		}
	}
	return book, nil
}

func (conf *configuration) settingsWith(app *cli.App, holding []int) (*settings, *cli.Context,
	error) {
	c, err := conf.with(app, holding)
	if err != nil {
		return nil, nil, err
	}
	set, err := readSettings(c)
	return set, c, err
}

// sets says whether a section sets something.
func (conf *configuration) sets(section int, name string) bool {
	return slices.ContainsFunc(conf.settings, func(v confValue) bool {
		return v.section == section+1 && v.flag == name && v.unused == ""
	})
}

// sectionsText is all that sections say, to see whether it has changed.
func (conf *configuration) sectionsText() string {
	var b strings.Builder
	for i, s := range conf.sections {
		fmt.Fprintf(&b, "%q\n", s.args)
		for _, v := range conf.settings {
			if v.section == i+1 {
				fmt.Fprintf(&b, "%s %q\n", v.flag, v.values)
			}
		}
	}
	return cmp.Or(b.String(), "none")
}
