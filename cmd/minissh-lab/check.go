package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/check"
	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

func checkFlags() []cli.Flag {
	return flags.Once(
		langFlag(),
		&cli.BoolFlag{Name: "client", Usage: "检查客户端：实验室来当服务端，在提示符后面打字 / " +
			"check a client: the lab serves, and types at its prompt"},
		&cli.StringFlag{
			Name: "connect", Usage: "检查已经在 `ADDRESS` 运行的服务端 / check a server that " +
				"already runs there"},
		&cli.StringFlag{Name: "at", Usage: "程序用的地址，默认 127.0.0.1 和书上的端口 / the " +
			"program's `ADDRESS`"},
		&cli.DurationFlag{Name: "limit", Value: check.DefaultLimit,
			Usage: "最多等一个回答这么久 / longest wait for an answer, `3s`"},
		&cli.StringFlag{Name: "only", Usage: "只做这一项 / only this `CASE`"},
		&cli.StringFlag{Name: "byte-order", Value: "little", Usage: "`little|big`: 'i' / '!i'"},
		&cli.StringFlag{
			Name: "class", Usage: "把结果发给老师的 `ADDRESS` / report to a teacher's board"},
		&cli.StringFlag{Name: "name", Usage: "看板上显示的名字 / your `NAME` on the board"},
	)
}

const checkForm = "minissh-lab check 16 --client -- python3 my_client.py"

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check",
		Usage: "攻击你自己的程序，告诉你它信了什么  /  attack your own program, and say what " +
			"it believes",
		ArgsUsage: "LESSON [--client] -- PROGRAM ARGUMENTS…",
		Description: "你的程序照书上写：服务端在 127.0.0.1:8080 监听，客户端连它。任何语言都行。" +
			"\n" +
			"参数里的 {port}、{host}、{address} 会换成一个空闲的地址。" +
			"程序在一个新的临时目录里运行，\n" +
			"里面有 a.txt 等文件；有时间限制，结束时连同它启动的进程一起结束。\n" +
			"Your program as in the book: a server listens on 127.0.0.1:8080, a client connects " +
			"to it. Any\n" +
			"language. {port}, {host}, {address} in its arguments become a free address. It runs " +
			"in a fresh\n" +
			"folder with a.txt and others, with a time limit, and is ended together with its " +
			"children.\n\n" +
			"  check 16 -- python3 my_server.py\n  " + checkForm[len("minissh-lab "):] +
			"\n  check 16 --connect 127.0.0.1:8080\n\n" + checkTable(),
		Flags:        checkFlags(),
		OnUsageError: usageError,
		Action:       runCheck,
	}
}

