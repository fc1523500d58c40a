// Package access decides who may come in to a daemon, and how much of it one user may take.
//
// An Access (access.go) knows keys: own.go those of the daemon's own account; accounts.go, with
// policy.go, those of every account of a machine, which only a daemon of root can serve. Users'
// files are read with the users' rights by keyreader_unix.go. told.go has the log say once what is
// wrong with them, report.go tells people, and anyone.go knows whether anybody could log in at all.
// paired.go is the file of the keys that were paired.
//
// The Guard (guard.go) asks the Access at each login. gate.go bounds strangers, penalty.go keeps
// out sources that fail, and shares.go counts what each user has.
package access
