package fanout

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Last is what --failed needs to know of the run before.
type Last struct {
	Failed  []protocol.Bytes `json:"failed"`
	Words   []protocol.Bytes `json:"words"` // its options
	Command []protocol.Bytes `json:"command"`
}

// NewLast is for hosts and words.
func NewLast(failed, words, command []string) Last {
	return Last{texts[string, protocol.Bytes](failed), texts[string, protocol.Bytes](words),
		texts[string, protocol.Bytes](command)}
}

// Texts are the three as they were.
func (l Last) Texts() (failed, words, command []string) {
	return texts[protocol.Bytes, string](l.Failed), texts[protocol.Bytes, string](l.Words),
		texts[protocol.Bytes, string](l.Command)
}

func texts[From, To ~string | ~[]byte](from []From) []To {
	to := make([]To, len(from))
	for i, text := range from {
		to[i] = To(string(text))
	}
	return to
}

// mostLast is how long the file may be, in bytes.
const mostLast = 8 << 20

// SaveLast remembers a run, for this user alone. It does not matter whether it can.
func SaveLast(l Last) {
	file := options.StateFile("last-on.json")
	text, err := json.Marshal(l)
	if file == "" || err != nil || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "last-on-")
	if err != nil {
		return
	}
	_, err = temporary.Write(text)
	if errors.Join(err, temporary.Close()) != nil || os.Rename(temporary.Name(), file) != nil {
		os.Remove(temporary.Name())
	}
}

// ReadLast is what SaveLast remembered.
func ReadLast() (Last, error) {
	var l Last
	f, err := os.Open(options.StateFile("last-on.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return l, report.Failed(err, "minissh on HOSTS COMMAND", "there was no run before this one")
	}
	if err == nil {
		defer f.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(f, mostLast)); err == nil {
			err = json.Unmarshal(text, &l)
		}
	}
	if err != nil {
		return l, report.Failed(err, "minissh on HOSTS COMMAND", "the last run cannot be read: %v",
			report.Plain(err))
	}
	return l, nil
}
