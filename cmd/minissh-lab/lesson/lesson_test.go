package lesson

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unicode"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/testend"
	"minissh/protocol/vectors"
)

func TestMain(m *testing.M) { testend.Main(m) }

// stage prints into the test's log.
func stage(t *testing.T, lang speak.Lang) (*Stage, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("\n" + out.String())
		}
	})
	return &Stage{Ctx: t.Context(), Out: speak.New(&out, lang)}, &out
}

// Every lesson shows on real sockets what its right prediction says.
func TestAllLessonsWithTheRightPredictions(t *testing.T) {
	for _, l := range All() {
		t.Run(l.Name, func(t *testing.T) {
			s, out := stage(t, speak.Both)
			o, err := l.Teach(s, Knowing{})
			if err != nil {
				t.Fatal(err)
			}
			if !o.Right() || !o.Quiz {
				t.Errorf("predicted %d, measured %d, quiz %v", o.Predicted, o.Measured, o.Quiz)
			}
			for _, r := range out.String() {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Fatalf("%q is printed", r)
				}
			}
		})
	}
}

func TestEveryLessonOfTheCourseIsThere(t *testing.T) {
	want := "1-5 6 7 8 9 11 12 13a 13b 14a 14b 15a 15b 16 17-18 19 20 21 22 23 24 25 26 own"
	var names []string
	for _, l := range All() {
		names = append(names, l.Name)
		for _, x := range []Text{l.Title, l.Run, l.Ask.Text, l.Why, l.Change, l.Knob.What,
			l.Exercise} {
			if x.Zh == "" || x.En == "" {
				t.Errorf("lesson %s lacks a text in one language: %+v", l.Name, x)
			}
		}
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("lessons %s, want %s", got, want)
	}
	for name, want := range map[string]string{"12": "12", "3": "1-5", "18": "17-18", "13": "13a",
		"own": "own"} {
		if l := Find(name); l == nil || l.Name != want {
			t.Errorf("Find(%q) = %v, want %s", name, l, want)
		}
	}
	if Find("27") != nil {
		t.Error("there is a lesson 27")
	}
}

func TestEveryMythIsRefutedByItsMeasurement(t *testing.T) {
	for _, m := range Myths() {
		t.Run(m.Name, func(t *testing.T) {
			s, out := stage(t, speak.English)
			refuted, err := m.Run(s)
			if err != nil {
				t.Fatal(err)
			}
			if !refuted {
				t.Error("not refuted")
			}
			if out.Len() == 0 || Find(m.Seen) == nil {
				t.Error("no numbers, or no lesson")
			}
			if strings.Contains(out.String(), "write:") {
				t.Error("the system's own words are shown")
			}
		})
	}
}

// answers is a learner who types these lines.
type answers struct {
	lines []string
	asked int
}

func (a *answers) Answer(string) (string, error) {
	if len(a.lines) == 0 {
		return "", ErrQuit
	}
	line := a.lines[0]
	a.lines, a.asked = a.lines[1:], a.asked+1
	return line, nil
}

