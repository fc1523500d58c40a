package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/check"
	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/web"
	"minissh/protocol/flags"
)

func lessonCommand() *cli.Command {
	return &cli.Command{
		Name:      "lesson",
		Usage:     "一课：先预测，再运行  /  a lesson: predict, then run",
		ArgsUsage: "[NAME | list | myths [NAME] | print [NAME | all | cheatsheet]]",
		Description: "不写名字就接着上下一课；第一次来，从 12 开始。\n" +
			"Without a name: the next one you have not done; for a newcomer, 12.\n\n" +
			"  lesson 12          那一课 / that lesson\n" +
			"  lesson 12 --change 2048\n" +
			"                     改一个值，再运行 / change a value and run it again\n" +
			"  lesson 12 --hint, --starter, --mended [-o FILE]\n" +
			"                     练习的提示、待完成的程序、改好的程序 / hints, a beginning and " +
			"a mended " +
			"program\n" +
			"  lesson list        所有的课和进度 / all lessons, and your progress\n" +
			"  lesson myths       大家都这么说，量一量：在终端里先举手，再看数字 /\n" +
			"                     what people believe, hands up (on a terminal), and what is " +
			"measured\n" +
			"  lesson print all -o DIR\n" +
			"                     每课一张 A4，加一张速查表；也可以只要 15a 或 cheatsheet /\n" +
			"                     a page of A4 for each lesson, and a cheat sheet; or 15a alone, " +
			"or cheatsheet\n" +
			"  lesson --auto      全部跑一遍，预测都对 / all of them, with the right predictions",
		Flags:        lessonFlags(),
		OnUsageError: usageError,
		Action:       runLesson,
	}
}

func lessonFlags() []cli.Flag {
	return flags.Once(append(helpFlags(),
		langFlag(),
		&cli.BoolFlag{Name: "auto", Usage: "不提问，预测都对 / no questions, the right " +
			"predictions"},
		&cli.StringFlag{Name: "change", Usage: "换一个 `VALUE` 再运行，每一课都写着可以换什么 / " +
			"run " +
			"it with another value; each lesson says which"},
		&cli.StringFlag{Name: "class", Usage: "把预测当作投票发给老师的 `ADDRESS` / send the " +
			"prediction to a teacher's board as a vote"},
		&cli.StringFlag{Name: "o", Value: ".", Usage: "print 写到哪个文件夹；--starter、--mended " +
			"写成新的 `FILE`（PowerShell 5 的 > 会写成 UTF-16，要用 -o）/ the folder that print " +
			"writes to; the new file of --starter and --mended (in PowerShell 5, > makes UTF-16: " +
			"use -o)"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`auto|always|never`"},
	)...)
}

func runLesson(c *cli.Context) error {
	var args []string
	for rest := c.Args().Slice(); len(rest) > 0; { // flags may follow any word
		args = append(args, rest[0])
		var err error
		if rest, err = flagsAfter(c, lessonFlags(), rest[1:]); err != nil {
			return err
		}
	}
	s, err := lessonStage(c)
	if err != nil {
		return err
	}
	if err := oneWish(c, args); err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "list" {
		if err := stray(args[1:], "minissh-lab lesson list"); err != nil {
			return err
		}
		return listLessons(s)
	}
	if len(args) > 0 && args[0] == "myths" {
		return runMyths(s, args[1:], hands(c, s))
	}
	if len(args) > 0 && args[0] == "print" {
		return printLessons(c, s, args[1:])
	}
	if err := stray(args[min(1, len(args)):], "minissh-lab lesson 12"); err != nil {
		return err
	}
	progress, _ := lesson.LoadProgress() // without a place for it, nothing is kept
	if c.Bool("auto") {
		return autoLessons(s, args)
	}
	l := progress.Next()
	if len(args) > 0 {
		l = lesson.Find(args[0])
	}
	if l == nil {
		q := speak.Quote([]byte(args[0]))
		return usage("没有 "+q+" 这一课", "no lesson "+q, "minissh-lab lesson list")
	}
	switch {
	case c.IsSet("change"):
		return changeLesson(s, l, c.String("change"))
	case c.Bool("hint"):
		return giveHint(s, progress, l)
	case c.Bool("starter"), c.Bool("mended"):
		return printProgram(c, s, l)
	}
	voteWith(c, s, l)
	outcome, err := l.Teach(s, learner(c, s))
	if errors.Is(err, lesson.ErrQuit) {
		s.Out.Raw("\n")
		s.Sayf("下次再来：minissh-lab lesson %s", "another time: minissh-lab lesson %s", l.Name)
		return nil
	}
	if err != nil {
		return lessonProblem(err)
	}
	progress, _ = lesson.LoadProgress() // a vote, or a check elsewhere, may have kept something
	progress.Lessons[l.Name] = lesson.Done{Day: lesson.Today(), Predicted: outcome.Right()}
	progress.Last = l.Name
	if err := progress.Save(); err != nil {
		s.Sayf("（进度没有保存：%s）", "(progress was not saved: %s)", speak.Clean(err.Error()))
	}
	return nil
}

// changeLesson turns the lesson's knob.
func changeLesson(s *lesson.Stage, l *lesson.Lesson, value string) error {
	err := l.Turn(s, value)
	if wrong, ok := errors.AsType[*lesson.ValueError](err); ok {
		q := speak.Quote([]byte(value))
		return usage("--change "+q+"："+wrong.Want.Zh, "--change "+q+": "+wrong.Want.En,
			"minissh-lab lesson "+l.Name+" --change "+l.Knob.Values[0])
	}
	if err != nil {
		return lessonProblem(err)
	}
	return nil
}

// lessonStage is what a lesson prints on.
func lessonStage(c *cli.Context) (*lesson.Stage, error) {
	p, err := printer(c)
	if err != nil {
		return nil, err
	}
	s := &lesson.Stage{Ctx: c.Context, Out: p, Self: self(), Picture: picture}
	if f, ok := c.App.Writer.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.Width = width
		}
	}
	switch mode := c.String("color"); mode {
	case "always":
		s.Color = true
	case "never":
	case "auto":
		f, ok := c.App.Writer.(*os.File)
		s.Color = ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" &&
			os.Getenv("TERM") != "dumb"
	default:
		q := speak.Quote([]byte(mode))
		return nil, usage("--color "+q+"：只有 auto、always、never",
			"--color "+q+": want auto, always or never", "--color never")
	}
	return s, nil
}

