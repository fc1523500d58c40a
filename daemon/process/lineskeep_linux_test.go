package process

import (
	"strings"
	"testing"
)

// What only the last command has said lasts to the next line: bash's $_, and the statuses of a
// pipeline; and no text is another one because of that.
func TestLinesKeepLastCommand(t *testing.T) {
	for name, lines := range map[string][][3]string{
		"bash": {
			{"mkdir -p 'a b'", "", "0"}, {"cd \"$_\"; basename \"$PWD\"", "a b\n", "0"},
			{"echo one two", "one two\n", "0"}, {"", "", "0"},
			{"(exit 3) | true | (exit 4)", "", "4"},
			{"echo $? ${PIPESTATUS[@]}", "4 3 0 4\n", "0"}, {"true", "", "0"},
			{"echo ${PIPESTATUS[@]}", "0\n", "0"}, {"false", "", "1"},
			{"echo ${PIPESTATUS[@]} $_", "1 false\n", "0"},
			{"false | true", "", "0"}, {"echo ${PIPESTATUS[0]}", "1\n", "0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			lines = append(lines, [][3]string{
				{"cat <<X\nhere\nX", "here\n", "0"}, {"false # no", "", "1"},
				{"echo 'a b' \\", "a b\n", "0"}, {"sleep 0.01 & wait", "", "0"},
				{"for i in 1 2\ndo echo $i; done", "1\n2\n", "0"}, {"(exit 5)", "", "5"},
				{"echo not |", "", ""}, {"echo not &&  ", "", ""}, {"for i in 1", "", ""},
				{"f()", "", ""}, {"case x in", "", ""}, {"echo \"open", "", ""},
				{"function f", "", ""}, {"echo on", "on\n", "0"},
			}...)
			for _, line := range lines {
				end, got := s.tell(line[0], PlainLine)
				if end.ShellEnded || got.of(1) != line[1] ||
					strings.Contains(got.of(0)+got.of(2), "minissh_") ||
					line[2] != "" && line[2] != string(rune('0'+end.Code)) || line[2] == "" &&
					end.Code == 0 {
					t.Errorf("%q: %+v, %q, %q", line[0], end, got.of(1), got.of(2))
				}
			}
		})
	}
}
