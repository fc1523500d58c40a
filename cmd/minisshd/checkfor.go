package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/daemon/access"
	"minissh/daemon/match"
	"minissh/daemon/process"
	"minissh/protocol"
)

// asked reads the value of --for, as sshd's -C has it.
func asked(list string) (*access.Client, error) {
	who := &access.Client{}
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7422}
	for element := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(element, "=")
		var err error
		switch {
		case value == "":
			err = errors.New("it has no value")
		case name == "user":
			who.User = value
		case name == "addr", name == "laddr":
			var addr netip.Addr
			if addr, err = netip.ParseAddr(value); err == nil && name == "addr" {
				who.Addr = netip.AddrPortFrom(addr.Unmap(), 1)
			} else if err == nil {
				local.IP = addr.AsSlice()
			}
		case name == "lport":
			var port uint64
			port, err = strconv.ParseUint(value, 10, 16)
			local.Port = int(port)
		case name == "key":
			who.Fingerprint = value
			if !strings.HasPrefix(value, "SHA256:") {
				err = errors.New("a key is its fingerprint, SHA256:…, as ssh-keygen -l shows it")
			}
		default:
			err = errors.New("there are user, addr, laddr, lport and key")
		}
		if err != nil {
			return nil, fmt.Errorf("--for %s: %w", protocol.Quote(element), err)
		}
	}
	if who.User == "" {
		return nil, errors.New("--for needs a user: minisshd check --for user=alice")
	}
	who.Local = local
	return who, nil
}

// holding are the sections that hold for a login, by their numbers.
func (conf *configuration) holding(ctx context.Context, who *access.Client) (holding []int,
	err error) {
	at := &match.Login{User: who.User, Addr: who.Addr.Addr(), Key: who.Fingerprint,
		Groups: func() ([]string, error) {
			acct, err := process.LookupAccount(ctx, who.User)
			if errors.Is(err, process.ErrNoAccount) {
				return nil, nil
			} else if err != nil {
				return nil, err
			}
			return process.GroupNames(ctx, acct)
		}}
	at.Local, _ = who.LocalAddr()
	for i, s := range conf.sections {
		holds, err := s.line.Holds(at)
		if err != nil {
			return nil, err
		}
		if holds {
			holding = append(holding, i)
		}
	}
	return holding, nil
}

// login says what holds for the login that --for describes, and whether it would succeed.
func (k *check) login(c *cli.Context, set *settings, conf *configuration) error {
	who, err := asked(c.String("for"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, checkTime)
	defer cancel()
	book, err := conf.book(c.App, set.account)
	if err != nil {
		return err
	}
	holding, err := conf.holding(ctx, who)
	if err != nil {
		return err
	}
	with, err := conf.with(c.App, holding)
	if err != nil {
		return err
	}
	for _, i := range holding {
		s := conf.sections[i]
		k.say("# %s: Match %s", s.where(), strings.Join(shownAll(s.args), " "))
	}
	k.effective(conf, with, holding)
	admits := set.access(book, slog.New(slog.DiscardHandler))
	if closer, ok := admits.(access.Closer); ok {
		defer closer.Close()
	}
	report, err := admits.(access.Reporter).ReportFor(ctx, who)
	if err != nil {
		return err
	}
	k.account(&report)
	if who.Fingerprint == "" || report.Refused != nil {
		return nil
	}
	lister, err := set.readKeysCommand(with)
	if err != nil {
		return err
	}
	may, unsure := admits.(access.Reporter).MayLogIn(who)
	switch {
	case may:
		k.say("\nthe key may log in from there")
	case unsure != nil:
		k.say("\nnobody can tell whether the key may log in from there: %v", unsure)
		k.wrong = append(k.wrong, "nobody can tell whether the key may log in from there")
	case lister != nil && lister.OfKey():
		k.say("\nno file admits the key from there; whether --authorized-keys-command (%s) does, "+
			"only a login with the key can tell: the command is told of the key itself, by %%f, "+
			"%%k or %%t", shown(lister.Words[0]))
	default:
		k.say("\nthe key may not log in from there")
		k.wrong = append(k.wrong, "the key may not log in from there")
	}
	return nil
}

// effective says what holds, setting by setting, and who says so.
func (k *check) effective(conf *configuration, c *cli.Context, holding []int) {
	lines := conf.counting(holding)
	for _, f := range daemonFlags() {
		name := f.Names()[0]
		if !slices.Contains(perLogin, name) {
			continue
		}
		var from []string
		if conf.command[name] != nil {
			from = append(from, "command line")
		}
		for _, v := range lines {
			if v.flag == name {
				from = append(from, v.where())
			}
		}
		value := strings.Join(shownAll(valuesOf(c, f)), " ")
		if _, is := f.(*cli.BoolFlag); is {
			value = map[string]string{"true": "yes", "false": "no"}[value]
		}
		if len(from) == 0 {
			from = []string{"default"}
			if s := f.(cli.DocGenerationFlag).GetDefaultText(); s != "" && (value == "" ||
				value == "0" || value == "0s") {
				value = s
			}
		}
		k.say("%s %s  # %s", name, value, strings.Join(from, ", "))
	}
}

// shownAll are values as a file has them.
func shownAll(values []string) []string {
	list := slices.Clone(values)
	for i, value := range list {
		if q := strconv.QuoteToASCII(value); q[1:len(q)-1] != value ||
			strings.ContainsAny(value, " \t#") {
			list[i] = q
		}
	}
	return list
}
