package lesson

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Knob is what a lesson lets its learner change: `lesson N --change VALUE` runs it again.
type Knob struct {
	What   Text     // what VALUE is
	Values []string // to try; the lesson prints their command lines
	Play   func(s *Stage, value string) error
}

// ValueError is a value that a knob does not take.
type ValueError struct{ Want Text }

func (e *ValueError) Error() string { return e.Want.En }

// Turn runs l with a changed value. A *ValueError has run nothing.
func (l *Lesson) Turn(s *Stage, value string) error {
	s.Head(l.called().plus("", t("，改一改：", ", changed: ")).plus("", l.Knob.What).plus("",
		Text{" = " + oneLine([]byte(value)), " = " + oneLine([]byte(value))}))
	return l.Knob.Play(s, value)
}

// knobLines are the command lines that turn a lesson's knob.
func (l *Lesson) knobLines() (lines []string) {
	for _, v := range l.Knob.Values {
		if strings.ContainsAny(v, "\\ ") {
			v = "'" + v + "'"
		}
		lines = append(lines, "minissh-lab lesson "+l.Name+" --change "+v)
	}
	return lines
}

// number reads a value between low and high.
func number(value string, low, high int) (int, error) {
	n, err := strconv.Atoi(squeeze(value))
	if err != nil || n < low || n > high {
		return 0, &ValueError{f("要一个 %d 到 %d 的整数", "want a number from %d to %d", low, high)}
	}
	return n, nil
}

// duration reads a time between low and high.
func duration(value string, low, high time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(squeeze(value))
	if err != nil || d < low || d > high {
		return 0, &ValueError{f("要一段时间，%v 到 %v", "want a time from %v to %v", low, high)}
	}
	return d, nil
}

// choice reads one of some words.
func choice(value string, words ...string) (string, error) {
	if i := slices.Index(words, squeeze(value)); i >= 0 {
		return words[i], nil
	}
	list := strings.Join(words, ", ")
	return "", &ValueError{f("只能是：%s", "want one of: %s", list)}
}

// text reads 1 to high bytes of text.
func text(value string, high int) ([]byte, error) {
	if value == "" || len(value) > high || !utf8.ValidString(value) {
		return nil, &ValueError{f("要 1 到 %d 个字节的 UTF-8", "want 1 to %d bytes of UTF-8", high)}
	}
	return []byte(value), nil
}
