package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/check"
	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

// classPort is the board's own: next to the course's 8080 and 9000.
const classPort = 8090

func classCommand() *cli.Command {
	return &cli.Command{
		Name:  "class",
		Usage: "老师的看板：学生的检查结果  /  a teacher's board of the students' checks",
		Description: "学生：minissh-lab check 16 --class 老师的地址 --name 小明 -- python3 " +
			"my_server.py\n" +
			"看板上只有名字、课、结果，不写到磁盘。谁都可以用任何名字：这不是考试。\n" +
			"The board holds name, lesson, result, and nothing on disk. Anybody may report any " +
			"name:\n" +
			"it is not an examination. S, C: server, client passed; s, c: not yet.",
		Flags: flags.Once(
			langFlag(),
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Usage: "`ADDRESS`",
				Value: "127.0.0.1:" + strconv.Itoa(classPort)},
			&cli.BoolFlag{Name: "web", Usage: "也在浏览器里显示（投影用，只给这台机器）/ also a " +
				"page for the projector, for this machine alone"},
		),
		OnUsageError: usageError,
		Action:       runClass,
	}
}

func runClass(c *cli.Context) error {
	if err := stray(c.Args().Slice(), "minissh-lab class --listen 127.0.0.1:8090"); err != nil {
		return err
	}
	p, err := printer(c)
	if err != nil {
		return err
	}
	network, address, err := server.ParseAddress(c.String("listen"), classPort, false)
	if err == nil && network != "tcp" {
		err = errors.New("the board listens on HOST:PORT")
	}
	if err != nil {
		return usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
			"minissh-lab class --listen 127.0.0.1:8090")
	}
	l, err := net.Listen(server.Family(network, address), address)
	if err != nil {
		text := speak.Clean(err.Error())
		return failure("不能监听 "+speak.Clean(address)+"："+text,
			"cannot listen on "+speak.Clean(address)+": "+text,
			"minissh-lab class --listen 127.0.0.1:0")
	}
	var lessons []string
	for _, ch := range check.All() {
		lessons = append(lessons, ch.Lesson)
	}
	board := class.NewBoard(lessons)
	where := others(l.Addr())
	head := p.Lang.Text(fmt.Sprintf("老师的看板在 %s，Ctrl-C 结束", where),
		fmt.Sprintf("the class reports to %s, Ctrl-C ends", where)) + "\n" +
		"minissh-lab check 16 --class " + where + " --name … -- python3 my_server.py\n"
	p.Raw(head)
	if !server.Beyond(l.Addr()) {
		p.Say("只有这台机器连得上；给教室用：--listen 0.0.0.0:8090",
			"only this machine reaches it; for a classroom: --listen 0.0.0.0:8090")
	}
	if c.Bool("web") {
		end, err := projectBoard(board, p, where)
		if err != nil {
			l.Close()
			return err
		}
		defer end()
	}
	redraw := colorOn(c.App.Writer)
	return board.Serve(c.Context, l, func(r class.Report) {
		news := fmt.Sprintf("%s  %s  %s %s  %d ✓ %d ✗  %s", time.Now().Format("15:04:05"), r.Name,
			r.Lesson, r.Side, r.Passed, r.Failed, r.Case)
		news = strings.TrimRight(news, " ") + "\n"
		if redraw {
			p.Raw("\x1b[H\x1b[2J" + head + "\n" + board.Render(p.Lang) + "\n" +
				board.Stuck(p.Lang) + "\n" + news)
			return
		}
		p.Raw(news)
	})
}

// projectBoard serves the board's page on a free port of this machine, until end is called.
func projectBoard(board *class.Board, p *speak.Printer, where string) (end func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		text := speak.Clean(err.Error())
		return nil, failure("开不了投影的页面："+text, "no page for the projector: "+text,
			"minissh-lab class")
	}
	s := &http.Server{Handler: board.Page(p.Lang, where, l.Addr()),
		ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	served := make(chan struct{})
	go func() { s.Serve(l); close(served) }()
	p.Sayf("投影：在浏览器里打开 http://%s/", "for the projector: open http://%s/ in a browser",
		l.Addr())
	return func() { s.Close(); <-served }, nil
}

// others is the address that other machines type for a listener: where it listens on all of this
// machine's, the first in the local network.
func others(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return reachable(a)
	}
	addresses, _ := net.InterfaceAddrs() // without them this machine's own has to do
	for _, wanted := range []func(net.IP) bool{net.IP.IsPrivate, net.IP.IsGlobalUnicast} {
		for _, a := range addresses {
			n, ok := a.(*net.IPNet)
			if ok && n.IP.To4() != nil && !n.IP.IsLoopback() && wanted(n.IP) {
				return net.JoinHostPort(n.IP.String(), port)
			}
		}
	}
	return reachable(a)
}
