// Command attacks is scripts/attack: each attack of one user, or of a stranger, on a daemon of
// root, beside two honest users whose work is measured.
//
// The nouns:
//
//   - The world (world_linux.go) is a set of namespaces: processes, mounts and a loopback of their
//     own. When the run ends, by whatever means, everything in them ends. It has four accounts
//     (people.go): alice and bob are honest, mallory attacks, trudy is mallory's second account.
//   - A host (host.go) is a running minisshd: a real one, of root, on two processors, new for each
//     attack. It knows what it may cost: memory, log, descriptors, the time to stop.
//   - The honest ones (honest.go) type on a terminal, log in for a cold `true`, and stream. They
//     use the real client, each with an account of their own. Root asks `minisshd who` beside them.
//   - An attack (table.go) is a name, what it says, a scene that root prepares for it (scene.go: a
//     hung FUSE mount, a FIFO), and what mallory does. That runs in a process of mallory's
//     (mallory.go), with raw frames (link.go), pinned to one processor. One file holds one kind:
//     hung.go, processes.go, strangers.go, frames.go, shares.go, forwarding.go, link.go.
//   - A trial (trial.go) is one attack on one host. Windows in which the honest work beside the
//     attack alternate with windows beside a busy loop on the attacker's processor: the same load,
//     and nothing else. What is compared are medians, as a ratio within the run.
//   - The report (report.go) is the table, one line for each attack.
//
// A FUSE mount is made as fusermount3 would make it for mallory: her user id, no allow_other, a
// server of hers. The server answers INIT and nothing else, so that a process that waits for it
// cannot even be killed.
//
// A user namespace is not among the namespaces: the daemon is to be the machine's real root. Limits
// do not count for it, and files do not stop it. What it may harm is in the other ones.
package main
