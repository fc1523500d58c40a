package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/flags"
	"minissh/protocol/keys"
)

// mostSlips is how many lines of a file the summary names.
const mostSlips = 10

// checkTime bounds a check: accounts may be on servers.
const checkTime = 5 * time.Minute

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "test a configuration without listening, and tell who could log in",
		ArgsUsage: " ",
		Description: "Give it the options that the daemon will get. Its exit code is 1 if the " +
			"daemon would not start, if nobody could log in, or if there is an \"error:\" " +
			"in a file of the daemon's own account or of one that --allow-users names. What is " +
			"\"not used:\" here and right for sshd, an expired key, an account that is not " +
			"served, and slips in files of other accounts do not count.",
		Flags: flags.Once(append([]cli.Flag{text("for", "", "tell what holds for one login only: "+
			"`LIST` is user=NAME and any of addr=ADDRESS, laddr=ADDRESS, lport=PORT, "+
			"key=SHA256:…, with commas between them", "")}, daemonFlags()...)...),
		Action: func(c *cli.Context) error {
			if err := optionsOnly(c); err != nil {
				return err
			}
			conf, err := configure(c)
			if err != nil {
				return err
			}
			checked := &check{w: c.App.Writer}
			if !c.IsSet("for") {
				checked.configuration(conf)
			}
			set, err := readSettings(c)
			if err == nil {
				_, err = logLevel(c)
			}
			if err == nil && c.IsSet("for") {
				err = checked.login(c, set, conf)
			} else if err == nil {
				err = checked.run(c, set, conf)
			}
			if err != nil {
				return conf.located(err)
			}
			if len(checked.wrong) > 0 {
				return errors.New("check: " + strings.Join(checked.wrong, "; "))
			}
			return nil
		},
		OnUsageError: usageError,
	}
}

// check says what a daemon would do, and collects what is wrong.
type check struct {
	w     io.Writer
	wrong []string
}

func (k *check) say(format string, args ...any) { fmt.Fprintf(k.w, format+"\n", args...) }

// refused says what is wrong with something, and what to type against it.
func (k *check) refused(indent string, err error) {
	k.say("%srefused: %v", indent, err)
	if hint := logbook.Hint(err); hint != "" {
		k.say("%s  hint: %s", indent, hint)
	}
}

func (k *check) run(c *cli.Context, set *settings, conf *configuration) error {
	k.hostKey(set)
	beyond := k.addresses(c.StringSlice("listen"), set)
	switch {
	case c.Bool("announce") && beyond:
		k.say("announced on the LAN while somebody could log in (--announce)")
	case c.Bool("announce"):
		k.say("--announce: unless systemd passes it sockets, the daemon is on loopback only, and " +
			"does not start")
	}
	if set.hold < 0 {
		k.say("a session ends when its connection is lost (--hold 0)")
	} else {
		k.say("a session whose connection is lost is kept for %s at most (--hold)",
			protocol.ExactlyInWords(set.hold))
	}
	if set.all && c.String("pair-by-users") == "yes" {
		k.say("users may pair for themselves, at %s (--pair-by-users no forbids it)",
			control.RootsPairSocket())
	}
	k.pam(set)
	k.audit(set)
	k.banners(c, set, conf)
	book, err := conf.book(c.App, set.account)
	if err != nil {
		return err
	}
	admits := set.access(book, slog.New(slog.DiscardHandler))
	if closer, ok := admits.(access.Closer); ok {
		defer closer.Close()
	}
	ctx, cancel := context.WithTimeout(c.Context, checkTime)
	defer cancel()
	reports, err := admits.(access.Reporter).Report(ctx)
	if err != nil {
		return err
	}
	byCertificate, byCommand := k.trust(set), k.keysCommand(set)
	var could []string
	for i := range reports {
		k.account(&reports[i])
		if reports[i].Refused == nil && reports[i].Usable > 0 {
			could = append(could, shown(reports[i].Name))
		}
	}
	switch {
	case len(could) > 0:
		k.say("\ncould log in: %s", strings.Join(could, " "))
	case byCommand:
		k.say("\ncould log in: whoever has a key that --authorized-keys-command lists")
	case byCertificate:
		k.say("\ncould log in: whoever has a certificate of a trusted authority")
	case beyond:
		k.wrong = append(k.wrong,
			"nobody could log in, so the daemon will not listen beyond loopback")
	default:
		k.wrong = append(k.wrong, "nobody could log in")
	}
	return nil
}

