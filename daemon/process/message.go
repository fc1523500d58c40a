package process

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// MaxMessage is the longest message between a daemon and its helpers, in bytes of JSON: a command
// of 1 MiB that is not text (EX1), with its environment.
const MaxMessage = 4 << 20

// WriteMessage sends a helper, or its daemon, a message as JSON, with its length before it.
func WriteMessage(w io.Writer, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// ReadMessage takes one. Memory is used for what comes, not for what is announced.
func ReadMessage(r io.Reader, message any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > MaxMessage {
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
