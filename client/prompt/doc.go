// Package prompt is minissh's line prompt: each line that is typed is one command
// on the other machine (DESIGN section 6). It knows nothing of the wire: a
// [Runner] runs the lines.
//
//	code, err := prompt.Loop(ctx, prompt.Config{Runner: r, User: "li", Host: "lab", Dir: home, Home: home,
//		HistoryFile: prompt.DefaultHistoryFile()})
//
// # Two ways to read
//
// On a terminal, Loop edits lines, shows user@host:~/dir$ in front of them, keeps
// a history, and marks standard error with colour. From anything else it reads
// line by line, prints nothing of its own on standard output, and returns the
// last status; it stops at nothing but the end of the input, exit, a lost link,
// or a signal.
//
// # The terminal
//
// It is in raw mode only while a line is edited. While a command runs it is in
// its normal mode, so that Ctrl-C is SIGINT: the first one is
// Runner.Interrupt(1), the next ones Interrupt(2) and so on, and the prompt
// stays. Ctrl-C while editing drops the line, Ctrl-D on an empty line ends.
// SIGTERM and SIGHUP end the loop with the terminal restored.
//
// # How a line is drawn (reading order)
//
// input.go reads bytes only while they are wanted. keys.go cuts them into keys.
// editor.go hands the keys to x/term's Terminal one at a time; Terminal does the
// editing and believes that its line never wraps and that every character is one
// column wide. What it writes is not shown: screen.go keeps the line and the
// cursor that result, and draws them with true widths (width.go), wrapped, and
// scrolled when the line is taller than the screen. A line is at most 4096
// characters (Terminal's limit).
//
// A pasted text with several lines becomes one command with newlines in it,
// shown as ⏎, and runs when Enter is pressed.
//
// # What it does not do
//
// It gives a command no standard input and no terminal. Text from the other side
// (directory, signal names, notes) is quoted before it is shown; the output of
// commands is passed on as it is, as ssh does. A panic in a goroutine that is not
// Loop's cannot restore the terminal.
package prompt
