// Package wire is a relay for TCP connections on loopback: a long wire, and one that is cut in each
// way that networks have.
//
// The nouns:
//
//   - A [Relay] (relay.go) listens and forwards each connection to one daemon. "Near" is the
//     client's side, "far" the daemon's; "up" is the way to the daemon, "down" the way back.
//   - A [Link] (link.go) is one connection through it. Its [Fate] is chosen when it begins: how
//     long the wire is, how small the pieces are, and when and how it is cut.
//   - A [Way] (way.go) is how a link is cut: what each end sees, and what becomes of each
//     direction.
//   - A line (line.go) is one direction of a link: a queue in which bytes wait until they are due.
//   - Records (record.go) are TLS's, found so that a line can stop in the middle of one.
//
// A link that was cut stays for as long as its [Cut] says, so that the ends have to notice by
// themselves, and is reset then. The relay's own system acknowledges what it takes in meanwhile, as
// a proxy or a NAT box would; what a deaf link does not read it acknowledges until its buffers are
// full.
package wire
