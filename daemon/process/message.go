package process

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The longest messages between a daemon and its helpers, in bytes of JSON. A helper may be told a
// command of 1 MiB that is not text (EX1), with its environment. What it says is the account's, and
// the daemon holds it.
const (
	MaxOrder  = 8 << 20
	MaxAnswer = 64 << 10
)

// WriteMessage sends a helper, or its daemon, a message as JSON, with its length before it.
func WriteMessage(w io.Writer, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// ReadMessage takes one of at most so many bytes. Memory is used for what comes, not for what is
// announced.
func ReadMessage(r io.Reader, most int, message any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if int64(n) > int64(most) {
		return fmt.Errorf("a message of %d bytes", n)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(n)))
	switch {
	case err != nil:
		return err
	case len(text) < int(n):
		return io.ErrUnexpectedEOF
	}
	return json.Unmarshal(text, message)
}
