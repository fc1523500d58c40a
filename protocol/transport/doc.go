// Package transport is what a link runs over: TLS 1.3 over TCP, or a Unix socket, and who the peer
// is (the rules CA and ID of PROTOCOL.md).
//
// tls.go is the TLS profile and its two handshakes; buffer.go gathers TLS records into few system
// calls and limits what is read before authorization; peer_*.go asks the kernel who is at the other
// end of a Unix socket.
//
// It does not decide who may log in, and it does not dial.
package transport
