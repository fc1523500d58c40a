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
)

// Last is what --failed needs to know of the run before.
type Last struct {
	Failed  []string `json:"failed"`
	Words   []string `json:"words"` // its options
	Command []string `json:"command"`
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
