// Package process starts a command, signals it, stops it together with everything it started, and
// tells honestly how it ended. It knows nothing of the wire, of sessions or of users' rights.
//
// # Reading order
//
//	process.go          Spec, Process, Result and the life of one command
//	start_unix.go       pipes, fork and exec; start_linux.go sees the end without reaping
//	stage_linux.go      the same for another account, whose paths may hang; stage/ is that process
//	turns_unix.go       how many of one account may start at once
//	pty_unix.go         a terminal in place of pipes
//	output_linux.go     a pipe through which much passes
//	stop_unix.go        RULES C2: hang up, wait, kill, look twice; signals by name
//	session_linux.go    who is in the command's kernel session, and how its user's going ends it
//	cgroup_linux.go     where each account's processes are counted
//	jobcgroup_linux.go  the cgroup of a job, by which all of it is stopped
//	shell.go            command lines, and the directory that a shell reports at its end
//	account*.go         who a command runs as, what it finds around it; any account of the system
//	closed_unix.go      whether an account may log in
//	self.go             this program started again, to act for an account
//	prepare*.go         what a daemon does once, before its first Start
//	process_windows.go  the same promises with a job object; process_darwin.go what darwin lacks
//
// # In short
//
//	process.Prepare()                          // once, in main
//	acct, err := process.CurrentAccount()
//	args, reports := process.ShellLine(acct.Shell, line, oldDir)
//	p, err := process.Start(process.Spec{
//	    Path: acct.Shell, Args: args, Dir: dir, OldDir: oldDir, ReportDir: reports,
//	    Env: process.Environment(acct, "SSH_CONNECTION=…"),
//	})
//	defer p.Close()                            // always: it reaps
//	io.Copy(p.Stdin, …); io.Copy(…, p.Stdout); io.Copy(…, p.Stderr)
//	p.Resize(size); p.Drain(); p.HangUp(…)    // with a terminal (Spec.PTY)
//	p.Signal("INT")                            // any time, any goroutine
//	left, err := p.Stop(ctx, 5*time.Second)    // hang up, then kill, confirmed
//	<-p.Done(); r := p.Result()
//
// # What holds
//
//  1. Each command leads its own kernel session and process group (setsid). After a normal exit its
//     background children live on; only Stop, Kill and Signal("KILL") end them.
//  2. No signal ever goes to a recycled process id (RULES C3). The leader's end is seen with
//     waitid(WNOWAIT): from then until Close it stays a zombie, and the kernel hands its number,
//     which is also the number of its group and of its session, to nobody else. A session's number
//     is moreover in use as long as any process is in it. Other members are signalled through a
//     pidfd that was opened before their session was checked. The price is one zombie for as long
//     as the owner still drains output: Close pays it.
//  3. A zombie is dead. But a process whose main thread alone has ended looks like a zombie in
//     /proc and is alive: it is counted as alive.
//  4. Descriptors: the command gets 0, 1, 2 (and 3 with ReportDir), all of them blocking; ours are
//     non-blocking, in Go's poller, so that Close interrupts a Read or Write under way. Everything
//     this package opens is close-on-exec; Prepare sees to what the daemon inherited.
//  5. One goroutine per running command; it ends with the command. On Linux it holds no thread.
//  6. On Linux, no path that another account can choose is touched by this process: its commands
//     begin as a stage, which hangs alone, is given up after StartTime or with the context, and is
//     then killed. Of one account at most 32 hang at once. Commands of the daemon's own account are
//     executed directly, after a look that tells whether their paths answer.
//
// # What does not hold
//
//   - A process that calls setsid leaves the session and is not stopped (as under sshd), unless
//     the command has a cgroup v2 of its own (Spec.Cgroup): jobs have, where one is delegated.
//   - A process that the daemon may not signal (one that became another user by setuid) survives,
//     and is named. With /proc mounted hidepid=2 such a process is not even seen by a daemon that
//     is not root.
//   - Linux before 5.3 has no pidfd_open: there a member is looked at once more and signalled by
//     its number at once.
//   - darwin: the process group alone is signalled and confirmed, and nothing any more once the
//     leader has ended, because it is reaped then.
//   - Windows: a job object that dies with its command takes background children with it; INT
//     becomes Ctrl-Break, HUP and TERM end the job.
//   - Other systems: the package does not compile there.
package process
