package lesson

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Progress is what a learner has done.
type Progress struct {
	Lessons map[string]Done `json:"lessons"` // by lesson
	Checks  map[string]Done `json:"checks"`  // by lesson and side, "16 client"

	path string
}

// Done is one thing done.
type Done struct {
	Day       string `json:"day"`                 // 2006-01-02
	Predicted bool   `json:"predicted,omitempty"` // the prediction was right
	Passed    bool   `json:"passed,omitempty"`    // a check passed
}

// progressPath is XDG_STATE_HOME/minissh-lab/progress.json, with that
// specification's default; on Windows below LocalAppData.
func progressPath() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" || !filepath.IsAbs(dir) { // the specification: a relative one is ignored
		if runtime.GOOS == "windows" && os.Getenv("LocalAppData") != "" {
			dir = os.Getenv("LocalAppData")
		} else {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			dir = filepath.Join(home, ".local", "state")
		}
	}
	return filepath.Join(dir, "minissh-lab", "progress.json"), nil
}

// LoadProgress reads what has been done. A file that is not there, or cannot be
// understood, is a fresh start.
func LoadProgress() (*Progress, error) {
	p := &Progress{Lessons: map[string]Done{}, Checks: map[string]Done{}}
	path, err := progressPath()
	if err != nil {
		return p, err
	}
	p.path = path
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	var read Progress
	if json.Unmarshal(data, &read) == nil {
		for name, d := range read.Lessons {
			p.Lessons[name] = d
		}
		for name, d := range read.Checks {
			p.Checks[name] = d
		}
	}
	return p, nil
}

// Today is the day that Done holds.
func Today() string { return time.Now().Format(time.DateOnly) }

// Save writes it whole: another run never reads half a file.
func (p *Progress) Save() error {
	if p.path == "" {
		return errors.New("there is no place to keep progress")
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(p.path), "progress-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(data, '\n'))
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), p.path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
