// Package knownhosts reads and extends known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and
// holds ssh's dialogue about a host that is new or has changed.
//
// # The way in
//
//	db := knownhosts.Open(append(userFiles, globalFiles...)...) // missing or bad: db.Problems
//	verdict, err := db.Check("lab", 7422, "192.0.2.1", key)     // err: an impossible name
//	d, err := knownhosts.Decide(policy, verdict, batch, ask)    // ssh's words; err is a *Refusal
//	print(d.Messages...)                                        // for stderr, even with err
//	if d.Add {
//		err = knownhosts.Append(userFile, "lab", 7422, key, hash)
//		print(knownhosts.Added(verdict)) or print(knownhosts.AddFailed(userFile), err)
//	}
//
// Reading order: file.go (what is read), match.go (names), check.go (verdicts), decide.go (the
// dialogue), art.go (how a key is shown), append.go, certificate.go (hosts' certificates),
// fingerprint.go (a host of which only the fingerprint is known).
//
// # What counts
//
// A host on port 22 is looked for as `host`, on any other port as `[host]:port`. If there is no
// entry under that name, one for the plain `host` counts when its key is the same: the machine is
// known from ssh, whose host key it may share. A plain entry with another key says nothing about
// this port. Names are compared in lower case, patterns and hashed names work as in ssh. A key
// marked @revoked is refused whatever names its line has; a line with @cert-authority counts for
// hosts that show a certificate. An unreadable line (a key of SSH version 1, an unknown kind of
// key) is skipped. Apart from the plain name, ssh does the same.
//
// # Differences from ssh
//
//   - A changed or revoked key is refused with every policy, StrictHostKeyChecking=no included.
//   - @revoked counts for all hosts, as the manual says; ssh looks at the names.
//   - Addresses are not looked up and not added to names (ssh's CheckHostIP, off by default).
//
// Unix sockets have no key; they are not checked here.
package knownhosts
