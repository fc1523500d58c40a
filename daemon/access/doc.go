// Package access decides who may log in to a daemon, and how much of it one user may take.
//
// An Access (access.go) knows keys: own.go those of the daemon's own account; accounts.go, with
// policy.go, those of every account of a machine, which only root's daemon can serve.
// keyhelper_unix.go reads users' files with the users' rights, and keyreader_unix.go shares the
// helpers that do so. told.go makes the log say once what is wrong with them, report.go tells
// people, and anyone.go knows whether anybody could log in. trust.go is what the daemon's own
// settings trust and revoke. paired.go is the file of paired keys.
//
// What the administrator's settings say for one login are its Terms (terms.go): a Book has them,
// by the Match sections that hold (daemon/match). permits.go is what they take away in channels,
// each of which asks anew.
//
// The Guard (guard.go) asks the Access at each login. gate.go limits strangers, penalty.go keeps
// out sources that fail, and shares.go counts what each user has.
package access
