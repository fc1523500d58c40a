package editor

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"minissh/client/terminal"
)

// Completion is what Tab can put in place of the word before the cursor.
type Completion struct {
	From       int // where the word begins, in bytes
	Candidates []Candidate
}

// Candidate is one of the texts that a word can become.
type Candidate struct {
	// Text replaces the word. It is what a user would type: with quotes and, when nothing more can
	// belong to the word, a blank at its end. What is not UTF-8 cannot be typed and does not count.
	Text string
	// Display is how it is listed; "": as Text. It may be anything: it is quoted for the terminal.
	Display string
}

const (
	// completeTime is how long Tab waits for candidates.
	completeTime = time.Second
	// mostListed is how many candidates are listed without a question.
	mostListed = 100
)

// tab is the Tab key: it inserts what all candidates have in common. Again, when nothing more can
// be inserted, it lists them.
func (e *Editor) tab() error {
	if e.complete == nil {
		return nil
	}
	before := string(e.line[:e.pos])
	found, err := e.ask(string(e.line), len(before))
	if err != nil {
		return err
	}
	candidates := slices.DeleteFunc(slices.Clone(found.Candidates),
		func(c Candidate) bool { return !utf8.ValidString(c.Text) })
	slices.SortStableFunc(candidates,
		func(a, b Candidate) int { return cmp.Compare(a.Text, b.Text) })
	candidates = slices.CompactFunc(candidates,
		func(a, b Candidate) bool { return a.Text == b.Text })
	if found.From < 0 || found.From > len(before) || len(candidates) == 0 {
		e.bell()
		return nil
	}
	word, text := before[found.From:], common(candidates)
	switch {
	case text != word && (len(candidates) == 1 || strings.HasPrefix(text, word)):
		e.replace(utf8.RuneCountInString(before[:found.From]), e.pos, []rune(text)...)
		if len(candidates) > 1 {
			e.bell()
		}
	case len(candidates) == 1:
	case e.last != keyTab:
		e.bell()
	default:
		return e.list(candidates)
	}
	return nil
}

// common is what the candidates, which are sorted, begin with.
func common(candidates []Candidate) string {
	first, last := candidates[0].Text, candidates[len(candidates)-1].Text
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	for n < len(first) && n > 0 && !utf8.RuneStart(first[n]) {
		n--
	}
	return first[:n]
}

func (e *Editor) bell() { io.WriteString(e.scr.out, "\a") }

// answer is what Config.Complete said.
type answer struct {
	Completion
	panicked any
}

// ask asks for candidates, for at most completeTime. Keys that are typed meanwhile take effect
// after that, and Ctrl-C ends it. Nobody waits for what has not answered in time.
func (e *Editor) ask(line string, pos int) (Completion, error) {
	ctx, cancel := context.WithTimeout(e.ctx, completeTime)
	defer cancel()
	ended, end := context.WithCancel(ctx)
	answers := make(chan answer, 1)
	go func() {
		defer end()
		var a answer
		defer func() {
			a.panicked = recover() // for the one who has the terminal
			answers <- a
		}()
		a.Completion = e.complete(ctx, line, pos)
	}()
	e.in.done = ended.Done()
	defer func() { e.in.done = nil }()
	for ended.Err() == nil && bytes.IndexByte(e.buf, ctrlC) < 0 {
		if err := e.fill(); err == io.EOF {
			<-ended.Done() // the end of the input comes again
		} else if err != nil {
			return Completion{}, err
		}
	}
	select {
	case a := <-answers:
		if a.panicked != nil {
			panic(a.panicked)
		}
		if ctx.Err() == nil { // else it has not ended by itself
			return a.Completion, nil
		}
	default:
	}
	return Completion{}, nil
}

// list shows candidates above the line.
func (e *Editor) list(candidates []Candidate) error {
	if len(candidates) > mostListed {
		yes, err := e.confirm(fmt.Sprintf("Display all %d? (y or n) ", len(candidates)))
		if !yes || err != nil {
			return err
		}
	}
	var names []string
	for _, c := range candidates {
		name := cmp.Or(c.Display, strings.TrimSuffix(c.Text, " "))
		names = append(names, terminal.Printable(name))
	}
	columns, _ := e.scr.size()
	e.leave()
	for _, row := range inColumns(names, columns) {
		io.WriteString(e.scr.out, row+"\r\n")
	}
	return nil
}

// confirm asks below the line; any key but y and the blank is no.
func (e *Editor) confirm(question string) (bool, error) {
	e.leave()
	label, style := e.scr.label, e.scr.style
	e.view = func() { e.scr.label, e.scr.style, e.scr.line, e.scr.pos = question, "", nil, 0 }
	key, err := e.key()
	e.leave()
	e.view, e.scr.label, e.scr.style = nil, label, style
	return key == 'y' || key == 'Y' || key == ' ', err
}

// inColumns arranges names in rows of a screen, as ls does.
func inColumns(names []string, columns int) []string {
	const gap = 2
	widest := 0
	for _, name := range names {
		widest = max(widest, terminal.Columns(name))
	}
	across := max(1, (columns-1+gap)/(widest+gap))
	down := (len(names) + across - 1) / across
	rows := make([]string, down)
	for i := range rows {
		for at := i; at < len(names); at += down {
			name := cut(names[at], max(1, columns-1))
			if rows[i] += name; at+down < len(names) {
				rows[i] += strings.Repeat(" ", widest+gap-terminal.Columns(name))
			}
		}
	}
	return rows
}
