package class

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"minissh/cmd/minissh-lab/speak"
)

// Question is a lesson's prediction, in the class's language.
type Question struct {
	Lesson, Text string
	About        string   // what is about to run
	Code         []string // the lines that it is about
	Options      []string
	Right        int // the index of the option that comes true
}

// Poll is a vote at one moment.
type Poll struct {
	Question
	Counts []int // for each option
	Votes  int
	Open   bool // votes are taken
	Shown  bool // the teacher has shown what is right
}

// poll is the board's vote.
type poll struct {
	question    Question
	votes       map[string]int // by id: the option's index
	shares      map[string]int // votes by address
	open, shown bool
}

// ErrNoVote is a board without an open vote.
var ErrNoVote = errors.New("there is no vote")

// OpenVote begins a vote on a lesson's question, in place of an earlier one. It is false when the
// lesson has none.
func (b *Board) OpenVote(lesson string) bool {
	i := slices.IndexFunc(b.questions, func(q Question) bool { return q.Lesson == lesson })
	if i < 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.poll = &poll{question: b.questions[i], votes: map[string]int{}, shares: map[string]int{},
		open: true}
	b.change()
	return true
}

// CloseVote takes no more votes. With show, what is right is shown, too.
func (b *Board) CloseVote(show bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.poll != nil {
		b.poll.open = false
		b.poll.shown = b.poll.shown || show
		b.change()
	}
}

// EndVote takes the vote away.
func (b *Board) EndVote() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.poll = nil
	b.change()
}

// vote takes one id's vote, from 1, on a lesson's question.
func (b *Board) vote(lesson string, option int, id, from string) error {
	id, err := cleanID(id, from)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch p := b.poll; {
	case p == nil || !p.open:
		return ErrNoVote
	case p.question.Lesson != lesson:
		return fmt.Errorf("the vote is on lesson %s", p.question.Lesson)
	case option < 1 || option > len(p.question.Options):
		return fmt.Errorf("a vote is from 1 to %d", len(p.question.Options))
	default:
		if _, known := p.votes[id]; !known {
			if len(p.votes) >= MaxStudents {
				return errors.New("too many votes")
			}
			if err := b.share(p.shares, from); err != nil {
				return err
			}
		}
		p.votes[id] = option - 1
	}
	b.change()
	return nil
}

// Poll is the vote as it is now; false when there was none.
func (b *Board) Poll() (Poll, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.poll == nil {
		return Poll{}, false
	}
	p := Poll{Question: b.poll.question, Counts: make([]int, len(b.poll.question.Options)),
		Votes: len(b.poll.votes), Open: b.poll.open, Shown: b.poll.shown}
	for _, option := range b.poll.votes {
		p.Counts[option]++
	}
	return p, true
}

// chosen is the option that an id has voted for, from 0; -1 if none.
func (b *Board) chosen(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.poll != nil {
		if option, voted := b.poll.votes[id]; voted {
			return option
		}
	}
	return -1
}

// barWidth is the longest bar in a terminal, in columns.
const barWidth = 30

// Hands draws the vote for a terminal of so many columns, 0 if that is not known. Without a vote it
// is empty.
func (b *Board) Hands(lang speak.Lang, columns int) string {
	p, ok := b.Poll()
	if !ok {
		return ""
	}
	var out strings.Builder
	say := func(text string) {
		for line := range strings.SplitSeq(text, "\n") {
			out.WriteString(strings.Join(speak.Wrap(line, columns-1), "\n") + "\n")
		}
	}
	say(p.state(lang))
	say(p.About)
	for _, line := range p.Code {
		out.WriteString("    " + line + "\n")
	}
	say(p.Text)
	for i, option := range p.Options {
		bar := ""
		if p.Votes > 0 {
			bar = strings.Repeat("█", p.Counts[i]*barWidth/p.Votes)
		}
		mark := "  "
		if p.Shown && i == p.Right {
			mark = "✓ "
		}
		option = strings.Join(speak.Wrap(option, columns-6), "\n     ")
		fmt.Fprintf(&out, "%s%d) %s\n     %s%4d\n", mark, i+1, option, pad(bar, barWidth),
			p.Counts[i])
	}
	return out.String()
}

// state says how far the vote is.
func (p Poll) state(lang speak.Lang) string {
	n := fmt.Sprint(p.Votes)
	switch {
	case p.Open:
		return lang.Text("第 "+p.Lesson+" 课，正在投票："+n+" 票",
			"Lesson "+p.Lesson+", the vote is open, votes: "+n)
	case !p.Shown:
		return lang.Text("第 "+p.Lesson+" 课，投票结束："+n+" 票",
			"Lesson "+p.Lesson+", the vote is closed, votes: "+n)
	}
	return lang.Text("第 "+p.Lesson+" 课，揭晓："+n+" 票",
		"Lesson "+p.Lesson+", the answer, votes: "+n)
}
