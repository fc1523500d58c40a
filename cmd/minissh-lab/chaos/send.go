package chaos

import (
	"context"
	"net"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/dialect"
)

// patience is how long a piece may stay unread before the next one is sent after
// all: a peer that waits for something else must not stop the schedule.
const patience = 200 * time.Millisecond

// pause is how long to wait instead where the peer cannot be seen reading.
const pause = 15 * time.Millisecond

// Send writes the pieces in order, each in one write, and lets the peer read every
// one before the next. It returns how many were written.
func Send(ctx context.Context, conn net.Conn, pieces [][]byte) (int, error) {
	for i, p := range pieces {
		if i > 0 {
			Separated(ctx, conn)
		}
		if err := ctx.Err(); err != nil {
			return i, err
		}
		if _, err := conn.Write(p); err != nil {
			return i, err
		}
	}
	return len(pieces), nil
}

// Separated returns when the peer has read all that was sent, or does not seem to
// want to.
func Separated(ctx context.Context, conn net.Conn) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if probe.Consumed(wait, conn) || wait.Err() != nil {
		return
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// The lengths that a careless program believes.
const (
	MinusOne = -1
	Huge     = 1<<31 - 1
)

// HostileLength is n as the course's four bytes.
func HostileLength(bigEndian bool, n int32) []byte { return dialect.EncodeLength(bigEndian, n) }

// Truncated are the beginnings of message after which the connection ends: inside
// the length, after it, inside the JSON, inside the data.
func Truncated(message []byte, m Marks) [][]byte {
	var all [][]byte
	for _, at := range distinct(len(message), m.Length-2, m.Length, (m.Length+m.JSON)/2, m.JSON,
		(max(m.Length, m.JSON)+len(message))/2) {
		all = append(all, message[:at])
	}
	return all
}
