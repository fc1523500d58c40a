package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"minissh/client/cp"
	"minissh/client/dial"
	"minissh/client/fanout"
	"minissh/client/options"
)

// copyOptions are for copies, before the words that were typed.
var copyOptions = []string{"-a", "-x", "-oClearAllForwardings=yes", "-oPermitLocalCommand=no",
	"-oRemoteCommand=none"}

// copyFiles is `minissh cp`.
func copyFiles(words []string) error {
	plan, err := cp.Parse(words)
	if err != nil {
		return err
	}
	if plan.Help {
		fmt.Print(cp.Usage)
		return nil
	}
	if plan.Many() {
		return copyOn(plan)
	}
	toHost := func(host string) (*dial.Dialer, error) {
		// as in scp, options about a remote command or shell are neither used nor reported
		o, err := parse(append(append(slices.Clone(copyOptions), plan.Options...), host))
		if err != nil {
			return nil, err
		}
		return dialer(o), nil
	}
	return exitCode(cp.Run(context.Background(), plan, toHost, os.Stdout, os.Stderr))
}

// copyOn is `minissh cp --on HOSTS`.
func copyOn(plan *cp.Plan) error {
	set, err := expand(plan.On)
	if err != nil {
		return err
	}
	m := &many{Mixed: &options.Mixed{Options: append(slices.Clone(copyOptions), plan.Options...),
		Own: map[string][]string{}}, names: set.Names()}
	if len(m.names) == 0 {
		return &cp.UsageError{Msg: "--on: no host is left", Advice: hostsHint}
	}
	if err := fanout.OneFileEach(m.names); err != nil && !plan.Target.Remote() {
		return err
	}
	if plan.Fanout != "" {
		m.Own["--fanout"] = []string{plan.Fanout}
	}
	cfg, err := m.config()
	if err != nil {
		return err
	}
	cfg.Save = nil
	cfg.Again = func(failed string) string {
		return "the same with --resume --on '" + strings.ReplaceAll(failed, "'", `'\''`) + "'"
	}
	once := &cp.Once{}
	cfg.Do = func(ctx context.Context, v fanout.Visit) (int, error) {
		return plan.OnHost(ctx, v.Conn, v.Host, fanout.FileName(v.Host), once, v.Lines, v.Messages)
	}
	return exitCode(fanout.Run(*cfg))
}