// picture is where a lesson's picture is seen, "" for one without.
func picture(name string) string {
	if _, ok := web.Find(name); !ok {
		return ""
	}
	return web.Link(name)
}

// self is how this program was called, for commands to type.
func self() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/minissh-lab"
	}
	return ""
}

// listLessons shows every lesson with what has been done of it.
func listLessons(s *lesson.Stage) error {
	p, err := lesson.LoadProgress()
	if err != nil {
		s.Sayf("（读不到进度：%s）", "(progress cannot be read: %s)", speak.Clean(err.Error()))
	}
	done := 0
	var rows [][]string
	for _, l := range lesson.All() {
		mark := "·"
		if d := p.Lessons[l.Name]; d.Day != "" {
			mark = "✗"
			if d.Predicted {
				mark = "✓"
			}
			done++
		}
		rows = append(rows, []string{mark, l.Name, checkMarks(p, l.Name),
			s.Out.Lang.Text(l.Title.Zh, l.Title.En)})
	}
	s.Table(rows...)
	s.Out.Raw("\n")
	beyond := lesson.Beyond()
	s.Sayf("%s 到 %s：书上没有，学完书再做", "%s to %s go beyond the course",
		beyond[0].Name, beyond[len(beyond)-1].Name)
	s.Sayf("%d / %d 课。✓ 预测对了，✗ 做过，预测错了。S C：check 通过（服务端、客户端）",
		"%d of %d. ✓ predicted rightly, ✗ done, predicted otherwise. S C: check passed (server, "+
			"client)", done, len(rows))
	next := p.Next()
	switch {
	case done == 0:
		s.Say(lesson.Text{Zh: "第一次来？从这一课开始，只要两分钟：",
			En: "New here? Begin with this one, it takes two minutes:"})
	case done == len(rows):
		s.Say(lesson.Text{Zh: "全部做完了。再来一次：", En: "All done. Once more:"})
	default:
		s.Say(lesson.Text{Zh: "接下来：", En: "Next:"})
	}
	s.Out.Raw("    " + s.Command("minissh-lab lesson "+next.Name) + "   " +
		s.Out.Lang.Text(next.Title.Zh, next.Title.En) + "\n")
	return nil
}

// checkMarks says which checks of a lesson have passed.
func checkMarks(p *lesson.Progress, name string) string {
	c := check.Find(name)
	if c == nil {
		return ""
	}
	marks := ""
	for _, side := range []struct {
		name, letter string
		cases        []check.Case
	}{{"server", "S", c.Server}, {"client", "C", c.Client}} {
		switch {
		case len(side.cases) == 0:
		case p.Checks[name+" "+side.name].Passed:
			marks += side.letter
		default:
			marks += "·"
		}
	}
	return marks
}