// checkTable lists the lessons that have checks.
func checkTable() string {
	var b strings.Builder
	for _, c := range check.All() {
		var names [2][]string
		for side, cases := range [][]check.Case{c.Server, c.Client} {
			for _, cs := range cases {
				names[side] = append(names[side], cs.Name)
			}
		}
		fmt.Fprintf(&b, "%-6s", c.Lesson)
		for side, what := range []string{"server", "client"} {
			if len(names[side]) > 0 {
				fmt.Fprintf(&b, " %s: %s;", what, strings.Join(names[side], " "))
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func runCheck(c *cli.Context) error {
	name, program, err := checkWords(c)
	if err != nil {
		return err
	}
	p, err := printer(c)
	if err != nil {
		return err
	}
	ch := check.Find(name)
	side, sideName := check.Server, "server"
	if c.Bool("client") || name == "own" || ch != nil && ch.Alone {
		side, sideName = check.Client, "client"
	}
	switch q := speak.Quote([]byte(name)); {
	case ch == nil && len(partsOf(name)) > 0:
		parts := partsOf(name)
		return usage("第 "+q+" 课的检查分成 "+strings.Join(parts, "、"),
			"the checks of lesson "+q+" are "+strings.Join(parts, " and "),
			"minissh-lab check "+parts[0]+" --client -- python3 my_client.py")
	case ch == nil:
		return usage("没有 "+q+" 这一课的检查", "no check for "+q, "minissh-lab check --help")
	case len(ch.Cases(side)) == 0:
		other, form := "--client ", "my_client.py"
		if side == check.Client {
			other, form = "", "my_server.py"
		}
		return usage("这一课只检查另一端", "this lesson checks the other end only",
			"minissh-lab check "+name+" "+other+"-- python3 "+form)
	}
	o, err := checkOptions(c, ch, program)
	if err != nil {
		return err
	}
	if o.Only != "" &&
		!slices.ContainsFunc(ch.Cases(side), func(cs check.Case) bool {
			return cs.Name == o.Only
		}) {
		q := speak.Quote([]byte(o.Only))
		return usage("这一课没有 "+q+" 这一项", "this lesson has no case "+q,
			"minissh-lab check --help")
	}
	if c.String("class") != "" && strings.TrimSpace(c.String("name")) == "" {
		return usage("--class 需要 --name", "--class wants --name", "--name 小明")
	}
	where := speak.Clean(o.Address)
	if ch.Lesson != "own" && !ch.Alone {
		p.Sayf("check %s · %s · %s", "check %s · %s · %s", ch.Lesson, sideName, where)
	}
	show := &checkPrinter{Printer: p, color: colorOn(c.App.Writer)}
	o.Report = show.result
	o.Waiting = func(t check.Text) { p.Say(t.Zh, t.En) }
	sum, err := check.Run(c.Context, ch, side, o)
	if trouble, ok := errors.AsType[*check.Trouble](err); ok {
		return failure(trouble.Text.Zh, trouble.Text.En, trouble.Hint)
	}
	if err != nil {
		return err
	}
	show.summary(sum)
	if o.Only == "" {
		keepCheck(ch.Lesson+" "+sideName, sum)
		if err := reportToClass(c, p, class.Report{Name: c.String("name"), Lesson: ch.Lesson,
			Side: sideName, Passed: sum.Passed, Failed: sum.Failed, Case: sum.First}); err != nil {
			return err
		}
	}
	if !sum.OK() {
		return &problem{zh: "没有通过", en: "not passed", hint: "minissh-lab lesson " + ch.Lesson}
	}
	return nil
}

// partsOf are the checks 15a and 15b for 15.
func partsOf(name string) (parts []string) {
	for _, c := range check.All() {
		if rest, ok := strings.CutPrefix(c.Lesson, name); ok && rest != "" && rest[0] >= 'a' {
			parts = append(parts, c.Lesson)
		}
	}
	return parts
}

// checkWords takes the lesson's name and the program; flags may follow the
// name, where the parser has stopped.
func checkWords(c *cli.Context) (name string, program []string, err error) {
	words := c.Args().Slice()
	if len(words) == 0 {
		return "", nil, usage("检查哪一课？", "which lesson?", checkForm)
	}
	name = words[0]
	program, err = flagsAfter(c, checkFlags(), words[1:])
	return name, program, err
}

// flagsAfter takes flags that follow a word, where the parser has stopped,
// and returns the words after them.
func flagsAfter(c *cli.Context, list []cli.Flag, words []string) (rest []string, err error) {
	set := flag.NewFlagSet(c.Command.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range list {
		if err := f.Apply(set); err != nil {
			return nil, err
		}
	}
	if err := set.Parse(words); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil,
				usage("用法见 --help", "see --help", "minissh-lab "+c.Command.Name+" --help")
		}
		if problem := givenTwice(list); problem != nil {
			return nil, problem
		}
		return nil, usageError(c, err, true)
	}
	set.Visit(func(f *flag.Flag) { err = errors.Join(err, c.Set(f.Name, f.Value.String())) })
	if problem := givenTwice(c.Command.Flags); problem != nil {
		return nil, problem // once before the word, and once after it
	}
	return set.Args(), err
}

// checkOptions finds out what is checked, and where.
func checkOptions(c *cli.Context, ch *check.Check, program []string) (check.Options, error) {
	o := check.Options{Limit: c.Duration("limit"), Only: c.String("only")}
	switch c.String("byte-order") {
	case "little":
	case "big":
		o.BigEnd = true
	default:
		return o, usage("--byte-order：只有 little 和 big", "--byte-order: want little or big",
			"--byte-order big")
	}
	if o.Limit <= 0 || o.Limit > time.Minute {
		return o, usage("--limit 要在 0 和 1m 之间", "--limit wants more than 0, at most 1m",
			"--limit 3s")
	}
	at := c.String("at")
	if connect := c.String("connect"); connect != "" {
		switch {
		case c.Bool("client"):
			return o, usage("--connect 是给服务端的", "--connect is for servers", checkForm)
		case len(program) > 0:
			return o, usage("--connect 和程序只能有一个", "--connect or a program, not both",
				"minissh-lab check "+ch.Lesson+" --connect 127.0.0.1:8080")
		}
		o.Connect, at = true, connect
	} else if len(program) == 0 {
		return o, usage("没有程序：写在 -- 后面", "no program: it comes after --", checkForm)
	}
	var err error
	if o.Network, o.Address, err = server.ParseAddress(at, ch.Port, ch.Datagram); err != nil {
		return o, usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
			"--at 127.0.0.1:"+strconv.Itoa(ch.Port))
	}
	if ch.Lesson == "own" || ch.Alone {
		o.Program = program // its address is its own, or it has none
		return o, runnable(ch.Lesson, false, program)
	}
	if at == "" && slices.ContainsFunc(program, wantsAddress) {
		if o.Address, err = freeAddress(o.Network); err != nil {
			return o, failure("没有空闲的端口", "no free port", "--at 127.0.0.1:8081")
		}
	}
	o.Program = fillAddress(program, o.Network, o.Address)
	return o, runnable(ch.Lesson, c.Bool("client"), program)
}

// runnable refuses a Python file where a program is wanted, and says what to type.
func runnable(name string, client bool, program []string) error {
	if len(program) == 0 || filepath.Ext(program[0]) != ".py" {
		return nil
	}
	if info, err := os.Stat(program[0]); err != nil || info.Mode()&0o111 != 0 &&
		strings.ContainsRune(program[0], os.PathSeparator) {
		return nil
	}
	side := ""
	if client {
		side = "--client "
	}
	q := speak.Quote([]byte(program[0]))
	return usage(q+" 是给 Python 运行的", q+" is for Python to run",
		"minissh-lab check "+name+" "+side+"-- python3 "+speak.Clean(strings.Join(program, " ")))
}

func wantsAddress(arg string) bool {
	return strings.Contains(arg, "{port}") || strings.Contains(arg, "{address}")
}

// freeAddress is a loopback address that nobody has.
func freeAddress(network string) (string, error) {
	if network == "udp" {
		pc, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		defer pc.Close()
		return pc.LocalAddr().String(), nil
	}
	l, err := net.Listen(network, "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// fillAddress puts the address into the program's arguments.
func fillAddress(program []string, network, address string) []string {
	host, port, _ := net.SplitHostPort(address) // a Unix socket has neither
	whole := address
	if network == "unix" {
		whole = "unix:" + address
	}
	fill := strings.NewReplacer("{host}", host, "{port}", port, "{address}", whole)
	filled := make([]string, len(program))
	for i, a := range program {
		filled[i] = fill.Replace(a)
	}
	return filled
}

// keepCheck notes a result in the learner's progress.
func keepCheck(what string, sum check.Summary) {
	progress, err := lesson.LoadProgress()
	if err != nil {
		return
	}
	progress.Checks[what] = lesson.Done{Day: lesson.Today(), Passed: sum.OK()}
	progress.Save() // without a place for it, nothing is kept
}

// reportToClass tells the teacher's board, if there is one.
func reportToClass(c *cli.Context, p *speak.Printer, r class.Report) error {
	address := c.String("class")
	if address == "" {
		return nil
	}
	r.ID = classID()
	if err := class.Send(c.Context, address, r); err != nil {
		return boardProblem(err, address)
	}
	p.Say("结果已经发给老师", "reported to the class")
	return nil
}

// colorOn says whether colours are wanted on w.
func colorOn(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" &&
		os.Getenv("TERM") != "dumb"
}
