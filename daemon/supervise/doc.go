// Package supervise lets a daemon be replaced under way. A supervisor, a small process, holds the
// listening sockets and starts the daemon proper with them; each daemon proper is a generation. To
// replace it, the supervisor starts another one, which takes the sockets, and the old one serves
// its sessions to their end, as with nginx and sshd. Only Linux has supervisors.
//
// Reading order:
//
//	wire_linux.go        what a supervisor and a generation say to each other, and the descriptors
//	                     that go along
//	roll_linux.go        the commands of a generation, in memory that outlives it
//	generation_linux.go  a generation's end
//	supervisor_linux.go  the supervisor: what happens, and what it does about it
//	start_linux.go       starting a generation, and replacing one
//	end_linux.go         the ends of processes: a crash, and what it left running
//	held_linux.go        the sockets, and where they are kept over a restart of the supervisor
//	other.go             where there are no supervisors
//
// # What holds
//
//  1. While any generation serves, each listening socket stays open in the supervisor: no
//     connection is refused.
//  2. A generation that does not start leaves the old one as it was. The old one is told to leave
//     only when the new one has opened everything that can fail.
//  3. The supervisor reads nothing that a client sends, and waits for nobody without a deadline.
//  4. A generation's commands are on its roll. When it dies, they become children of the
//     supervisor, their subreaper, which stops them (RULES C2). Jobs, helpers and what has ended
//     are not on the roll, so what a user left running in the background lives on.
//  5. A generation whose supervisor has died serves its sessions to their end.
package supervise
