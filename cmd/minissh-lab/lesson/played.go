package lesson

import "minissh/cmd/minissh-lab/playshell"

// played is what the dialects' servers answer to a line.
func played(line string) string {
	out, errOut := playshell.Run(line)
	return string(out) + string(errOut)
}
