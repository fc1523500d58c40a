package lesson

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"minissh/client/options"
)

// Progress is what a learner has done.
type Progress struct {
	Lessons map[string]Done `json:"lessons"`         // by lesson
	Checks  map[string]Done `json:"checks"`          // by lesson and side, "16 client"
	Hints   map[string]int  `json:"hints,omitempty"` // by lesson, how many were shown
	Last    string          `json:"last,omitempty"`  // the lesson that was done last
	ClassID string          `json:"class,omitempty"` // a random id for a teacher's board

	path string // "" when there is no home directory
}

var errNoPlace = errors.New("there is no home directory to keep progress in")

// Done is one thing done.
type Done struct {
	Day       string `json:"day"`                 // 2006-01-02
	Predicted bool   `json:"predicted,omitempty"` // the prediction was right
	Passed    bool   `json:"passed,omitempty"`    // a check passed
}

// LoadProgress reads what has been done. A file that is not there, or cannot be
// understood, is a fresh start.
func LoadProgress() (*Progress, error) {
	p := &Progress{Lessons: map[string]Done{}, Checks: map[string]Done{},
		Hints: map[string]int{}}
	p.path = options.StateFileOf("minissh-lab", "progress.json")
	if p.path == "" {
		return p, errNoPlace
	}
	data, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	var read Progress
	if json.Unmarshal(data, &read) == nil {
		p.Last, p.ClassID = read.Last, read.ClassID
		for name, n := range read.Hints {
			p.Hints[name] = n
		}
		for name, d := range read.Lessons {
			p.Lessons[name] = d
		}
		for name, d := range read.Checks {
			p.Checks[name] = d
		}
	}
	return p, nil
}

// Next is the lesson to do: the first after the last one, all around, that has not been
// done. A newcomer begins with 12, which shows what all of this is about.
func (p *Progress) Next() *Lesson {
	if len(p.Lessons) == 0 {
		return Find("12")
	}
	all := All()
	from := slices.IndexFunc(all, func(l *Lesson) bool { return l.Name == p.Last }) + 1
	for i := range all {
		if l := all[(from+i)%len(all)]; p.Lessons[l.Name].Day == "" {
			return l
		}
	}
	return all[len(all)-1]
}

// Hint counts one hint more of a lesson and returns its index: the last one again when all
// have been shown.
func (p *Progress) Hint(l *Lesson) int {
	n := max(0, min(p.Hints[l.Name], len(l.Hints)-1))
	p.Hints[l.Name] = n + 1
	return n
}

// Today is the day that Done holds.
func Today() string { return time.Now().Format(time.DateOnly) }

// Save writes it whole: another run never reads half a file.
func (p *Progress) Save() error {
	if p.path == "" {
		return errNoPlace
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
