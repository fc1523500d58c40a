package class

import (
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/speak"
)

// A vote fits the teacher's terminal, cut between words. (It was cut in the middle of "more".)
func TestHandsFitTheTerminal(t *testing.T) {
	long := strings.Repeat("some words ", 20)
	b := NewBoard([]string{"12"}, []Question{{Lesson: "12", Text: long, About: long + "\n" + long,
		Options: []string{long, "no"}}})
	b.OpenVote("12")
	text := b.Hands(speak.English, 60)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if speak.Width(line) > 60 {
			t.Errorf("%d columns: %q", speak.Width(line), line)
		}
	}
	if strings.Count(text, "some") != 4*20 || strings.Count(text, "words") != 4*20 {
		t.Errorf("not all of it is there:\n%s", text)
	}
}
