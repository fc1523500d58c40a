package lesson

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/speak"
)

// Each lesson has something to change, says what to type, and runs with each value that
// it offers.
func TestKnobs(t *testing.T) {
	for _, l := range All() {
		for _, value := range l.Knob.Values {
			t.Run(l.Name+" "+value, func(t *testing.T) {
				s, out := stage(t, speak.English)
				if err := l.Turn(s, value); err != nil {
					t.Fatal(err)
				}
				if strings.Count(out.String(), "\n") < 3 {
					t.Errorf("printed %q", out.String())
				}
			})
		}
		if len(l.Knob.Values) == 0 {
			t.Errorf("lesson %s has nothing to change", l.Name)
		}
		s, out := stage(t, speak.English)
		var wrong *ValueError
		if err := l.Knob.Play(s, ""); !errors.As(err, &wrong) || out.Len() > 0 {
			t.Errorf("lesson %s without a value: %v, %q", l.Name, err, out.String())
		}
	}
}

// What a knob shows is what the changed program does.
func TestKnobsShowTheChange(t *testing.T) {
	for _, c := range []struct{ lesson, value, want string }{
		{"1-5", "UNIX", "AF_UNIX"},
		{"6", "中", `recv()    [\xe4][\xb8][\xad]  3 returns`},
		{"7", "outside", "outside  HELLO  WORLD"},
		{"8", "break", "the loop ran 1 time"},
		{"9", "threads", "client 2  recv        HELLO"},
		{"11", "answer", "cd /     (no output)\\n"},
		{"12", "10", "2990 bytes are left"},
		{"12", "8192", "right this time"},
		{"13a", "0s", "1 return"},
		{"13b", "１", "recv()    [msg0;]  1 return"},
		{"14a", `a\nb`, "✗"},
		{"14a", "中文", `"中文"   ✓         ✓`}, // 6 bytes and 10 of padding
		{"15a", "4096", "All 3000 this time"},
		{"15a", "1", "…"},
		{"15b", "-2", "refuses"},
		{"15b", "3000", "takes it: 3000 bytes"},
		{"16", "b.txt", "b.txt"},
		{"17-18", "wait", "2 returns"},
		{"17-18", "framed", "3 returns"},
		{"20", "9", `"helloworl"`},
		{"20", "10", `"helloworld"`},
		{"21", "16", "BlockingIOError"},
		{"22", "close", "the socket is closed"},
		{"22", "nothing", "TimeoutError"},
		{"23", "threads", "A busy: B is answered at once"},
		{"23", "select", "A silent: B is answered at once  A busy: B waits"},
		{"23", "in-turn", "A silent: B waits"},
		{"24", "125", "a header of 6 bytes and 125"},
		{"24", "126", "a header of 8 bytes and 126"},
		{"24", "70000", "a header of 14 bytes and 70000"},
		{"25", "16384", "1 record:"},
		{"25", "16385", "2 records:"},
		{"26", "1", "65537"},
		{"own", "pwd", "pwd"},
	} {
		s, out := stage(t, speak.English)
		if err := Find(c.lesson).Turn(s, c.value); err != nil {
			t.Errorf("lesson %s --change %s: %v", c.lesson, c.value, err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("lesson %s --change %s: no %q in\n%s", c.lesson, c.value, c.want, out)
		}
	}
}

// On a LAN a message of 3000 bytes is three segments; lesson 12 says so, and measures it.
func TestLessonTwelveShowsTheLAN(t *testing.T) {
	s, out := stage(t, speak.English)
	if err := s.onLAN(3000); err != nil {
		t.Fatal(err)
	}
	want := "was 3 segments"
	if runtime.GOOS != "linux" {
		want = "cannot be measured"
	}
	if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
		t.Errorf("no %q in %s", want, out)
	}
}

// Lesson 15a leaves the mistake to its reader: the mended line is in no text of it.
func TestSimpleVersionLeavesTheExercise(t *testing.T) {
	s, out := stage(t, speak.Both)
	if _, err := Find("15a").Teach(s, Knowing{}); err != nil {
		t.Fatal(err)
	}
	for _, fix := range []string{"len(res)", "+= res", "累加", "accumulates"} {
		if strings.Contains(out.String(), fix) {
			t.Errorf("%q is given away", fix)
		}
	}
}
