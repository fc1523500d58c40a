// Package mux carries channels over a session, and a session over one link after another (the rules
// CH, SE and RE).
//
// A Session is what both ends share from the first HELLO to GOODBYE. Connect on the client and
// Accept on the daemon give it a link (over a Conn, see conn.go); a link may be lost, and another
// follow. A Channel is one thing being done.
//
// Who runs what, for each link: one goroutine reads (it never writes and never waits for an
// application), one writes. Whoever is in link.step numbers frames and writes them, one goroutine
// at a time: the writer, or a Write that finds nobody there. Session.mu guards everything they
// share. Applications call Open, Next, Write and Send from goroutines of their own; only those
// calls wait.
//
// Reading order, the way a byte travels: channel.go (Write), writer.go (a frame is built and
// numbered), resend.go (it is kept), link.go (a connection comes and goes), hold.go (a daemon's
// session without one), alive.go (signs of life), receive.go (it is counted and delivered),
// inbox.go (it waits for the application), window.go (credit). session.go holds the state and the
// one function that ends it all; registry.go is the daemon's table of sessions, tombs.go
// what it remembers of those that have ended, queue.go what most of them wait in.
//
// What one peer can make a session hold at most, with 64 channels, when neither the applications
// nor the peer read anything:
//
//	the requests of open channels   1 MiB of JSON (CH2), up to 9 times that when decoded    9 MiB
//	SIGNALs, or NOTICEs, and sizes  16 of 256 bytes for each channel (CH10)               0.5 MiB
//	frames other than data to send  one of a kind for each channel: 56 KiB (FR5)          3.5 MiB
//	data received                   256 KiB for each channel, in blocks that are 3/4 full  21 MiB
//	the same, of windows that grew  64 MiB, out of the Budget that users share             85 MiB
//	data to send                    4 KiB for each stream, and 256 KiB for each of 8        3 MiB
//	buffers of the link                                                                     1 MiB
//
// TestWorstSession measures it, except for the window that grew. A channel that both ends have
// closed leaves nothing behind.
//
// It does not know processes, keys or TLS, and it does not dial.
package mux
