// Package authorized reads authorized_keys files (sshd(8), AUTHORIZED_KEYS FILE FORMAT) and says
// what a key may do.
//
// # The way in
//
//	file, problems, err := authorized.Load(path, authorized.Owner{UID: 1000, Home: "/home/u"})
//	entry, err := file.Find(key, addr, time.Now()) // err is for the log
//	err = entry.Allows(authorized.Exec)            // a service; PTY is for a pty in it
//	command := entry.Command                       // if entry.HasCommand: runs in any case
//	file.AnyUsable(time.Now())                     // could anyone log in at all
//
// Problems are lines that do not count, and why; file.Remarks are about lines that do.
//
// Reading order: load.go and system_unix.go (which files are trusted), line.go (lines), options.go,
// from.go (addresses), permit.go (targets), find.go (who may come in, and what for), certificate.go
// (who may with a certificate), edit.go (keys that are paired).
//
// # Which options
//
//	honoured                 command= from= expiry-time= restrict pty no-pty port-forwarding
//	                         no-port-forwarding permitopen= permitlisten= agent-forwarding
//	                         no-agent-forwarding user-rc no-user-rc; environment= (kept: a flag
//	                         of the daemon decides); for hardware keys no-touch-required and
//	                         verify-required; for certificates cert-authority and principals=
//	                         (CE3)
//	nothing to forbid here   no-X11-forwarding tunnel=, and X11-forwarding, which takes
//	                         `restrict` back
//	ours, unknown to sshd    minissh-files="/folder[,ro|wo]": copying files to and from that
//	                         folder and nothing else. sshd disables the line
//	the line is disabled     any other
//
// Names of options are case-insensitive. A line is disabled as a whole, and reported, when one of
// its options is disabled, unknown or malformed; when nobody may log in with its kind of key; when
// it is longer than 16 KiB or holds a zero byte. The other lines count.
//
// X11 forwarding and tunnels do not exist here, so an option that forbids them is obeyed.
//
// # Differences from sshd
//
//   - from= is matched against the address only, as with sshd's UseDNS=no, its default. A host name
//     in it never matches; after a ! it would refuse nobody, so it disables the line. Both are
//     reported. Over a Unix socket there is no address, and a line with from= does not match.
//   - A key with command= opens nothing but exec and subsystem (and a pty in it), which run that
//     command: no files, and no forwarding unless it is granted by name (port-forwarding,
//     agent-forwarding). A key with
//     permitopen= connects to no Unix socket, one with permitlisten= listens on none.
//   - Above the directory that holds the file, one that others can write to is accepted if it has
//     the sticky bit, as /tmp has, and the file is outside the home directory.
//   - A certificate without principals admits nobody, also by cert-authority. One that forces a
//     command opens what a key with command= opens: its permit-port-forwarding grants nothing by
//     name, which cert-authority,port-forwarding does.
//   - A date that does not exist (20250230) disables the line; sshd takes the day after.
//
// On Windows owners and modes are not checked: Go cannot see its access lists.
package authorized
