package mux

import (
	"io"
	"time"
)

// Conn is what a link needs of its connection: it carries bytes in order, and a deadline ends a
// Read or Write under way. Every net.Conn is one.
//
// The interfaces below are further abilities that a connection may have. None of them is required:
// each says what a link does without it.
type Conn interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// HalfCloser is a Conn that can close its sending side alone: its peer reads to the end, and may
// still send. Without it, a peer that was told of a violation sees the end a second later (FR7).
type HalfCloser interface {
	CloseWrite() error
}

// Patient is a Conn that itself limits how long a Write waits. A Write that makes no progress for
// as long as stall fails with os.ErrDeadlineExceeded, unless more, which may be nil, says to wait
// as long again. SetPatience returns false if that is impossible. Without it a link sets a deadline
// before each Write, which costs a timer each time and does not wait for a stopped client (RE6).
type Patient interface {
	SetPatience(stall time.Duration, more func() bool) bool
}

// Answering is a Conn that can tell a stopped peer from one that is gone. PeerAnswers says that the
// peer's system has acknowledged something within the given time, whatever the peer itself does;
// false if nobody knows. AnswersKnown says whether anybody can know: not on a Unix socket, and not
// on every system. Without it a stopped client loses its link after 45 seconds (RE6), and a FIN or
// RST counts as the client's own (RE4).
type Answering interface {
	PeerAnswers(within time.Duration) bool
	AnswersKnown() bool
}

// Breaking is a Conn that can be closed without last words to the peer: where nothing is taken any
// more, those take five seconds in crypto/tls. A link that is replaced is closed so.
type Breaking interface {
	Break() error
}

// Noticing is a daemon's Conn that wants to know when it has become the link of a session, which a
// HELLO alone does not make it: BecomesLink is called before WELCOME, with the session's lock held,
// so it calls no method of the session.
type Noticing interface {
	BecomesLink()
}

// TryWriter is a stream that can be written to without waiting, as Channel.Sink needs it. TryWrite
// returns how many bytes of p it took; the caller passes the others to Write, which also reports
// errors. Without it each key wakes one more goroutine on its way.
type TryWriter interface {
	TryWrite(p []byte) int
}
