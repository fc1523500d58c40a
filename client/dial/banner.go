package dial

import (
	"strings"

	"minissh/client/terminal"
)

// showBanner shows what the other side tells each user first, as ssh does with its banner, made
// safe for a terminal.
func (d *Dialer) showBanner(text string) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = terminal.Printable(strings.NewReplacer("\r", "", "\t", "    ").Replace(line))
	}
	d.Messages.Announce(lines...)
}
