// Package daemon is minisshd: it listens, lets in those whose keys are listed, and runs what they
// ask for. It is the listeners, the login and the life of the whole; who may come in is decided in
// daemon/access, what is done in daemon/service, and daemon/control answers whoever asks a running
// daemon. These three know nothing of this package.
//
// # The way of one command
//
// From the socket to the child, and back. Each file calls the next one; the mux's call of serve,
// for a channel that a client opens, is the only one that goes back up.
//
//	daemon/listen.go           addresses become listeners; beyond loopback only while somebody
//	                           could log in or pair
//	daemon/server.go           accept: a goroutine for each connection
//	daemon/login.go            ServeConn: a place among strangers, TLS, HELLO
//	daemon/access/guard.go     may this key come in as this user, now, from there?
//	daemon/access/terms.go     which settings hold for this login?
//	daemon/access/accounts.go  what the files of a machine's accounts list; for one account
//	                           it is daemon/access/own.go
//	daemon/session.go          a session of protocol/mux; serve, for each channel in it
//	daemon/service/service.go  Find: is there such a service, and is it open to this key?
//	daemon/service/exec.go     OPEN becomes what to start: program, environment, directory
//	daemon/process/start_unix.go, daemon/process/stage_linux.go
//	                           fork and exec, for another account through a stage
//	daemon/service/streams.go  feed: STDIN to the child; forward: its output to the client
//	daemon/service/command.go  signals, sizes, the stop, and at the end EXIT and CLOSE
//
// Addresses are read in address.go; sockets that a service manager opened come from
// activation_unix.go, and handover_linux.go is about daemons of which one replaces the other
// (supervise/). Who may log in with which restrictions is daemon/authorized; daemon/logbook
// bounds what is logged; daemon/announce tells the LAN of a daemon. A lower package never calls a
// higher one:
//
//	daemon → control, service, access → supervise, keeper → process, authorized, logbook,
//	logins → protocol
//
// # Paths that a daemon of root touches itself
//
// No user may stop or slow it for others (RULES D1), and a path can hang. So these are all; each is
// the administrator's or the system's to choose:
//
//	its own files             host keys, key log, log, control and listening sockets (flags)
//	/proc/self, /proc/N/stat  its own program; who is in a command's session (not cmdline,
//	                          environ or fd, which can wait for the process's memory)
//	/dev/ptmx, /dev/pts       terminals
//	/var/run/utmp, /var/log/wtmp, /var/log/lastlog
//	                          who is on them (daemon/logins): users can lock these files, so
//	                          nobody waits for a lock
//	/etc/passwd, group, shadow, shells, nsswitch.conf, nologin; /run/nologin
//	                          accounts; where nsswitch.conf names more, getent(1) is run,
//	                          with a deadline
//	an account's shell        if /etc/shells lists it; else the account's helper looks at it
//	root's own key files      in goroutines of their own, few at a time, with a deadline
//	a cgroup                  of its own, where one is delegated to it, with those of accounts
//	                          and jobs below it
//
// What belongs to a user is touched by a process that hangs alone: a stage (daemon/process) for
// directories and programs of commands, and helpers for key files (access/keyhelper_unix.go),
// paired keys (access/paired.go), files (service/filehelper.go), connections
// (service/forwardhelper_unix.go) and jobs (keeper/). Each has a deadline for what others wait for.
package daemon
