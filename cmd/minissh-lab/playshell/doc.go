// Package playshell is the shell of the command dialects, played: it looks like
// one and starts nothing.
//
// The course's servers hand each line to subprocess.Popen(shell=True), so whoever
// reaches the port owns the machine. This shell is a pure function from a line to
// bytes: it reads no file, no clock, no environment, and gives the same bytes on
// every system. Each line begins in /home/student again, as in the course, where
// each command is a new process: `cd` does not persist.
//
// 模拟的 shell：不启动任何进程，每个系统上字节都一样。
package playshell
