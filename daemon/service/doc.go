// Package service is what a daemon does for the clients that have logged in.
//
// exec.go starts commands and shells, and subsystem.go programs that have a name here (sftp);
// arrival.go adds what a login shows and leaves; command.go sees each to its end, and streams.go
// carries its input and output. lines.go runs shells that are told their lines. files.go copies
// files, in the helper process that filehelper.go is; helper.go owns such processes. forward.go
// carries connections, which a group's helper makes (forwardgroup_unix.go, forwardhelper_unix.go)
// and passes (passed_unix.go); listener.go those that come to what such a helper listens on
// (bind.go). job.go asks for jobs, which have processes of their own (daemon/keeper), and
// jobvisit.go joins clients to them.
//
// # How to add a service
//
//  1. Give it a file here, with a type that implements Service (service.go). Its Key says what it
//     is called in OPEN, and which options of authorized_keys close it to a key: without any, all
//     that restrict anything do.
//  2. Put it into the table in service.go. Serve is called only for keys that it is open to.
//  3. What touches a user's files or sockets belongs in a helper process, which startHelper gives
//     to a channel; what is logged goes through Host.noted.
//  4. Give it a column in the table of daemon/restrictions_test.go, which fails without it: every
//     option against every service.
package service