// autoLessons runs the lessons without a question; a run that shows something else
// than the lesson says is an error.
func autoLessons(s *lesson.Stage, names []string) error {
	lessons := lesson.All()
	if len(names) > 0 {
		l := lesson.Find(names[0])
		if l == nil {
			q := speak.Quote([]byte(names[0]))
			return usage("没有 "+q+" 这一课", "no lesson "+q, "minissh-lab lesson list")
		}
		lessons = []*lesson.Lesson{l}
	}
	var wrong []string
	for _, l := range lessons {
		o, err := l.Teach(s, lesson.Knowing{})
		if err != nil {
			return lessonProblem(fmt.Errorf("lesson %s: %w", l.Name, err))
		}
		if !o.Right() {
			wrong = append(wrong, l.Name)
		}
	}
	s.Out.Raw("\n")
	s.Sayf("%d 课跑完", "lessons run: %d", len(lessons))
	if len(wrong) > 0 {
		list := strings.Join(wrong, " ")
		return failure("这里量出来的和课上说的不一样："+list,
			"measured differently here from what the lesson says: "+list,
			"minissh-lab lesson --auto "+wrong[0])
	}
	return nil
}

// hands waits between a belief and its numbers until the class has voted; nil where nobody
// is there to vote: with --auto, or without a terminal.
func hands(c *cli.Context, s *lesson.Stage) func() error {
	if c.Bool("auto") || !isTerminal(c.App.Reader) {
		return nil
	}
	prompt := "  " + s.Out.Lang.Text("信的举手，然后按回车（q 退出）",
		"Hands up if you believe it, then Enter (q quits)") + " > "
	who := learner(c, s)
	return func() error {
		line, err := who.Answer(prompt)
		if err == nil && lesson.Quits(line) {
			return lesson.ErrQuit
		}
		return err
	}
}

// runMyths measures all beliefs, or one. Each waits for hands, which may be nil.
func runMyths(s *lesson.Stage, names []string, hands func() error) error {
	found := false
	for _, m := range lesson.Myths() {
		if len(names) > 0 && names[0] != m.Name {
			continue
		}
		found = true
		s.Head(lesson.Text{Zh: "“" + m.Believed.Zh + "”", En: "\"" + m.Believed.En + "\""})
		if hands != nil {
			if hands() != nil {
				s.Out.Raw("\n")
				return nil
			}
		}
		refuted, err := m.Run(s)
		if err != nil {
			return lessonProblem(err)
		}
		verdict := lesson.Text{Zh: "✗ 不是这样", En: "✗ not so"}
		if !refuted {
			verdict = lesson.Text{Zh: "? 这一次没有量出来", En: "? not shown by this run"}
		}
		s.Say(lesson.Text{Zh: verdict.Zh + "（lesson " + m.Seen + "，lesson myths " + m.Name + "）",
			En: verdict.En + " (lesson " + m.Seen + ", lesson myths " + m.Name + ")"})
	}
	if !found {
		q := speak.Quote([]byte(names[0]))
		return usage("没有 "+q+" 这一条", "no such belief: "+q, "minissh-lab lesson myths")
	}
	return nil
}

// lessonProblem is a lesson that cannot be run here.
func lessonProblem(err error) error {
	text := speak.Clean(err.Error())
	return failure("这一课跑不了："+text, "the lesson cannot be run: "+text,
		"minissh-lab lesson list")
}

// learner is whoever types.
func learner(c *cli.Context, s *lesson.Stage) *person {
	return &person{in: bufio.NewReader(c.App.Reader), out: s.Out, done: c.Context.Done()}
}

// person is a learner who types.
type person struct {
	in   *bufio.Reader
	out  *speak.Printer
	done <-chan struct{}
}

// Answer reads one line, of at most a few KiB; the end of the input is ErrQuit, and
// so is Ctrl-C. A terminal's read cannot be interrupted: its goroutine ends with the
// process, or with the next line.
func (p *person) Answer(prompt string) (string, error) {
	p.out.Raw(prompt)
	type typed struct {
		line string
		err  error
	}
	got := make(chan typed, 1)
	go func() {
		line, err := p.in.ReadString('\n')
		if errors.Is(err, io.EOF) && line != "" {
			err = nil
		}
		got <- typed{line, err}
	}()
	select {
	case t := <-got:
		if t.err != nil {
			return "", lesson.ErrQuit
		}
		return t.line, nil
	case <-p.done:
		return "", lesson.ErrQuit
	}
}
