package class

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"minissh/cmd/minissh-lab/speak"
)

// Limits of a board.
const (
	MaxName  = 24   // columns of a name
	MaxRows  = 2000 // results: about 60 students with all lessons
	MaxCases = 1000 // cases that one report may count
	maxLine  = 1024 // bytes of one report

	maxCaseName = 20 // bytes of a case's name
)

// caseLetters are those of the cases' names.
const caseLetters = "abcdefghijklmnopqrstuvwxyz0123456789-"

// Report is what one check tells.
type Report struct {
	Class  int    `json:"class"` // 1: the version of this format
	Name   string `json:"name"`
	Lesson string `json:"lesson"`
	Side   string `json:"side"` // server or client
	Passed int    `json:"passed"`
	Failed int    `json:"failed"`
	Case   string `json:"case,omitempty"` // the first that failed, as `check --only` names it
}

// OK reports a check that passed.
func (r Report) OK() bool { return r.Failed == 0 && r.Passed > 0 }

// clean checks a report and makes its name harmless. lessons are the names that
// exist.
func (r Report) clean(lessons []string) (Report, error) {
	switch {
	case r.Class != 1:
		return r, fmt.Errorf("class %d is not known here", r.Class)
	case !slices.Contains(lessons, r.Lesson):
		return r, fmt.Errorf("no lesson %s", speak.QuoteShort([]byte(r.Lesson), 16))
	case r.Side != "server" && r.Side != "client":
		return r, fmt.Errorf("side %s: want server or client", speak.QuoteShort([]byte(r.Side), 16))
	case r.Passed < 0 || r.Failed < 0 || r.Passed > MaxCases || r.Failed > MaxCases:
		return r, fmt.Errorf("impossible numbers")
	case len(r.Case) > maxCaseName || strings.Trim(r.Case, caseLetters) != "":
		return r, fmt.Errorf("case %s is not one", speak.QuoteShort([]byte(r.Case), 16))
	}
	r.Name = cleanName(r.Name)
	if r.Name == "" {
		return r, fmt.Errorf("a name is wanted")
	}
	return r, nil
}

// cleanName keeps letters, digits and a few marks: nothing that a terminal obeys,
// nothing that stacks or turns around what is next to it.
func cleanName(name string) string {
	var b strings.Builder
	width := 0
	for _, r := range name {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
			!strings.ContainsRune(" -_.@·", r) || unicode.In(r, unicode.Arabic, unicode.Hebrew) {
			r = '?'
		}
		if width += speak.Width(string(r)); width > MaxName {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// key is what a newer report replaces.
type key struct{ name, lesson, side string }

// Board is the table. It may be used by several goroutines.
type Board struct {
	lessons []string // in the course's order

	mu   sync.Mutex
	rows map[key]Report // owned by mu
}

// NewBoard is an empty board for these lessons.
func NewBoard(lessons []string) *Board {
	return &Board{lessons: lessons, rows: map[key]Report{}}
}

// Add checks a report and keeps it, in place of an earlier one of the same student,
// lesson and side. It returns the report as it is kept.
func (b *Board) Add(r Report) (Report, error) {
	r, err := r.clean(b.lessons)
	if err != nil {
		return r, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{r.Name, r.Lesson, r.Side}
	if _, known := b.rows[k]; !known && len(b.rows) >= MaxRows {
		return r, fmt.Errorf("the board is full")
	}
	b.rows[k] = r
	return r, nil
}

// Render draws the board: a row for each student, a column for each lesson that
// somebody has tried; S and C for server and client, a small letter where cases
// fail.
func (b *Board) Render(lang speak.Lang) string {
	names, lessons := b.tried()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out strings.Builder
	head := pad(lang.Text("名字", "name"), MaxName+2)
	for _, l := range lessons {
		head += pad(l, columnOf(l))
	}
	out.WriteString(strings.TrimRight(head, " ") + "\n")
	for _, n := range names {
		line := pad(n, MaxName+2)
		for _, l := range lessons {
			line += pad(b.cell(n, l), columnOf(l))
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// tried are the students in order, and the lessons that somebody has tried.
func (b *Board) tried() (names, lessons []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[string]bool{}
	for k := range b.rows {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
		seen[k.lesson] = true
	}
	slices.Sort(names)
	for _, l := range b.lessons {
		if seen[l] {
			lessons = append(lessons, l)
		}
	}
	return names, lessons
}

// Stuck says where most of those are who have not passed a lesson yet, a line for each lesson that
// somebody tried: "15a  14 / 30: chaos".
func (b *Board) Stuck(lang speak.Lang) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out strings.Builder
	for _, l := range b.lessons {
		tried, cases := 0, map[string]int{}
		for k, r := range b.rows {
			if k.lesson != l {
				continue
			}
			if tried++; !r.OK() && r.Case != "" {
				cases[r.Case]++
			}
		}
		most := ""
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			if most == "" || cases[name] > cases[most] {
				most = name
			}
		}
		if most != "" {
			out.WriteString(lang.Text(
				fmt.Sprintf("%s：%d 份里有 %d 份卡在 %s", l, tried, cases[most], most),
				fmt.Sprintf("%s: %d of %d stick on %s", l, cases[most], tried, most)) + "\n")
		}
	}
	return out.String()
}

func columnOf(lesson string) int { return max(len(lesson), 2) + 2 }

// cell is one student's results of one lesson; mu is held.
func (b *Board) cell(name, lesson string) string {
	cell := ""
	for _, side := range []struct{ name, ok, bad string }{{"server", "S", "s"},
		{"client", "C", "c"}} {
		r, known := b.rows[key{name, lesson, side.name}]
		switch {
		case known && r.OK():
			cell += side.ok
		case known:
			cell += side.bad
		}
	}
	return cell
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(1, n-speak.Width(s))) }
