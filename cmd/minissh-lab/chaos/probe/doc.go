// Package probe looks into sockets: how many segments one has sent, what waits in
// its receive buffer, and what the other end, when it is on this machine, has not
// read yet. It needs no privileges. What a system cannot tell is said to be
// unknown, never guessed.
//
//	Segments(conn)   data segments sent so far     TCP_INFO, Linux
//	Sent(conn)       the same with bytes, and what is held   TCP_INFO, Linux 4.19
//	Received(conn)   segments and bytes that have come       TCP_INFO, Linux
//	Pending(conn)    bytes in our receive buffer   FIONREAD, Linux, macOS, Windows
//	Unread(conn)     bytes in the peer's one       /proc/net/tcp, Linux, same machine
//	Await(...)       polls one of them: the kernel gives no event for these
package probe
