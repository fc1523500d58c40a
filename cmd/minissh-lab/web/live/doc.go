// Package live runs a command out of a fixed list over minissh's own protocol, the
// daemon and the client both in this process, and records it like package record:
//
//	command.go   the list, and nothing else can be run
//	live.go      one run: throw-away keys, a daemon for one connection, the client's end
//	tap.go       what goes through the TCP connection below TLS: sends, segments, recvs
//	place.go     which byte of a frame lies where in the TLS records
//	label.go     the parts of each frame, decoded
//
// The lab owns both ends, so it sees the frames inside TLS. TLS 1.3 puts five bytes
// before and seventeen after each record's text and encrypts byte for byte, so that
// each byte of a frame has one place on the wire, and its send, segment and recv are known.
package live
