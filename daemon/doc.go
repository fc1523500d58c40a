// Package daemon is minisshd: it listens, lets in those whose keys are listed, and runs what they ask for.
//
// Reading order, the way a connection goes: listen.go (addresses, and the refusal to listen where nobody could log in), gate.go (how
// many strangers at once), login.go (TLS, HELLO, authorization), penalty.go (sources that fail), local.go (Unix sockets), services.go (what may be
// asked for, and the one place where a key's restrictions decide that), server.go (the whole, from start to shutdown), exec.go (a
// command's life), streams.go (its input and output). Who may log in and with which restrictions is daemon/authorized; processes are
// daemon/process; frames and sessions are protocol and protocol/mux.
//
// Who may come in is an Access: access.go for the daemon's own account, accounts.go with policy.go and keyreader.go for all accounts of a machine,
// which only a daemon of root can serve. report.go tells people what they have configured. A client that is not known yet can pair: pairing.go (codes and attempts),
// paired.go (the keys' file), pairing_control.go (what `minisshd pair` shows). control.go is the socket where minisshd pair, who and end ask; files.go copies.
package daemon
