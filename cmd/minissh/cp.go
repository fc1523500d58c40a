package main

import (
	"context"
	"fmt"
	"os"

	"minissh/client/cp"
	"minissh/client/dial"
)

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
	toHost := func(host string) (*dial.Dialer, error) {
		// as in scp, options about a remote command or shell are neither used nor reported
		o, err := parse(
			append(
				append([]string{"-a", "-x", "-oClearAllForwardings=yes", "-oPermitLocalCommand=no",
					"-oRemoteCommand=none"}, plan.Options...), host))
		if err != nil {
			return nil, err
		}
		return dialer(o), nil
	}
	return exitCode(cp.Run(context.Background(), plan, toHost, os.Stdout, os.Stderr))
}
