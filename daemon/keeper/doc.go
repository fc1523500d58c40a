// Package keeper is the process that a job belongs to (protocol/JOBS.md): it starts the command,
// has its pipes or terminal, keeps its output in files, and lets clients come and go. It is the
// account's, and outlives links, sessions and the daemon.
//
// Reading order:
//
//	store.go    where an account's jobs are, and which there are
//	folder.go   one of them: its status, whether its keeper lives
//	order.go    what a keeper is told, and what it answers
//	keeper.go   the process: from its order to the job's end
//	output.go   a stream of output: the spool, and those who follow it
//	screen.go   what a job's terminal shows, for who attaches later
//	visit.go    a client that is attached
//	serve.go    who speaks to a keeper: a session of protocol/mux over its Unix socket
//	clerk.go    the helper that a daemon asks about jobs: it lists and removes, finds a keeper's
//	            socket, and takes the place of keepers that have ended
//
// Where the daemon has a cgroup v2 to give (daemon/process/jobcgroup_linux.go), a keeper has one of
// its own, and its command another one below that: then a stop ends also what has left the
// command's kernel session, and the kernel confirms it. A command that was adopted stays where it
// was.
//
// # Who trusts whom
//
// Everything here runs as the account, and an account's processes can change what its keepers keep
// and say. So a daemon takes from them no more than it would from a command: bytes, numbers within
// bounds, and words that are quoted. A keeper answers its own account and root.
package keeper
