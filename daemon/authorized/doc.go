// Package authorized reads authorized_keys files in OpenSSH's format (sshd(8), AUTHORIZED_KEYS FILE FORMAT) and says what a key may do.
//
//	file, problems, err := authorized.Load(path, authorized.Owner{UID: uid, Home: home})
//	entry, err := file.Find(key, address, time.Now())
//	err = entry.Allows("exec")
//
// safe.go opens files that nobody else can change, file.go reads lines, options.go is the table of options, match.go is from= and
// expiry-time=.
//
// # What counts
//
// Honoured: command=, from=, restrict, pty, no-pty, environment= (kept; the daemon decides), expiry-time=. Options that forbid what
// minissh does not have count as honoured: no-port-forwarding, no-agent-forwarding, no-X11-forwarding, no-user-rc, permitopen=, permitlisten=, tunnel=; so do
// the ones that give it back: port-forwarding, agent-forwarding, X11-forwarding, user-rc. Every other option (cert-authority, principals=,
// verify-required, no-touch-required, unknown ones) disables its line, and the problem is for the log.
//
// from= matches addresses only, never host names: no name server decides who comes in. As in sshd, the first line of a key whose from= and
// expiry-time= hold counts.
package authorized
