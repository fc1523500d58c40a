// Package tape is a recorded run: what passed between a learner's client and server, in which
// pieces and when.
//
//	tape.go      Event, Tape: what is kept, its bounds, how to follow it while it grows
//	file.go      a run as a file: Header, Writer, Read
//	decode.go    Decoder: the course's lengths and headers in the bytes, by guess or on demand
//	stream.go    one direction of a Decoder
//
// # The file
//
// A run is JSON Lines: UTF-8, one object a line, each line ended by "\n" and at most MaxLine
// bytes long. The first line is the header, every other line an event, in the order of time.
//
//		{"minissh-lab": "run", "version": 1, "began": "2026-11-30T09:00:00Z", "title": "mine"}
//		{"conn": 1, "at": 0, "kind": "open"}
//		{"conn": 1, "at": 812, "kind": "data", "way": "up", "data": "bHM=", "segments": 1}
//		{"conn": 1, "at": 95120, "kind": "end", "way": "up"}
//
//	 1. version is 1. Another one is refused: nothing of it is guessed. Unknown keys are refused.
//	 2. conn counts connections from 1, without gaps: each begins with its "open".
//	 3. at is microseconds since the run began; it never goes back.
//	 4. way is "up" (client to server) or "down"; "open", "refused" and "full" have none.
//	 5. data is base64, 1 to MaxPiece bytes, and only in a "data" event: what one read of the
//	    relay returned. segments is how many TCP segments carried it, left out if not known.
//	 6. After "end" (FIN) a direction has no data; after "reset" (RST) or "refused" (the server
//	    could not be reached) its connection has no events.
//	 7. "full" is the last event of a run that reached a bound: more passed, and was not recorded.
//
//	 8. "send" and "recv" are calls that a tracer saw in the programs: "size" is what the call
//	    returned, "ask" the n of recv(n), left out if not known; "way" is that of the bytes. They
//	    come after everything else, in an order of time of their own, at most MaxCalls of them,
//	    and may be of a connection that is over.
//
// A file comes from anybody. Read keeps to MaxBytes, MaxEvents and MaxConns, which a Tape keeps to
// as well, checks every rule above, and says in which line one is broken. What is in data and in
// title is quoted wherever it is shown.
//
// What the package does not do: it opens no socket, starts nothing, and prints nothing.
package tape
