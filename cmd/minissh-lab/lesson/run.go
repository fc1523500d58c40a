package lesson

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/text/width"

	"minissh/cmd/minissh-lab/speak"
)

// ErrQuit is a learner who leaves in the middle of a lesson.
var ErrQuit = errors.New("the lesson was left")

// Learner answers the questions: a person at a terminal, or a test.
type Learner interface {
	// Answer returns the next line that is typed; ErrQuit when nothing comes.
	Answer(prompt string) (string, error)
}

// Knowing is the learner of --auto: every prediction is the right one.
type Knowing struct{}

// Answer is never asked.
func (Knowing) Answer(string) (string, error) { return "", ErrQuit }

// Outcome is how one lesson went.
type Outcome struct {
	Predicted int  // option that was chosen
	Measured  int  // option that came true
	Quiz      bool // the quiz was answered rightly, or there is none
}

// Right reports a prediction that came true.
func (o Outcome) Right() bool { return o.Predicted == o.Measured }

// Teach runs one lesson: the question first, then the run.
func (l *Lesson) Teach(s *Stage, who Learner) (Outcome, error) {
	var o Outcome
	l.Pose(s)
	var err error
	if o.Predicted, err = l.predict(s, who); err != nil {
		return o, err
	}
	if s.Predicted != nil {
		s.Predicted(o.Predicted)
	}

	s.Head(t("运行（真的套接字）", "the run (real sockets)"))
	if o.Measured, err = l.Play(s); err != nil {
		return o, err
	}
	s.Out.Raw("\n")
	if o.Right() {
		s.Say(t("✓ 预测对了：", "✓ your prediction came true: ").plus("",
			l.Ask.Options[o.Measured].Text))
	} else {
		s.Say(t("✗ 和预测的不一样。实际：", "✗ not as predicted. What happened: ").plus("",
			l.Ask.Options[o.Measured].Text))
		s.answer(l.Ask.Options[o.Predicted])
	}
	s.Head(t("为什么", "why"))
	s.Say(l.Why)
	s.Head(t("改一改", "what to change"))
	s.Say(l.Change)
	for _, line := range l.knobLines() {
		s.Out.Raw("    " + s.Command(line) + "\n")
	}
	o.Quiz = true
	if l.Quiz != nil {
		if o.Quiz, err = l.quiz(s, who); err != nil {
			return o, err
		}
	}
	s.Head(t("练习", "exercise"))
	s.Say(l.Exercise)
	s.starters(l)
	if l.Check != "" {
		s.Out.Raw("    " + s.Command(l.Check) + "\n")
	}
	s.help(l)
	if s.Picture != nil {
		if link := s.Picture(l.Name); link != "" {
			s.Head(t("在浏览器里一个字节一个字节地看", "see it byte by byte in the browser"))
			s.Out.Raw("    " + s.Command("minissh-lab web --open --at "+l.Name) + "\n")
			s.Say(t("页面已经打开的话，用这个链接：", "if the page is open already: ").plus("",
				Text{link, link}))
		}
	}
	if n := next(l); n != nil {
		s.Out.Raw("\n  → " + s.Command("minissh-lab lesson "+n.Name) + "   " + s.pick(n.Title) +
			"\n")
	}
	return o, nil
}

// Pose says what is about to run, and asks for the prediction.
func (l *Lesson) Pose(s *Stage) {
	s.Head(l.called().plus("", colon).plus("", l.Title))
	s.Say(l.Run)
	for _, line := range l.Listing(s.Out.Lang) {
		s.Out.Raw("    " + s.paint(line, 4) + "\n")
	}
	s.Head(t("先预测：", "predict first: ").plus("", l.Ask.Text))
	for i, option := range l.Ask.Options {
		s.Out.Raw("  " + strconv.Itoa(i+1) + ") " + s.pick(option.Text) + "\n")
	}
}

// Quits reports a line that leaves the lesson.
func Quits(line string) bool {
	switch squeeze(line) {
	case "q", "quit", "exit":
		return true
	}
	return false
}

// starters says how a program to begin with is had.
func (s *Stage) starters(l *Lesson) {
	flags := l.sideFlags()
	for i, side := range l.Sides() {
		s.Out.Raw("    " + s.Command("minissh-lab lesson "+l.Name+" --starter"+flags[i]+" -o my_"+
			side+".py") + "\n")
	}
}