// hostKey reads the host key as the daemon would, but does not make one.
func (k *check) hostKey(set *settings) {
	file := set.hostKeyFile
	if _, err := os.Lstat(file); errors.Is(err, os.ErrNotExist) {
		k.say("host key %s: is not there; the daemon will make one", shown(file))
		return
	}
	key, _, err := keys.HostKey(file)
	if err != nil {
		k.say("host key %s:", shown(file))
		k.refused("  ", err)
		k.wrong = append(k.wrong, "the host key cannot be used")
		return
	}
	k.say("host key %s: %s %s", shown(file), keys.TypeName(key.Public),
		keys.Fingerprint(key.Public))
	k.certificate(set, &key)
}

// addresses says where the daemon would listen, and whether others could reach that.
func (k *check) addresses(given []string, set *settings) (beyond bool) {
	if len(given) == 0 {
		given = daemon.DefaultListen
	}
	for _, address := range given {
		list, far, err := daemon.Resolve(address)
		if err == nil && !slices.Equal(given, daemon.DefaultListen) { // of which one may be missing
			err = daemon.CheckOurs(address)
		}
		if err != nil {
			k.say("listen %s:", protocol.Quote(address))
			k.refused("  ", err)
			k.wrong = append(k.wrong, "an address cannot be listened on")
			continue
		}
		note := "this machine only"
		switch {
		case strings.HasPrefix(address, "unix:"):
			note = fmt.Sprintf("mode %04o", set.socketMode)
		case far:
			note = "beyond loopback"
		}
		k.say("listen %s (%s)", strings.Join(list, " "), note)
		beyond = beyond || far
	}
	return beyond
}

// account reports on one account, in the order in which its files are read.
func (k *check) account(r *access.AccountReport) {
	if errors.Is(r.Refused, process.ErrNoAccount) {
		k.say("\nuser %s", shown(r.Name))
	} else {
		k.say("\nuser %s (uid %d)", shown(r.Name), r.UID)
	}
	if r.Refused != nil {
		k.say("  may not log in: %v", r.Refused)
		if hint := logbook.Hint(r.Refused); hint != "" {
			k.say("    hint: %s", hint)
		}
	}
	if len(r.Files) == 0 {
		k.say("  has no authorized_keys file")
		if r.Refused == nil {
			k.say("    hint: minisshd pair lists a key, with a code")
		}
	}
	for _, file := range r.Files {
		k.say("  %s", shown(file.Path))
		counts := r.Refused == nil && r.Meant
		if file.Err != nil {
			k.refused("    ", file.Err)
			if counts {
				k.wrong = append(k.wrong, shown(file.Path)+" is refused")
			}
			continue
		}
		if slips := k.lines(file); counts && len(slips) > 0 {
			k.wrong = append(k.wrong, fmt.Sprintf("%s: %s cannot be used as written",
				shown(file.Path), strings.Join(slips, ", ")))
		}
	}
}

// lines reports on a file's lines in their order, and then on what its author may not have meant.
// slips are the lines that nobody can use as they are, not even sshd.
func (k *check) lines(file access.FileReport) (slips []string) {
	now := time.Now()
	lines := map[int]string{}
	for _, entry := range file.File.Entries {
		lines[entry.Line] = describe(entry, file.Denied[entry.Line], now)
	}
	for _, problem := range file.Problems {
		if problem.Elsewhere {
			lines[problem.Line] = "not used: " + problem.Why
			continue
		}
		lines[problem.Line] = "error: " + problem.Why
		if len(slips) < mostSlips {
			slips = append(slips, fmt.Sprintf("line %d", problem.Line))
		}
	}
	for _, number := range slices.Sorted(maps.Keys(lines)) {
		k.say("    line %d: %s", number, lines[number])
	}
	for _, remark := range file.File.Remarks {
		k.say("    note: %s", remark)
	}
	if len(lines) == 0 {
		k.say("    no keys")
	}
	return slips
}

// describe says what holds for a key, and why it admits nobody.
func describe(entry *authorized.Entry, denied string, now time.Time) string {
	parts := []string{keys.TypeName(entry.Key), keys.Fingerprint(entry.Key)}
	if entry.Comment != "" {
		parts = append(parts, protocol.Quote(logbook.Shorten(entry.Comment, 80)))
	}
	if options := entry.Describe(); options != "" {
		parts = append(parts, options)
	}
	switch {
	case denied != "":
		parts = append(parts, "- not accepted: "+denied)
	case !entry.Usable(now) && !entry.Expiry.IsZero() && now.After(entry.Expiry):
		parts = append(parts, "- expired")
	case !entry.Usable(now):
		parts = append(parts, "- from= matches no address")
	}
	return strings.Join(parts, " ")
}

// shown is the name of an account or a file, quoted if it is not a plain one.
func shown(name string) string {
	if q := strconv.QuoteToASCII(name); q[1:len(q)-1] != name || strings.ContainsAny(name, " ,") {
		return q
	}
	return name
}
