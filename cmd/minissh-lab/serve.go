package main

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "充当某种方言的服务端  /  be the server of a dialect",
		ArgsUsage: " ",
		Description: "给你的客户端一个服务端。命令是模拟的，绝不会启动进程。\n" +
			"A server for your client. Commands are played: no process is ever started.\n\n" +
			dialectTable(),
		Flags: flags.Once(append([]cli.Flag{
			&cli.StringFlag{Name: "dialect", Aliases: []string{"d"}, Value: "naive",
				Usage: "`NAME`: " + dialectNames()},
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"},
				Usage: "`ADDRESS`: 127.0.0.1:8080, [::1]:8080, unix:PATH"},
			&cli.DurationFlag{
				Name: "pace", Usage: "每次回答前等这么久 / wait before each reply, such as " +
					"`100ms`"},
			&cli.DurationFlag{Name: "idle", Value: 5 * time.Minute,
				Usage: "对方这么久不说话就断开 / disconnect after this silence, `5m`"},
			&cli.BoolFlag{Name: "two-datagrams",
				Usage: "udp-exec：stderr、stdout 各一个数据报 / one datagram each"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"},
				Usage: "不显示每次 recv 和 send / do not show each recv and send"},
		}, dialectFlags()...)...),
		OnUsageError: usageError,
		Action:       serve,
	}
}

func serve(c *cli.Context) error {
	if err := stray(c.Args().Slice(),
		"minissh-lab serve --dialect naive --listen 127.0.0.1:8080"); err != nil {
		return err
	}
	p, err := printer(c)
	if err != nil {
		return err
	}
	d, err := chosenDialect(c.String("dialect"))
	if err != nil {
		return err
	}
	o, err := dialectOptions(c)
	if err != nil {
		return err
	}
	o.Timeout, o.TwoParts = c.Duration("idle"), c.Bool("two-datagrams")
	network, address, err := server.ParseAddress(c.String("listen"), d.Port, d.Datagram)
	if err != nil {
		return usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
			"--listen 127.0.0.1:"+strconv.Itoa(d.Port))
	}
	cfg := server.Config{Dialect: d, Network: network, Address: address, Options: o}
	if !c.Bool("quiet") {
		cfg.Log = serverLog(p)
	}
	if d.Kind == dialect.Files {
		f, err := folderFor(c)
		if err != nil {
			return err
		}
		defer f.Close()
		cfg.Options.Folder = f
		sayFolder(p, f)
	}
	s, err := server.Listen(cfg)
	if err != nil {
		return listenProblem(err, d, network, address)
	}
	sayListening(p, d, s.Addr())
	err = s.Serve(c.Context)
	p.Say("已停止", "stopped")
	return err
}

// serverLog prints a server's events with the number of the connection.
func serverLog(p *speak.Printer) func(server.Peer, dialect.Event) {
	log := newEventLog(p)
	return func(peer server.Peer, e dialect.Event) {
		prefix := fmt.Sprintf("#%-3d ", peer.N)
		switch e.Op {
		case server.Opened:
			log.print(peer.N, prefix, dialect.Event{Op: dialect.Note, Zh: e.Zh + " " + peer.Addr,
				En: e.En})
		case server.Closed:
			log.end(peer.N, prefix)
			log.print(peer.N, prefix, dialect.Event{Op: dialect.Note, Zh: e.Zh, En: e.En})
			log.end(peer.N, prefix)
		default:
			log.print(peer.N, prefix, e)
		}
	}
}

// sayListening is the ready text: what is spoken, where, and how to try it.
func sayListening(p *speak.Printer, d *dialect.Dialect, a net.Addr) {
	p.Say(fmt.Sprintf("%s · 第 %s 章 · %s", d.Name, d.Chapters, d.Zh),
		fmt.Sprintf("chapters %s · %s", d.Chapters, d.En))
	p.Sayf("正在监听 %s，Ctrl-C 结束", "listening on %s, Ctrl-C ends", addressText(a))
	switch beyond := server.Beyond(a); {
	case beyond && d.Kind == dialect.Files:
		p.Say("同一网络里的人都能读写这个目录里的文件",
			"others on the network can get and put files in this folder")
	case beyond:
		p.Say("同一网络里的人都连得上；命令是模拟的，不会启动进程",
			"others on the network reach it; commands are played, no process is started")
	}
	p.Sayf("试一试：minissh-lab connect --dialect %s %s",
		"try: minissh-lab connect --dialect %s %s", d.Name, reachable(a))
}

// addressText writes an address as --listen takes it.
func addressText(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + speak.Clean(a.String())
	}
	return a.String()
}

// reachable is the address that a client on this machine types.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addressText(a)
}

// listenProblem says why an address cannot be had, with a command that can.
func listenProblem(err error, d *dialect.Dialect, network, address string) error {
	at := speak.Clean(address)
	again := func(address string) string {
		return fmt.Sprintf("minissh-lab serve --dialect %s --listen %s", d.Name, address)
	}
	host, portText, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(portText)
	switch {
	case server.InUse(err) && network == "unix":
		return failure("文件 "+at+" 已经在了，有服务端正在用，或者它不是套接字",
			at+" exists: a server uses it, or it is not a socket", again("unix:"+at+"2"))
	case server.InUse(err):
		return failure("地址 "+at+" 已被占用（Address already in use）：可能上一个服务端还开着",
			"address "+at+" is already in use: perhaps an earlier server still runs",
			again(freePort(d, network, host, port)))
	case server.Denied(err) && network != "unix":
		return failure("没有权限用 "+at+"：0 到 1023 号端口留给系统",
			"no permission for "+at+": ports 0 to 1023 are reserved",
			again(net.JoinHostPort(host, strconv.Itoa(d.Port))))
	case server.NoSuchAddress(err):
		return failure("这台机器没有地址 "+at, "this machine does not have the address "+at,
			again(net.JoinHostPort("127.0.0.1", portText)))
	}
	text := speak.Clean(err.Error())
	return failure("不能监听 "+at+"："+text, "cannot listen on "+at+": "+text,
		again("127.0.0.1:"+strconv.Itoa(d.Port)))
}

// freePort finds a port above the busy one; 0, any port, when there is none near.
func freePort(d *dialect.Dialect, network, host string, port int) string {
	for next := port + 1; next <= min(port+20, 65535); next++ {
		address := net.JoinHostPort(host, strconv.Itoa(next))
		if s, err := server.Listen(server.Config{Dialect: d, Network: network,
			Address: address}); err == nil {
			s.Close()
			return address
		}
	}
	return net.JoinHostPort(host, "0")
}
