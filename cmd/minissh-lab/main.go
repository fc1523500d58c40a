// Command minissh-lab teaches socket programming with real sockets: the
// dialects of the course as servers and clients, the course's lessons, and a
// peer that attacks the learner's own program.
//
// It never starts a process for anyone on the network: the command dialects run
// a played shell (package playshell).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/speak"
	"minissh/daemon/process"
	"minissh/protocol/flags"
)

func main() {
	process.BeHelper() // of the daemon of a live run
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second one ends the program, whatever hangs
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without the process around it; it returns the exit code: 0,
// 1 for a failure, 2 for a wrong command line.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	app := newApp()
	app.Reader, app.Writer, app.ErrWriter = in, out, errOut
	err := app.RunContext(ctx, args)
	if err == nil {
		return 0
	}
	lang := speak.FromLocale(os.Getenv)
	if name := langOf(args); name != "" {
		lang, _ = speak.ParseLang(name) // an unknown one is both, and an error of its own
	}
	return report(speak.New(errOut, lang), err)
}

// newApp builds the program from the list in verbs.go.
func newApp() *cli.App {
	return &cli.App{
		Name: "minissh-lab",
		Usage: "粘包实验室：用真的套接字学网络编程  /  learn socket programming " +
			"on real sockets",
		HideVersion:            true,
		UseShortOptionHandling: true,
		Flags:                  flags.Once(langFlag()),
		Commands:               verbs(),
		CommandNotFound:        nil,
		ExitErrHandler:         func(*cli.Context, error) {}, // run reports, once
		OnUsageError:           usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage(fmt.Sprintf("没有 %s 这个命令", speak.Quote([]byte(c.Args().First()))),
					fmt.Sprintf("there is no verb %s", speak.Quote([]byte(c.Args().First()))),
					"minissh-lab --help")
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// langFlag is --lang. The app has it, and each verb may have it too, so that it
// works on both sides of the verb's name.
func langFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "lang", EnvVars: []string{"MINISSH_LAB_LANG"},
		Usage: "语言，默认跟随系统 / language, by default the locale's: `zh|en|both`",
	}
}

// printer returns what a verb prints to: standard output in the chosen language.
func printer(c *cli.Context) (*speak.Printer, error) {
	lang, err := chosenLang(c)
	if err != nil {
		return nil, usage(err.Error(), err.Error(), "--lang zh")
	}
	return speak.New(c.App.Writer, lang), nil
}

// chosenLang finds --lang on either side of the verb; the verb's own wins. Without it the
// locale decides.
func chosenLang(c *cli.Context) (speak.Lang, error) {
	for _, level := range c.Lineage() {
		if level.Command != nil && level.IsSet("lang") {
			return speak.ParseLang(level.String("lang"))
		}
	}
	if name := c.String("lang"); name != "" {
		return speak.ParseLang(name)
	}
	return speak.FromLocale(os.Getenv), nil
}

// langOf looks for --lang without the parser, for errors that come before or out
// of it.
func langOf(args []string) string {
	lang := os.Getenv("MINISSH_LAB_LANG")
	for i, a := range args {
		for _, name := range []string{"-lang", "--lang"} {
			if a == name && i+1 < len(args) {
				lang = args[i+1]
			} else if len(a) > len(name) && a[:len(name)+1] == name+"=" {
				lang = a[len(name)+1:]
			}
		}
	}
	return lang
}

// problem is an error that speaks to people: what went wrong in both languages,
// and what can be typed.
type problem struct {
	zh, en string
	hint   string // a command line to type, or ""
	hintZh string // words before it, or ""
	hintEn string
	code   int // exit code, 0 means 1
}

func (p *problem) Error() string { return p.en }

// usage is a problem with the command line.
func usage(zh, en, hint string) error { return &problem{zh: zh, en: en, hint: hint, code: 2} }

// failure is a problem with the world.
func failure(zh, en, hint string) error { return &problem{zh: zh, en: en, hint: hint} }

func usageError(c *cli.Context, err error, _ bool) error {
	if problem := givenTwice(c.Command.Flags); problem != nil {
		return problem
	}
	return usage("命令行不对："+speak.Clean(err.Error()), speak.Clean(err.Error()),
		"minissh-lab --help")
}

// givenTwice refuses a flag that was given twice, nil if none was.
func givenTwice(list []cli.Flag) error {
	twice := flags.Twice(list)
	if twice == "" {
		return nil
	}
	return usage("选项 "+twice+" 写了两次，只能写一次",
		twice+" is given twice, and one of the two would not count", "minissh-lab --help")
}

// report prints err and its hint, and returns the exit code.
func report(p *speak.Printer, err error) int {
	if errors.Is(err, context.Canceled) {
		return 130 // ended by Ctrl-C
	}
	prob, ok := errors.AsType[*problem](err)
	if !ok {
		text := speak.Clean(err.Error())
		prob = &problem{zh: text, en: text}
	}
	p.Raw("minissh-lab: " + p.Lang.Text(prob.zh, prob.en) + "\n")
	if words := p.Lang.Text(prob.hintZh, prob.hintEn); words != "" {
		p.Raw("minissh-lab: hint: " + words + "\n")
	}
	if prob.hint != "" {
		p.Raw("minissh-lab: hint: " + prob.hint + "\n")
	}
	if prob.code != 0 {
		return prob.code
	}
	return 1
}
