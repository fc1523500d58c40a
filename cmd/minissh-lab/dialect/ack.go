package dialect

import (
	"errors"
	"strconv"
	"time"
)

// Chapter 14: first the length, as decimal digits; the data only after the client
// has said that it has read the length. One round trip more for each command.
//
//	client -> server   big
//	server -> client   3000
//	client -> server   recv_ready
//	server -> client   3000 bytes
var ack = &Dialect{
	Name: "ack", Chapters: "14", Port: 8080, Kind: Commands,
	Zh:    "十进制长度，等 recv_ready，再发数据",
	En:    "decimal length, wait for recv_ready, then the data",
	serve: serveAck, call: callAck,
}

// AckText is what the course's client says. Other copies say something else, or
// nothing.
const AckText = "recv_ready"

// NoAck as Options.Ack sends no ack: for servers that send the data at once.
const NoAck = "none"

// AckPatience is how long the server waits for an ack before it sends the data
// anyway, since some copies of the client never send one.
const AckPatience = 2 * time.Second

// AckLength is str(n).encode().
func AckLength(n int) []byte { return []byte(strconv.Itoa(n)) }

// ParseAckLength reads the digits at the beginning of b; rest is what stuck to
// them. No digits, or more than nine: a *LengthError.
func ParseAckLength(b []byte, max int64) (n int, rest []byte, err error) {
	end := 0
	for end < len(b) && '0' <= b[end] && b[end] <= '9' {
		end++
	}
	n, err = strconv.Atoi(string(b[:end]))
	if err != nil || end > 9 || int64(n) > max {
		return 0, b, &LengthError{N: -1, Max: max, Bytes: string(b[:min(len(b), 32)])}
	}
	return n, b[end:], nil
}

func serveAck(w *wire) error {
	for {
		line, err := w.nextCommand()
		if err != nil {
			return err
		}
		data := NaiveReply(w.run(line))
		if err := w.reply(AckLength(len(data))); err != nil {
			return err
		}
		// Any answer is taken for the ack. One that comes later than the data is
		// known by its text and skipped by nextCommand.
		_, err = w.recvWithin(w.o.RecvSize, AckPatience)
		if err != nil && !errors.Is(err, ErrSilent) {
			return err
		}
		if err := w.send(data); err != nil {
			return err
		}
	}
}

func callAck(w *wire, line string) (*Reply, error) {
	if err := w.command(line); err != nil {
		return nil, err
	}
	first, err := w.recv(w.o.RecvSize)
	if err != nil {
		return nil, err
	}
	return w.finishAck(first)
}

// finishAck goes on after the recv that held the length.
func (w *wire) finishAck(first []byte) (*Reply, error) {
	n, rest, err := ParseAckLength(first, w.o.MaxData)
	if err != nil {
		return nil, err
	}
	w.unread(rest) // a server without ack: the data has come at once, stuck to the length
	if w.o.Ack != NoAck && len(rest) == 0 {
		if err := w.send([]byte(w.o.Ack)); err != nil {
			return nil, err
		}
	}
	data, err := w.recvExact(n)
	return &Reply{Data: data}, err
}
