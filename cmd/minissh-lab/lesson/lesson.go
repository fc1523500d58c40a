package lesson

import (
	"fmt"
	"slices"
)

// Text is one thing said in both languages.
type Text struct{ Zh, En string }

// t is a Text.
func t(zh, en string) Text { return Text{zh, en} }

// f formats both languages with the same arguments.
func f(zh, en string, args ...any) Text {
	return Text{fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...)}
}

// Lesson is one lesson, named by the course's chapter.
type Lesson struct {
	Name  string
	Title Text
	Run   Text   // what is about to run
	Code  string // the lines of Python it is about; a comment is `# 中文 / English`
	Ask   Question

	// Play runs it and shows what happened. It returns the option of Ask that came
	// true.
	Play func(*Stage) (int, error)

	Why      Text
	Change   Text // what to change, and what to watch
	Knob     Knob // the change, by a command
	Quiz     *Quiz
	Exercise Text
	Check    string  // a command line that checks the exercise, "" for none
	Hints    [3]Text // for the exercise, from a question to nearly the answer
}

// Question is asked before the run.
type Question struct {
	Text
	Options []Option
}

// Option is one of the predictions. Answer is for who believed it and was wrong; the right
// one has none: it is what a run shows on a system that can show it. Play has the last word.
type Option struct{ Text, Answer Text }

// right is the option that comes true.
func right(zh, en string) Option { return Option{Text: t(zh, en)} }

// wrong is an option that does not, with the answer to its belief.
func wrong(zh, en, answerZh, answerEn string) Option {
	return Option{t(zh, en), t(answerZh, answerEn)}
}

// Right is the index of the option that comes true.
func (q Question) Right() int {
	return slices.IndexFunc(q.Options, func(o Option) bool { return o.Answer == Text{} })
}

// Quiz is asked after the run: a number or a word. Measure finds the answer on
// real sockets, with the program changed as the question says; Why explains it.
type Quiz struct {
	Text
	Measure func(*Stage) (string, error)
	Why     Text
}

// All are the lessons in the course's order, then those beyond it, then the last one.
func All() []*Lesson {
	course := []*Lesson{
		&families, &echo, &loop, &endings, &twoClients, &naiveSSH, &leftover, &stuck, &nagle,
		&framings, &ackVersion, &simpleVersion, &byteOrder, &ultimateVersion, &getPut,
		&objectOriented, &udp,
	}
	return append(append(course, Beyond()...), &own)
}

// Beyond are the lessons that go beyond the course.
func Beyond() []*Lesson {
	return []*Lesson{&partialSend, &halfClose, &manyClients, &httpAndWebSocket, &tlsRecords,
		&hostileLengths}
}

// Find returns the lesson of that name, or nil. A chapter inside a range finds its
// lesson: 3 finds 1-5, 18 finds 17-18; 13 finds its first half.
func Find(name string) *Lesson {
	for _, l := range All() {
		if l.Name == name {
			return l
		}
	}
	inside := map[string]string{
		"1": "1-5", "2": "1-5", "3": "1-5", "4": "1-5", "5": "1-5", "10": "11", "13": "13a",
		"14": "14a", "15": "15a", "17": "17-18", "18": "17-18",
	}
	if whole := inside[name]; whole != "" {
		return Find(whole)
	}
	return nil
}

// next is the lesson after l, nil after the last.
func next(l *Lesson) *Lesson {
	all := All()
	for i, other := range all {
		if other == l && i+1 < len(all) {
			return all[i+1]
		}
	}
	return nil
}
