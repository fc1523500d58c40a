package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/web"
	"minissh/protocol/flags"
)

func webCommand() *cli.Command {
	return &cli.Command{
		Name:  "web",
		Usage: "浏览器里的四条道：看见每个字节  /  the four lanes in a browser: see every byte",
		Description: "只有这台机器打得开，链接里带着令牌。老师发的链接不带令牌：先运行 " +
			"minissh-lab web --open，再粘贴老师的链接；\n" +
			"或者 --at '链接'。\n" +
			"Only this machine can open it, and the link holds a token. A teacher's link holds " +
			"none: first run\n" +
			"minissh-lab web --open, then paste it; or --at 'LINK'.",
		Flags: flags.Once(
			langFlag(),
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"},
				Usage: "`ADDRESS`，只能是本机 / loopback only", Value: web.DefaultAddress},
			&cli.BoolFlag{Name: "open", Usage: "在浏览器里打开 / open it in the browser"},
			&cli.StringFlag{Name: "at", Usage: "哪一课（13a）、哪个设置，或者老师的链接 / a " +
				"lesson, a setting or a teacher's `LINK`"},
		),
		OnUsageError: usageError,
		Action:       runWeb,
	}
}

func runWeb(c *cli.Context) error {
	if err := stray(c.Args().Slice(), "minissh-lab web --at 13a"); err != nil {
		return err
	}
	p, err := printer(c)
	if err != nil {
		return err
	}
	at, ok := web.At(c.String("at"))
	if !ok {
		q := speak.Quote([]byte(c.String("at")))
		return usage("--at "+q+"：没有这一课的画面，也不是设置",
			"--at "+q+": neither a lesson with a picture nor a setting", "minissh-lab web --at 13a")
	}
	address := c.String("listen")
	lab, err := web.Listen(address)
	text := ""
	if err != nil {
		text = speak.Clean(err.Error())
	}
	switch {
	case errors.Is(err, web.ErrNotLoopback):
		return usage("这个页面只给这台机器用："+speak.Clean(address)+
			" 别人也连得上。每个学生在自己的电脑上运行它",
			"the page is for this machine alone, and others can reach "+speak.Clean(address)+
				". Every student runs it on their own machine",
			"minissh-lab web --listen "+web.DefaultAddress)
	case errors.Is(err, syscall.EADDRINUSE):
		return failure(speak.Clean(address)+" 已经有程序在用（另一个 minissh-lab web？）",
			"something listens on "+speak.Clean(address)+" already (another minissh-lab web?)",
			"minissh-lab web --listen 127.0.0.1:0")
	case err != nil:
		return failure("不能监听："+text, "cannot listen: "+text,
			"minissh-lab web --listen 127.0.0.1:0")
	}
	url := inLanguage(lab.URL(at), p)
	p.Say("打开这个链接（Ctrl-C 结束）：", "open this link (Ctrl-C ends):")
	p.Raw("\n    " + url + "\n\n")
	p.Say("链接里的令牌只给你自己用；要发给别人，请用页面上的“复制链接”。",
		"Its token is yours alone; for others use the page's \"Copy link\".")
	if c.Bool("open") {
		if err := openBrowser(c.Context, url); err != nil {
			p.Say("没能打开浏览器，请自己打开链接。",
				"no browser could be started: open the link yourself.")
		}
	}
	return lab.Serve(c.Context)
}

// openBrowser hands the link to the desktop. The token is seen in the list of this
// user's processes while the desktop's own program runs.
func openBrowser(ctx context.Context, url string) error {
	var cmd *exec.Cmd
	switch runtime.GOOS {
	case "windows":
		cmd = exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", url)
	case "darwin":
		cmd = exec.CommandContext(ctx, "open", url)
	default:
		cmd = exec.CommandContext(ctx, "xdg-open", url)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", cmd.Path, err)
	}
	go cmd.Wait() // it ends by itself, or with ctx
	return nil
}

// inLanguage is a link whose page begins in the printer's language.
func inLanguage(url string, p *speak.Printer) string {
	switch p.Lang {
	case speak.Chinese:
		return url + "&lang=zh"
	case speak.English:
		return url + "&lang=en"
	}
	return url
}
