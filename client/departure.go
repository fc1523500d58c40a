package client

import (
	"fmt"
	"syscall"

	"minissh/client/options"
)

// departed tells how the user left, and gives the exit code: 255 as ssh has it for ~., 128+n for a signal, the command's own if that had ended.
func (d *Dialer) departed(left *departed) int {
	if left.outcome != nil {
		return left.outcome.ExitCode()
	}
	sig, ok := left.signal.(syscall.Signal)
	if !ok {
		d.goodbye()
		return ExitFailure
	}
	d.announce(fmt.Sprintf("Killed by signal %d.", int(sig)))
	return 128 + int(sig)
}

// goodbye announces the end as ssh does.
func (d *Dialer) goodbye() {
	name := d.Options.HostName
	if name == "" {
		name = d.Options.Alias
	}
	d.announce("Connection to " + name + " closed.")
}

// announce says something in ssh's own words, on which fingers and programs rely.
func (d *Dialer) announce(text string) {
	if d.Options.LogLevel >= options.LevelInfo {
		fmt.Fprintln(d.Messages, text)
	}
}
