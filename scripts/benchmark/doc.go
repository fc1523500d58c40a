// Command benchmark measures minissh beside OpenSSH, dropbear and mosh on one machine, in one run,
// and beside itself without resuming.
//
// The nouns:
//
//   - A lab (lab.go) is one run's temporary directory, its throw-away keys, its processes and their
//     end.
//   - A peer (peers.go) is a daemon that the lab started, and the command line of its client.
//   - A row (rows.go, row_*.go) is one kind of work. It holds contenders: what is timed, one for
//     each peer.
//   - A round (measure.go) runs every contender once; the order rotates from round to round, so
//     that a drift of the machine falls on all of them. What is compared are medians, as ratios
//     within the run.
//   - A relay (scripts/wire) is a long wire: it forwards one daemon's connections and holds every
//     byte for a fixed time.
//   - A cable (cable.go) carries IP packets between two network namespaces, or loses them all, so
//     that a protocol over UDP meets the same outage (row_resume.go).
//   - A report (report.go) is the table, or JSON.
//
// Fairness. A daemon starts the account's login shell, and bash reads ~/.bashrc when it believes
// that a network login started it (SSH_CLIENT is set): 130 ms on a machine with a heavy one, more
// than most of what is measured here. So each daemon runs in a mount namespace of its own in which
// the account's home is the lab's empty one; what is in /etc is read for all alike. Where such a
// namespace is refused (not root), sshd gets SetEnv HOME and minisshd HOME in its environment, and
// dropbear, which takes home and keys from passwd alone, is left out and said to be. All clients
// run with the same environment, without a configuration file, an agent or a terminal.
//
// What it does not do: it does not use a real network, and it does not compare runs. Absolute times
// are the machine's.
package main
