// Package relay is what the client of a recorded run connects to: it passes bytes on to the server
// and back, and writes every piece with its time and direction on a tape.
//
//	relay.go         Config, Relay: listens, connects to the server, ends with its context
//	link.go          one connection: two pumps, and how an end is passed on
//	watch_unix.go    a reset that comes after an end; watch_other.go: systems that do not tell
//
// # What holds
//
//  1. A piece is what one read returned, at most tape.MaxPiece bytes. It is passed on at once,
//     whole, with TCP_NODELAY, before the next one is read: so a slow reader slows its own writer
//     down, as without the relay, and the relay holds one piece of each direction.
//  2. A piece is on the tape before it is passed on: its answer is never recorded before it.
//  3. A FIN is passed on as a FIN, and the other direction goes on. A RST is passed on as a RST
//     (over a Unix socket, which has none, both are an end). When the server cannot be reached, its
//     client gets a RST: its connect has succeeded by then.
//  4. When the tape is full, bytes are passed on as before.
//  5. How many segments carried a piece is said where the kernel tells (Linux, TCP), and only if
//     the segments counted hold exactly the bytes that were read: else it is not known.
//
// # What does not hold
//
// The relay is a receiver and a sender of its own. What the client sent in two calls may come in
// one piece (that is seen in its segments), and what the server's recv returns is not what the
// relay's did. A peer's buffers are joined by the relay's own: a sender that fills them blocks a
// few hundred kilobytes later. An urgent byte is not passed on.
package relay
