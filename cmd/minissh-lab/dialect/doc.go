// Package dialect speaks the course's dialects, as server and as client.
//
// 每一章一个小文件：怎么编码、怎么一问一答，别的什么都没有。
// One small file for each chapter: codec and exchange, nothing else.
//
//	echo.go      6-9    bytes, and the same bytes in upper case
//	naive.go     11-12  command, then stdout and stderr, with no boundary
//	ack.go       14     decimal length, wait for recv_ready, data
//	simple.go    15     i32 length, data
//	ultimate.go  16     i32 length of a header, JSON header, data
//	file.go      17-18  "get a.txt", "put a.txt"
//	oo.go        19     the same with a framed put and a JSON list for get
//	udp.go       20     datagrams: upper case
//	udpexec.go   20     datagrams: a command
//
// Below them: length.go (struct.pack 'i'), header.go (Python's json.dumps),
// wire.go (one recv, recv exactly, one send), guess.go (--dialect auto).
//
// # API in short
//
//	dialect.All []*Dialect             the table, in the course's order
//	dialect.Find("simple")             one row: Name, Chapters, Port, Datagram, Kind, Zh, En
//	(*Dialect).Serve(ctx, conn, o)     one accepted stream connection, until the peer leaves
//	(*Dialect).ServePacket(ctx, pc, o) one UDP socket, until ctx ends
//	NewClient(conn, d, o)              d == nil: guess from the first answer (auto)
//	(*Client).Exchange(ctx, line)      one command as typed ("ls", "get a.txt") -> *Reply
//	(*Client).Dialect()                what is spoken (nil while auto has not guessed)
//	Options                            byte order, encoding, recv size, pace, folder, shell, …
//	Reply                              Data, Header, Saved, Sent
//	Event                              each recv, send and remark, as it happens (Options.Events)
//	Explain(err)                       what went wrong and a hint, 中文 and English
//
// Messages, as pure functions on bytes (for tests, lessons and the chaos peer):
//
//	EncodeLength(bigEndian, n)                                struct.pack('i', n)
//	DecodeLength(bigEndian, b, max)                           the same back, within 0 to max
//	Upper(b)                                                  bytes.upper()
//	NaiveReply(stdout, stderr)
//	AckLength(n) / ParseAckLength(b) / AckText
//	SimpleReply(bigEndian, stdout, stderr)
//	EncodeFields(fields...)                                   json.dumps of a dict, byte for byte
//	EncodeList("get", "a.txt")                                json.dumps of a list of strings
//	Superset(name, md5, size, errText)                        the header every copy understands
//	Frame(bigEndian, json)                                    i32 length + JSON, in one slice
//	ParseHeader(json) (*Header, error)                        any copy's key names
//	UltimateReply(bigEndian, name, stdout, stderr)
//	FileCommand("get", "a.txt") / SplitPut(bigEndian, b)      chapters 17-18
//	Guess(first, command) (*Dialect, bigEndian, certain)
//
// Neighbours: package playshell is the played shell (it never starts a process),
// package folder the guarded directory, package server the listeners, package
// speak the two languages and the quoting of text from the other side.
//
// What the package does not do: it opens no socket, starts no process and no
// goroutine that outlives a call.
package dialect
