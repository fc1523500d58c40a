package dial

import (
	"strings"

	"minissh/client/terminal"
)

// showBanner shows what the other side tells each user first, as ssh does with its banner, made
// safe for a terminal. Of many hosts, the first one with a text shows it.
func (d *Dialer) showBanner(text string) {
	switch {
	case text == "":
	case d.Shared == nil:
		d.show(text)
	default:
		once(d.Shared, &d.Shared.banners, text, func() bool { d.show(text); return true })
	}
}

func (d *Dialer) show(text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = terminal.Printable(strings.NewReplacer("\r", "", "\t", "    ").Replace(line))
	}
	d.Messages.Announce(lines...)
}
