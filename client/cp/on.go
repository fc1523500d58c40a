package cp

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"minissh/client/dial"
	"minissh/client/report"
	"minissh/protocol"
)

// eachHost stands for the host of an address that begins with a colon, with --on.
const eachHost = "\x00"

// onAddress is ParseAddress for a plan with --on, in which :path is on each host.
func (p *Plan) onAddress(text string) (a Address, port string) {
	if path, ok := strings.CutPrefix(text, ":"); ok && p.Many() {
		return Address{Host: eachHost, Path: path, Text: text}, ""
	}
	return ParseAddress(text)
}

// Many says that the plan is for many hosts.
func (p *Plan) Many() bool { return p.On != "" }

// checkOn refuses addresses that make no sense for many hosts: either all sources are here and the
// target is there, or the other way round.
func (p *Plan) checkOn() error {
	if !p.Many() {
		return nil
	}
	for _, a := range append(p.Sources, p.Target) {
		if a.Remote() && a.Host != eachHost {
			return &UsageError{"with --on, what is on the hosts begins with a colon: " +
				protocol.Quote(a.Text) + " names one", onExample}
		}
	}
	for _, a := range p.Sources {
		if a.Remote() == p.Target.Remote() {
			return &UsageError{"with --on, one side is on the hosts, and begins with a colon; " +
				"the other is here", onExample}
		}
	}
	return nil
}

const onExample = "minissh cp --on 'web[01-20]' FILE… :FOLDER, or minissh cp --on 'web[01-20]' " +
	":FILE… FOLDER, which makes FOLDER/web01 and so on"

// forHost is the plan for one of many hosts: what comes from there goes into a folder of its name.
func (p *Plan) forHost(host, folder string) (*Plan, error) {
	one := *p
	one.Sources = nil
	for _, a := range p.Sources {
		if a.Host == eachHost {
			a.Host = host
		}
		one.Sources = append(one.Sources, a)
	}
	if one.Target.Host == eachHost {
		one.Target.Host = host
		return &one, nil
	}
	one.Target.Path = filepath.Join(p.Target.Path, folder) + string(filepath.Separator)
	if err := os.MkdirAll(one.Target.Path, 0o777); err != nil {
		return nil, report.Failed(err, "another folder as the target", "%v", err)
	}
	return &one, nil
}

// OnHost carries out a plan of many hosts on one of them, over a connection that the caller ends.
// folder is the host's name as a file's name. The code is the exit code if there is an error, or
// something was not copied.
func (p *Plan) OnHost(ctx context.Context, conn *dial.Connection, host, folder string, once *Once,
	lines, messages io.Writer) (code int, err error) {
	one, err := p.forHost(host, folder)
	if err != nil {
		return ExitPartly, err
	}
	c := NewCopier(ctx, one, messages)
	c.once, c.View.host = once, host
	if p.JSON {
		c.View.Lines = lines
	}
	if one.Target.Remote() {
		err = c.Put(conn)
	} else {
		err = c.Get(conn)
	}
	switch {
	case ctx.Err() != nil:
		return 0, c.Interrupted(goesOn, ctx.Err())
	case errors.Is(err, ErrFailed), err == nil && c.View.Sum().Failed > 0:
		return ExitPartly, report.Failed(ErrFailed, "", "%v", ErrFailed).Of(report.ClassRefused)
	case err != nil && refused(err):
		return ExitPartly, err
	}
	return 0, err
}
