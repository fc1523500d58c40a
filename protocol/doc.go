// Package protocol is the minissh wire: frames, the messages in them, and the codes for what can go
// wrong.
//
// The normative text is PROTOCOL.md next to this file, and with it TERMINAL.md, LINES.md,
// SUBSYSTEM.md, FILES.md, FORWARDING.md, JOBS.md, RESUMING.md, PAIRING.md, LOGIN.md and
// CERTIFICATES.md; FIRST.md helps with a first client or daemon. Comments cite rules by name: FR2
// is the second one about frames.
//
// # The nouns
//
// A link is one connection. A session outlives its links. A channel is one thing being done in a
// session. A frame is a 12-byte header and exactly as many payload bytes as the header says.
//
// # Reading order
//
//   - frame.go: the header and the types, with each payload's layout; how a frame is written.
//   - reader.go: how a frame is read, sizes checked before anything is allocated.
//   - message.go, pty.go, files.go, forward.go: the JSON payloads as structs; bytes.go: byte
//     strings inside JSON; strict.go: what JSON is refused.
//   - errors.go: violations (we say the peer broke a rule) and remote errors (the peer says why it
//     ended).
//   - pairing.go: the one-time code by which client and daemon learn each other's key, and its
//     proofs.
//   - describe.go, times.go: a frame, and a time, in words, for people.
//
// The package imports the standard library only, opens no socket and starts no goroutine. Channels,
// credit and sessions are in protocol/mux, TLS in protocol/transport, keys in protocol/keys.
package protocol
