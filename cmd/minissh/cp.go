package main

import (
	"context"
	"fmt"
	"os"

	"minissh/client"
	"minissh/client/copying"
)

// copyFiles is `minissh cp`.
func copyFiles(words []string) error {
	plan, err := copying.Parse(words)
	if err != nil {
		return err
	}
	if plan.Help {
		fmt.Print(copying.Usage)
		return nil
	}
	dial := func(host string) (*client.Dialer, error) {
		// as scp: what is about a command or shell there is neither asked for nor missed
		o, err := parse(append(append([]string{"-a", "-x", "-oClearAllForwardings=yes", "-oPermitLocalCommand=no", "-oRemoteCommand=none"}, plan.Options...), host))
		if err != nil {
			return nil, err
		}
		return dialer(o), nil
	}
	return exitCode(client.Copy(context.Background(), plan, dial, os.Stdout, os.Stderr))
}