// help says how hints and the mended program are had.
func (s *Stage) help(l *Lesson) {
	s.Say(t("卡住了就看提示，一次一条，一共三条；最后再看改好的程序：",
		"Stuck? There are three hints, one at a time; and at last the mended program:"))
	s.Out.Raw("    " + s.Command("minissh-lab lesson "+l.Name+" --hint") + "\n")
	s.MendedLines(l)
}

// MendedLines says how the mended program of each side is had.
func (s *Stage) MendedLines(l *Lesson) {
	for _, flag := range l.sideFlags() {
		s.Out.Raw("    " + s.Command("minissh-lab lesson "+l.Name+" --mended"+flag) + "\n")
	}
}

// sideFlags are the flags that choose each side's program.
func (l *Lesson) sideFlags() []string {
	if len(l.Sides()) > 1 {
		return []string{"", " --client"}
	}
	return []string{""}
}

// called is the lesson's name in a sentence.
func (l *Lesson) called() Text {
	if l == &own {
		return t("毕业课", "lesson own")
	}
	return f("第 %s 课", "lesson %s", l.Name)
}

// answer speaks to whoever believed an option that did not come true.
func (s *Stage) answer(o Option) {
	if o.Answer == (Text{}) {
		return // the right one elsewhere: this system showed something else
	}
	s.Say(t("你猜的是“", "You said \"").plus("", o.Text).plus("",
		t("”。", "\". ")).plus("", o.Answer))
}

// Listing is the lesson's Python, line by line.
func (l *Lesson) Listing(lang speak.Lang) (lines []string) {
	for line := range strings.Lines(l.Code) {
		lines = append(lines, code(lang, strings.TrimRight(line, "\n")))
	}
	return lines
}

// code is a line of Python with its comment in the chosen languages.
func code(lang speak.Lang, line string) string {
	code, comment, _ := strings.Cut(line, "# ")
	zh, en, both := strings.Cut(comment, " / ")
	switch {
	case both && lang == speak.Chinese:
		return code + "# " + zh
	case both && lang == speak.English:
		return code + "# " + en
	}
	return line
}

// predict asks until one of the options is chosen.
func (l *Lesson) predict(s *Stage, who Learner) (int, error) {
	if _, knows := who.(Knowing); knows {
		s.Out.Raw("  > " + strconv.Itoa(l.Ask.Right()+1) + "\n")
		return l.Ask.Right(), nil
	}
	for {
		line, err := who.Answer("  > ")
		if err != nil {
			return 0, err
		}
		line = squeeze(line)
		if Quits(line) {
			return 0, ErrQuit
		}
		if n, err := strconv.Atoi(line); err == nil && 1 <= n && n <= len(l.Ask.Options) {
			return n - 1, nil
		}
		s.Sayf("输入 1 到 %d（猜也行，猜错学得更多），q 退出",
			"type 1 to %d (a guess will do: wrong ones teach more), q to quit", len(l.Ask.Options))
	}
}

// quiz asks once, measures, and says what it was.
func (l *Lesson) quiz(s *Stage, who Learner) (bool, error) {
	s.Head(t("再来一题：", "one more: ").plus("", l.Quiz.Text))
	_, knows := who.(Knowing)
	answer := ""
	if !knows {
		var err error
		if answer, err = who.Answer("  > "); err != nil && !errors.Is(err, ErrQuit) {
			return false, err
		}
	}
	right, err := l.Quiz.Measure(s)
	if err != nil {
		return false, err
	}
	given := squeeze(answer)
	ok := knows || given == squeeze(right)
	switch {
	case ok:
		s.Sayf("✓ 量出来是 %s", "✓ measured: %s", right)
	case given == "":
		s.Sayf("量出来是 %s", "measured: %s", right)
	default:
		s.Sayf("✗ 量出来是 %s", "✗ measured: %s", right)
	}
	s.Say(l.Quiz.Why)
	return ok, nil
}

// squeeze makes answers comparable: without blanks, in lower case, and with the
// full-width characters of a Chinese keyboard (２) as the usual ones (2).
func squeeze(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(width.Narrow.String(s)), ""))
}

// plus adds another text to x.
func (x Text) plus(between string, y Text) Text {
	return Text{x.Zh + between + y.Zh, x.En + between + y.En}
}

// withTitle adds a title to a heading.
func (x Text) withTitle(title Text) Text { return Text{x.Zh + title.Zh, x.En + title.En} }
