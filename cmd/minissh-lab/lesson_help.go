package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/speak"
)

// helpFlags ask for help with a lesson's exercise.
func helpFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "hint", Usage: "练习的下一条提示（共三条）/ the next hint for the " +
			"exercise (of three)"},
		&cli.BoolFlag{Name: "starter", Usage: "打印一个待完成的 Python 程序 / print a Python " +
			"program to begin with"},
		&cli.BoolFlag{Name: "mended", Usage: "打印改好的程序 / print the mended program"},
		&cli.BoolFlag{Name: "client", Usage: "--starter、--mended 打印客户端的程序 / the client's"},
	}
}

// asked are the flags that ask for something else than the lesson itself.
func asked(c *cli.Context) (names []string) {
	for _, name := range []string{"auto", "change", "hint", "starter", "mended"} {
		if c.IsSet(name) && (name == "change" || c.Bool(name)) {
			names = append(names, name)
		}
	}
	return names
}

// oneWish refuses flags that do not go together, and those that need a lesson's name.
func oneWish(c *cli.Context, args []string) error {
	wishes := asked(c)
	const form = "minissh-lab lesson 15a --hint"
	switch {
	case len(wishes) > 0 && wishes[0] != "auto" && len(args) > 0 && !isLesson(args[0]):
		return usage("--"+wishes[0]+" 是给一课用的", "--"+wishes[0]+" is for a lesson", form)
	case c.IsSet("o") && !c.Bool("starter") && !c.Bool("mended") &&
		(len(args) == 0 || args[0] != "print"):
		return usage("-o 要和 --starter、--mended 或 print 一起用",
			"-o goes with --starter, --mended or print",
			"minissh-lab lesson 15a --starter -o my_server.py")
	case len(wishes) > 1:
		return usage("--"+wishes[0]+" 和 --"+wishes[1]+" 只能用一个",
			"--"+wishes[0]+" or --"+wishes[1]+", not both", form)
	case len(wishes) == 1 && wishes[0] != "auto" && len(args) == 0:
		return usage("--"+wishes[0]+"：哪一课？", "--"+wishes[0]+": which lesson?", form)
	}
	return nil
}

// isLesson tells a lesson's name, known or not, from the other words that the verb takes.
func isLesson(word string) bool { return word != "list" && word != "myths" && word != "print" }

// giveHint shows the next hint of a lesson's exercise and remembers that.
func giveHint(s *lesson.Stage, p *lesson.Progress, l *lesson.Lesson) error {
	n := p.Hint(l)
	hint := l.Hints[n]
	s.Say(lesson.Text{Zh: fmt.Sprintf("提示 %d/%d：", n+1, len(l.Hints)) + hint.Zh,
		En: fmt.Sprintf("hint %d of %d: ", n+1, len(l.Hints)) + hint.En})
	if n == len(l.Hints)-1 {
		s.MendedLines(l)
	} else {
		s.Out.Raw("    " + s.Command("minissh-lab lesson "+l.Name+" --hint") + "\n")
	}
	if err := p.Save(); err != nil {
		s.Sayf("（进度没有保存：%s）", "(progress was not saved: %s)", speak.Clean(err.Error()))
	}
	return nil
}

// printProgram prints a starter or a mended program, and nothing else; or it writes a new file.
func printProgram(c *cli.Context, s *lesson.Stage, l *lesson.Lesson) error {
	sides := l.Sides()
	side := sides[0]
	if c.Bool("client") {
		side = "client"
	}
	text, err := l.Program(s, side, c.Bool("mended"))
	if err != nil {
		return usage("这一课没有客户端的程序", "this lesson has no client's program",
			"minissh-lab lesson "+l.Name+" --starter")
	}
	path := c.String("o")
	if !c.IsSet("o") {
		s.Out.Raw(text)
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	q := speak.Quote([]byte(path))
	again := "minissh-lab lesson " + l.Name + " --starter"
	if c.Bool("mended") {
		again = "minissh-lab lesson " + l.Name + " --mended"
	}
	if c.Bool("client") {
		again += " --client"
	}
	again += " -o "
	switch {
	case errors.Is(err, fs.ErrExist):
		return failure("已经有 "+q+" 了，没有动它", q+" is there already, and was left alone",
			again+"another.py")
	case err != nil:
		why := speak.Clean(err.Error())
		return failure("不能写 "+q+"："+why, "cannot write "+q+": "+why,
			again+"my.py")
	}
	s.Sayf("写好了：%s", "written: %s", q)
	return nil
}
