// Package prompt is minissh's line prompt: the lines that are typed run on the other machine, in
// one shell (shell.go) or, where the daemon cannot tell a shell its lines, in a shell each.
// runner.go runs them over a connection, there.go asks for names, transfer.go and files.go are
// put and get. The rest knows nothing of the wire: [Loop] (loop.go) reads lines, and a [Runner]
// runs them.
//
// # Two ways to read
//
// On a terminal, Loop has lines edited (package editor), shows user@host:~/dir$ before them, keeps
// a history, and marks standard error with colour. From anything else it reads line by line, prints
// nothing of its own on standard output, and returns the last status; only the end of the input,
// exit, a lost link, or a signal stops it.
//
// # The terminal
//
// It is in raw mode only while a line is edited. While a command runs it is in
// its normal mode, so that Ctrl-C is SIGINT: the first one is
// Runner.Interrupt(1), the next ones Interrupt(2) and so on, and the prompt
// stays. Ctrl-C while editing drops the line, Ctrl-D on an empty line ends.
// SIGTERM and SIGHUP end the loop with the terminal restored.
//
// output.go passes on what commands write, and beside.go holds it back while a line is edited, to
// show it above that.
//
// # Lines
//
// A line may be a text of several rows: a paste, or a command that Config.Command says is not
// complete. Such commands are read where nothing is edited, too (plain.go).
//
// # What it does not do
//
// It gives a line no standard input, and a terminal only if the line is `pty …` or begins a program
// that is used on one (fullscreen.go). Text from the other side (directory, signal names, notes) is
// quoted before it is shown; the output of commands is passed on as it is, as ssh does.
package prompt
