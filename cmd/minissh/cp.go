package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"minissh/client"
	"minissh/client/copying"
)

// copyFiles is `minissh cp`.
func copyFiles(c *cli.Context) error {
	plan, err := copying.Parse(c.Args().Slice())
	if err != nil {
		return err
	}
	if plan.Help {
		fmt.Print(copying.Usage)
		return nil
	}
	dial := func(host string) (*client.Dialer, error) {
		o, err := parse(append(append([]string{}, plan.Options...), host))
		if err != nil {
			return nil, err
		}
		return dialer(o), nil
	}
	return exitCode(client.Copy(context.Background(), plan, dial, os.Stdout, os.Stderr))
}
