// Package daemon is minisshd: it listens, lets in those whose keys are listed, and runs what they ask for.
//
// Reading order, the way a connection goes: listen.go (addresses), anyone.go (the refusal to serve others than loopback while nobody could log in), gate.go (how
// many strangers at once), login.go (TLS, HELLO, authorization), penalty.go (sources that fail), tally.go (how often the log tells of refusals), local.go (Unix sockets), services.go (what may be
// asked for, and the one place where a key's restrictions decide that), server.go (the whole, from start to shutdown), exec.go (a
// command's life), streams.go (its input and output). Who may log in and with which restrictions is daemon/authorized; processes are
// daemon/process; frames and sessions are protocol and protocol/mux; daemon/logbook bounds what is logged and waits for no reader.
//
// Who may come in is an Access: access.go for the daemon's own account, accounts.go with policy.go and keyreader.go for all accounts of a machine,
// which only a daemon of root can serve. report.go tells people what they have configured. A client that is not known yet can pair: pairing.go (codes and attempts),
// paired.go (the keys' file), pairing_control.go (what `minisshd pair` shows). control.go is the socket where minisshd pair, who and end ask; files.go copies.
//
// # Paths that a daemon of root touches itself
//
// No user may stop or slow it for others (RULES D1), and a path can hang. So these are all; each is
// the administrator's or the system's to choose:
//
//	its own files             host keys, key log, log, control and listening sockets, as told by flags
//	/proc/self, /proc/N/stat  its own program; who is in a command's session (not cmdline, environ or fd,
//	                          which can wait for the process's memory)
//	/dev/ptmx, /dev/pts       terminals
//	/etc/passwd, group, shadow, shells, nsswitch.conf, nologin; /run/nologin
//	                          accounts; where nsswitch.conf names more, getent(1) is run, with a deadline
//	an account's shell        if /etc/shells lists it; else the account's helper looks at it
//	root's own key files      in goroutines of their own, few at a time, with a deadline
//	a cgroup                  of its own, where one is delegated to it
//
// What belongs to a user is touched by a process that hangs alone: a stage (daemon/process) for
// directories and programs of commands, and helpers for key files (keyreader.go), files (filehelper.go)
// and paired keys (paired.go). Each has a deadline for what others wait for.
package daemon
