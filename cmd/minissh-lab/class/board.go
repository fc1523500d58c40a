package class

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"minissh/cmd/minissh-lab/speak"
)

// Limits of a board.
const (
	MaxRows  = 4000 // results: 400 students with ten lessons each
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
	ID     string `json:"id,omitempty"`   // see doc.go, rule 3
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

// key is what a newer report replaces.
type key struct {
	student
	lesson, side string
}

// Board is the table and the vote. It may be used by several goroutines.
type Board struct {
	PerAddress int // students, and votes, that one address may bring; PerAddress by default

	lessons   []string // in the course's order
	questions []Question
	changed   chan struct{} // has one in it when something has changed

	mu      sync.Mutex          // owns what follows
	rows    map[key]Report      // the newest
	members map[student]*member // who has reported
	shares  map[string]int      // members by their first address
	poll    *poll               // the last vote, nil before the first
}

// NewBoard is an empty board for these lessons, whose class may vote on these questions.
func NewBoard(lessons []string, questions []Question) *Board {
	return &Board{PerAddress: PerAddress, lessons: lessons, questions: questions,
		changed: make(chan struct{}, 1), rows: map[key]Report{}, members: map[student]*member{},
		shares: map[string]int{}}
}

// Changed gets a value when something has changed since the last one was taken.
func (b *Board) Changed() <-chan struct{} { return b.changed }

// Redraw makes Changed get a value.
func (b *Board) Redraw() { b.change() }

func (b *Board) change() {
	select {
	case b.changed <- struct{}{}:
	default: // whoever looks sees this change, too
	}
}

// Add checks a report from an address ("" is this machine) and keeps it, in place of an earlier one
// of the same student, lesson and side. It returns the report as the board shows it.
func (b *Board) Add(r Report, from string) (Report, error) {
	r, err := r.clean(b.lessons)
	if err != nil {
		return r, err
	}
	if r.ID, err = cleanID(r.ID, from); err != nil {
		return r, err
	}
	s := student{r.Name, r.ID}
	k := key{s, r.Lesson, r.Side}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.rows[k]; !known && len(b.rows) >= MaxRows {
		return r, fmt.Errorf("the board is full")
	}
	m, err := b.join(s, from)
	if err != nil {
		return r, err
	}
	if m.reports++; m.reports > MaxReports {
		return r, fmt.Errorf("%d reports of one student are enough", MaxReports)
	}
	b.rows[k] = r
	b.change()
	r.Name = b.label(s)
	return r, nil
}

// Render draws the board: a row for each student, a column for each lesson that
// somebody has tried; S and C for server and client, a small letter where cases
// fail. Where columns of a terminal are given (0: not known) and suffice, it is folded in two.
func (b *Board) Render(lang speak.Lang, columns int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	students, lessons := b.tried()
	first := MaxName + 2 // width of the names' column
	for _, s := range students {
		first = max(first, speak.Width(b.label(s))+2)
	}
	wide := first
	head := pad(lang.Text("名字", "name"), wide)
	for _, l := range lessons {
		head += pad(l, columnOf(l))
		wide += columnOf(l)
	}
	rows := len(students)
	if folded := (rows + 1) / 2; columns > 2*wide && rows > 1 {
		head += foldGap + head
		rows = folded
	}
	var out strings.Builder
	out.WriteString(strings.TrimRight(head, " ") + "\n")
	for i := range rows {
		line := ""
		for ; i < len(students); i += rows {
			if line != "" {
				line += foldGap
			}
			name := b.label(students[i])
			line += InLine(name) + strings.Repeat(" ", first-speak.Width(name))
			for _, l := range lessons {
				line += pad(b.cell(students[i], l), columnOf(l))
			}
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// foldGap is between the halves of a folded board.
const foldGap = " "

// tried are the students in order, and the lessons that somebody has tried; mu is held.
func (b *Board) tried() (students []student, lessons []string) {
	seen := map[string]bool{}
	for k := range b.rows {
		seen[k.lesson] = true
	}
	for s := range b.members {
		students = append(students, s)
	}
	slices.SortFunc(students, func(x, y student) int {
		return cmp.Or(cmp.Compare(x.name, y.name),
			cmp.Compare(b.members[x].number, b.members[y].number))
	})
	for _, l := range b.lessons {
		if seen[l] {
			lessons = append(lessons, l)
		}
	}
	return students, lessons
}

// Stuck says where most of those are who have not passed a check yet, a line for each check that
// somebody tried and has not passed: "15a client: 14 of 30 stuck on chaos".
func (b *Board) Stuck(lang speak.Lang) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out strings.Builder
	for _, l := range b.lessons {
		for _, side := range sides {
			tried, cases := 0, map[string]int{}
			for k, r := range b.rows {
				if k.lesson != l || k.side != side.name {
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
			if most == "" {
				continue
			}
			out.WriteString(lang.Text(
				fmt.Sprintf("%s %s：%d 人里有 %d 人卡在 %s", l, side.zh, tried, cases[most], most),
				fmt.Sprintf("%s %s: %d of %d stuck on %s", l, side.name, cases[most], tried,
					most)) + "\n")
		}
	}
	return out.String()
}

// sides are the two that a check can be about, with their marks on the board.
var sides = []struct{ name, zh, ok, bad string }{{"server", "服务端", "S", "s"},
	{"client", "客户端", "C", "c"}}

func columnOf(lesson string) int { return max(len(lesson), 2) + 2 }

// cell is one student's results of one lesson; mu is held.
func (b *Board) cell(s student, lesson string) string {
	cell := ""
	for _, side := range sides {
		r, known := b.rows[key{s, lesson, side.name}]
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