// The prediction comes before the run; nothing of the run is seen before it.
func TestPredictionIsAskedBeforeTheRun(t *testing.T) {
	s, out := stage(t, speak.Both)
	_, err := Find("12").Teach(s, &answers{})
	if err != ErrQuit {
		t.Fatalf("err = %v", err)
	}
	if strings.Contains(out.String(), "1976") || strings.Contains(out.String(), "the run") {
		t.Error("the run was shown without a prediction")
	}
	s, out = stage(t, speak.English)
	who := &answers{lines: []string{"", "9", "two", "１", " ９52　"}} // a Chinese keyboard's, too
	o, err := Find("12").Teach(s, who)
	if err != nil {
		t.Fatal(err)
	}
	if o.Right() || !o.Quiz || who.asked != 5 {
		t.Errorf("outcome %+v after %d answers", o, who.asked)
	}
	for _, want := range []string{"1976 bytes", "not as predicted", "✓ measured: 952",
		"You said \"the answer to pwd\". recv does not know", "3000 - 2048 = 952"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// Whoever always takes the same number learns nothing about the questions; whoever is
// wrong is answered.
func TestPredictionsAreSpreadAndAnswered(t *testing.T) {
	at := map[int]int{}
	for _, l := range All() {
		at[l.Ask.Right()]++
		right := 0
		for _, o := range l.Ask.Options {
			if o.Answer == (Text{}) {
				right++
			} else if o.Answer.Zh == "" || o.Answer.En == "" {
				t.Errorf("lesson %s, %s: answered in one language", l.Name, o.Text.En)
			}
		}
		if right != 1 {
			t.Errorf("lesson %s has %d options without an answer", l.Name, right)
		}
		if l.Quiz != nil && (l.Quiz.Why.Zh == "" || l.Quiz.Why.En == "") {
			t.Errorf("lesson %s: the second question is not explained", l.Name)
		}
	}
	for n, count := range at {
		if count*5 > len(All())*2 {
			t.Errorf("%d of %d right answers are number %d", count, len(All()), n+1)
		}
	}
}

// A killed client ends in FIN or RST, depending on what it had not read.
func TestKilledClient(t *testing.T) {
	s, _ := stage(t, speak.English)
	for unread, want := range map[bool]string{false: "b'' (FIN)",
		true: "ConnectionResetError (RST)"} {
		how, came, err := killedClient(s, unread)
		if err != nil {
			t.Fatal(err)
		}
		if _, missing := exec.LookPath("sleep"); missing == nil && how != "kill -9" {
			t.Errorf("%s instead of a kill", how)
		}
		if came != want && (!unread || runtime.GOOS == "linux") { // others may send a FIN
			t.Errorf("%s, unread %v: recv gives %s, want %s", how, unread, came, want)
		}
	}
}

// A listing keeps its comments in each language.
func TestListingsKeepTheirComments(t *testing.T) {
	for _, l := range All() {
		for line := range strings.Lines(l.Code) {
			for _, lang := range []speak.Lang{speak.English, speak.Chinese} {
				s, _ := stage(t, lang)
				shown := code(s.Out.Lang, line)
				han := strings.ContainsFunc(shown,
					func(r rune) bool { return unicode.Is(unicode.Han, r) })
				if strings.Count(shown, "# ") != strings.Count(line, "# ") ||
					lang == speak.English && han {
					t.Errorf("lesson %s: %q is shown as %q", l.Name, line, shown)
				}
			}
		}
	}
	s, _ := stage(t, speak.English)
	if got := code(s.Out.Lang, "x = 1  # 一 / one"); got != "x = 1  # one" {
		t.Errorf("shown as %q", got)
	}
}

func TestSegmentsAreCountedOrSaidToBeUnknown(t *testing.T) {
	s, out := stage(t, speak.English)
	if _, err := Find("13a").Teach(s, Knowing{}); err != nil {
		t.Fatal(err)
	}
	want := "TCP segments: 2 (TCP_INFO)"
	if runtime.GOOS != "linux" {
		want = "does not tell"
	}
	if strings.Count(out.String(), want) != 4 {
		t.Errorf("%q is not there four times", want)
	}
}

func TestLanguagesAndColours(t *testing.T) {
	s, out := stage(t, speak.English)
	if _, err := Find("13a").Teach(s, Knowing{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if unicode.Is(unicode.Han, r) {
			t.Fatalf("%q with --lang en", r)
		}
	}
	s, out = stage(t, speak.Both)
	s.Color = true
	s.Lanes(Lanes{Sends: [][]byte{[]byte("ab"), []byte("cd")}, Buffer: 4,
		Recvs: [][]byte{[]byte("abc"), []byte("d")}})
	for _, want := range []string{"[\x1b[36mab\x1b[0m\x1b[33mc\x1b[0m]", "[\x1b[33md\x1b[0m]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %q", want, out.String())
		}
	}
}

// The labelled frame is one of the protocol's own.
func TestOwnFrameIsInTheVectors(t *testing.T) {
	raw, err := hex.DecodeString(strings.ReplaceAll(ownFrame, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := hexPairs(raw)
	for _, v := range append(vectors.Read("frames.txt"), vectors.Read("json.txt")...) {
		if v.Text("hex") == want {
			return
		}
	}
	spec, err := os.ReadFile("../../../protocol/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(spec), "00 00 00 21              length: 33 bytes") {
		t.Error("the frame is neither a vector nor PROTOCOL.md's example")
	}
}

// Reading late means after the last byte: fewer are not enough.
func TestArrivedWaitsForEveryByte(t *testing.T) {
	s, _ := stage(t, speak.English)
	l, err := dialLink()
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if _, known := probe.Pending(l.server); !known {
		t.Skip("not run: needs FIONREAD")
	}
	l.client.Write([]byte("hello"))
	if err := s.arrived(l.server, 5); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.Ctx = ended
	if s.arrived(l.server, 10) == nil {
		t.Error("five bytes were taken for ten")
	}
}

func hexPairs(b []byte) string {
	var pairs []string
	for _, x := range b {
		pairs = append(pairs, hex.EncodeToString([]byte{x}))
	}
	return strings.Join(pairs, " ")
}
