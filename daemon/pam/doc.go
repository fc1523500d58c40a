// Package pam asks PAM about a login, and opens its session (pam(3)).
//
// Modules of PAM hang, read homes, and change the limits, audit session, cgroup and namespaces of
// the process that calls them. So the daemon never calls them: for each of a client's sessions
// there is a PAM process, this program again and root's. It asks whether the account may log in,
// sets credentials and opens the session; then it is the Origin (package process) of every command
// and helper of the client's session, which so have all that the modules have set. When that
// session is over, it closes PAM's. If jobs of the session go on, it stays until they have ended.
//
// Reading order:
//
//	pam.go            what is asked, and what is answered
//	service_linux.go  the daemon's side: PAM processes, some of them started early
//	session_linux.go  a session, as an Origin
//	modules.go        the PAM process, in a program that is built with -tags pam
//	limits.go         the limits that modules have set, taken from the PAM process
//	abandon.go        its end when modules do not come back
//
// # The PAM process
//
// It does everything on its main thread: loginuid, keyrings and namespaces belong to a thread, and
// a fork takes on those of the thread that forks. A stage that it forks is the daemon's child
// (clone(2), CLONE_PARENT): so the daemon waits for it, signals it and knows its end as it does
// without PAM.
//
// It is bounded from both sides. The daemon kills it when it does not answer in time. It ends
// itself, if closing the session takes longer than 30 seconds, also when the daemon is dead.
package pam
