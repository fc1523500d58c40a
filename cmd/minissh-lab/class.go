package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/check"
	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

// classPort is the board's own: next to the course's 8080 and 9000.
const classPort = 8090

func classCommand() *cli.Command {
	return &cli.Command{
		Name:  "class",
		Usage: "老师的看板：学生的检查结果和投票  /  a teacher's board: checks and votes",
		Description: "学生：minissh-lab check 16 --class 老师的地址 --name 小明 -- python3 " +
			"my_server.py\n" +
			"看板上只有名字、课、结果，不写磁盘。谁都可以用任何名字：这不是考试。\n" +
			"The board holds names, lessons and results, and writes nothing to disk. Anybody may " +
			"report\nunder any name: it is not an examination. S, C: server, client passed; s, " +
			"c: not yet.\n\n" +
			"运行的时候输入 / type while it runs:\n" + classWords,
		Flags: flags.Once(
			langFlag(),
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Usage: "`ADDRESS`",
				Value: "127.0.0.1:" + strconv.Itoa(classPort)},
			&cli.BoolFlag{Name: "web", Usage: "也在浏览器里显示（投影用，只给这台机器）/ also a " +
				"page for the projector, for this machine alone"},
			&cli.IntFlag{Name: "per-address", Value: class.PerAddress,
				Usage: "同一个地址最多来 `N` 个学生 / most students from one address"},
		),
		OnUsageError: usageError,
		Action:       runClass,
	}
}

// classWords is the help of what a teacher types.
const classWords = "  vote 12            给第 12 课的预测投票 / vote on lesson 12's prediction\n" +
	"  close, show, end   结束投票；揭晓；收起 /\n" +
	"                     close the vote; show the answer; remove the vote\n" +
	"  qr                 学生页面的二维码 / the QR code of the students' page"

func runClass(c *cli.Context) error {
	if err := stray(c.Args().Slice(), "minissh-lab class --listen 127.0.0.1:8090"); err != nil {
		return err
	}
	p, err := printer(c)
	if err != nil {
		return err
	}
	if n := c.Int("per-address"); n < 1 || n > class.MaxStudents {
		return usage(fmt.Sprintf("--per-address 要在 1 到 %d 之间", class.MaxStudents),
			fmt.Sprintf("--per-address must be 1 to %d", class.MaxStudents), "--per-address 40")
	}
	l, err := listenForClass(c.String("listen"))
	if err != nil {
		return err
	}
	defer l.Close()
	board := class.NewBoard(checkedLessons(), questions(p.Lang))
	board.PerAddress = c.Int("per-address")
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	t, restore := newTeacher(c, p, board, cancel)
	defer restore()
	where := others(l.Addr())
	t.head = p.Lang.Text(fmt.Sprintf("老师的看板在 %s，Ctrl-C 结束", where),
		fmt.Sprintf("the class reports to %s, Ctrl-C ends", where)) + "\n" +
		"minissh-lab check 16 --class " + where + " --name … -- python3 my_server.py\n"
	if server.Beyond(l.Addr()) {
		t.link = "http://" + where + "/"
		t.head += p.Lang.Text("学生的页面（手机投票）："+t.link,
			"the students' page, to vote on a phone: "+t.link) + "\n"
	} else {
		t.head += p.Lang.Text("只有这台机器连得上；要给教室用：--listen 0.0.0.0:8090",
			"only this machine reaches it; for a classroom: --listen 0.0.0.0:8090") + "\n"
	}
	if c.Bool("web") {
		url, end, err := projectBoard(board, p.Lang, where, t.link != "")
		if err != nil {
			return err
		}
		defer end()
		t.head += p.Lang.Text("投影："+url, "for the projector: "+url) + "\n" // within 80 columns
	}
	shown := make(chan struct{})
	go func() { t.show(ctx); close(shown) }()
	t.listen(c.App.Reader)
	err = board.Serve(ctx, l, board.Phones(p.Lang, where), t.told)
	cancel()
	<-shown
	return err
}

// listenForClass binds the board's address.
func listenForClass(where string) (net.Listener, error) {
	network, address, err := server.ParseAddress(where, classPort, false)
	if err == nil && network != "tcp" {
		err = errors.New("the board listens on HOST:PORT")
	}
	if err != nil {
		return nil, usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
			"minissh-lab class --listen 127.0.0.1:8090")
	}
	l, err := net.Listen(server.Family(network, address), address)
	if err != nil {
		text := speak.Clean(err.Error())
		return nil, failure("不能监听 "+speak.Clean(address)+"："+text,
			"cannot listen on "+speak.Clean(address)+": "+text,
			"minissh-lab class --listen 127.0.0.1:0")
	}
	return l, nil
}

// checkedLessons are those that a report may be about.
func checkedLessons() (lessons []string) {
	for _, ch := range check.All() {
		lessons = append(lessons, ch.Lesson)
	}
	return lessons
}

// questions are the lessons' predictions, as a class votes on them.
func questions(lang speak.Lang) (all []class.Question) {
	for _, l := range lesson.All() {
		q := class.Question{Lesson: l.Name, Text: lang.Text(l.Ask.Text.Zh, l.Ask.Text.En),
			About: lang.Text(l.Run.Zh, l.Run.En), Code: l.Listing(lang), Right: l.Ask.Right()}
		for _, o := range l.Ask.Options {
			q.Options = append(q.Options, lang.Text(o.Text.Zh, o.Text.En))
		}
		all = append(all, q)
	}
	return all
}

// projectBoard serves the board's page on a free port of this machine, until end is called.
func projectBoard(board *class.Board, lang speak.Lang, where string, phones bool) (url string,
	end func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		text := speak.Clean(err.Error())
		return "", nil, failure("打不开投影的页面："+text,
			"cannot open the page for the projector: "+text, "minissh-lab class")
	}
	page := class.NewProjector(where, l.Addr(), phones)
	return page.URL(), class.ServePage(l, board.Page(lang, page)), nil
}

// others is the address that other machines type for a listener: where it listens on all of this
// machine's, the one that leads out of it, else the first in the local network.
func others(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return reachable(a)
	}
	// Nothing is sent: the system only chooses the address for it (192.0.2.0/24 is RFC 5737's).
	if out, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer out.Close()
		if at := out.LocalAddr().(*net.UDPAddr); at.IP.IsPrivate() {
			return net.JoinHostPort(at.IP.String(), port)
		}
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
