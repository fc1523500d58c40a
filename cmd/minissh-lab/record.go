package main

import (
	"net"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/relay"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/tape"
)

// recording is what the command line asks for.
type recording struct {
	relay          relay.Config
	server, client []string // programs that the lab starts; nil for none
	dialect        *dialect.Dialect
	bigEndian      bool
	save           string
}

func record(c *cli.Context) error {
	p, err := printer(c)
	if err != nil {
		return err
	}
	r, err := recordWords(c)
	if err != nil {
		return err
	}
	switch open, beside := c.String("open"), c.String("beside"); {
	case open == "" && beside != "":
		return usage("--beside 和 --open 一起用", "--beside comes with --open",
			"minissh-lab record --open mine.run --beside "+speak.Clean(beside))
	case open != "" &&
		(r.server != nil || r.client != nil || c.IsSet("between") || r.save != ""):
		return usage("--open 只看存下来的，不运行程序",
			"--open shows a saved run, and runs nothing",
			"minissh-lab record --open "+speak.Clean(open))
	case open == "" && (c.String("html") != "" || c.String("pcap") != ""):
		return usage("--html 和 --pcap 与 --open 一起用：先用 --save 存下来",
			"--html and --pcap come with --open: first keep the run with --save",
			"minissh-lab record --open mine.run --html mine.html")
	case c.Bool("web") && (c.String("html") != "" || c.String("pcap") != ""):
		return usage("--web 不能和 --html、--pcap 一起用",
			"--web does not go with --html or --pcap",
			"minissh-lab record --open "+speak.Clean(open)+" --web")
	case beside != "" && (c.String("html") != "" || c.String("pcap") != ""):
		return exportRun(c, p, r, open, beside)
	case c.String("html") != "" || c.String("pcap") != "":
		return exportRun(c, p, r, open)
	case open != "" && c.Bool("web") && beside != "":
		return showInWeb(c, p, r, open, beside)
	case open != "" && c.Bool("web"):
		return showInWeb(c, p, r, open)
	case open != "" && beside != "":
		return showBeside(c, p, r, open, beside)
	case open != "":
		return showSaved(p, r, open)
	}
	if err := r.place(c); err != nil {
		return err
	}
	return r.run(c, p)
}

// recordWords takes the command line apart.
func recordWords(c *cli.Context) (r recording, err error) {
	words := c.Args().Slice()
	if c.IsSet("between") { // the parser has stopped at TARGET
		if len(words) == 0 {
			return r, usage("--between 要两个地址：客户端连的，服务端的",
				"--between wants two addresses: the client's, then the server's",
				"minissh-lab record --between 8080 9000")
		}
		r.relay.TargetAddress = words[0]
		if words, err = flagsAfter(c, recordFlags(), words[1:]); err != nil {
			return r, err
		}
	}
	r.save = c.String("save")
	if c.Bool("client") {
		r.client = words
	} else {
		r.server, r.client = twoPrograms(words)
	}
	if len(r.client) == 0 && (c.Bool("client") || r.client != nil) {
		return r, usage("没有程序：写在 -- 后面", "no program: it comes after --",
			"minissh-lab record --client -- python3 client.py {port}")
	}
	if name := c.String("dialect"); name != "auto" {
		if r.dialect, err = chosenDialect(name); err != nil {
			return r, err
		}
		if r.dialect.Datagram {
			return r, usage("record 只用于 TCP 和 Unix 套接字："+name+" 用 UDP",
				"record is for TCP and Unix sockets, and "+name+" is UDP", "--dialect auto")
		}
	}
	switch c.String("byte-order") {
	case "little":
	case "big":
		r.bigEndian = true
	default:
		return r, usage("--byte-order：只有 little 和 big", "--byte-order: want little or big",
			"--byte-order big")
	}
	return r, nil
}

// twoPrograms takes `SERVER … --client -- CLIENT …` apart; nil is a program that is not there.
func twoPrograms(words []string) (server, client []string) {
	for i := range len(words) - 1 {
		if words[i] == "--client" && words[i+1] == "--" {
			words, client = words[:i], append([]string{}, words[i+2:]...)
			break
		}
	}
	if len(words) > 0 {
		server = words
	}
	return server, client
}

// place finds out who connects where. The default is the course's own port for the server and the
// next one for its clients, or the other way round when the server can be told its port.
func (r *recording) place(c *cli.Context) error {
	if r.server == nil && r.client == nil && !c.IsSet("between") {
		return usage("记录哪个程序？写在 -- 后面", "record which program? It comes after --",
			recordForm)
	}
	listen, target := strconv.Itoa(recordPort), strconv.Itoa(coursePort)
	switch {
	case c.IsSet("between"):
		listen, target = c.String("between"), r.relay.TargetAddress
	case anyWantsAddress(r.server):
		free, err := freeAddress("tcp")
		if err != nil {
			return failure("没有空闲的端口", "no free port",
				"minissh-lab record --between 8080 9000 -- …")
		}
		listen, target = strconv.Itoa(coursePort), free
	}
	var err error
	for _, a := range []struct {
		text             string
		network, address *string
	}{{listen, &r.relay.Network, &r.relay.Address},
		{target, &r.relay.TargetNetwork, &r.relay.TargetAddress}} {
		*a.network, *a.address, err = server.ParseAddress(a.text, coursePort, false)
		if err != nil {
			return usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
				"minissh-lab record --between 8080 9000")
		}
	}
	if r.relay.Network == "tcp" && !c.Bool("beyond-loopback") && !onLoopback(r.relay.Address) {
		at := speak.Clean(r.relay.Address)
		return usage("别的机器也连得上 "+at+"，而你的服务端可能替它们运行命令",
			"other machines can reach "+at+", and your server may run commands for them",
			"minissh-lab record --between 8080 9000, or --beyond-loopback if you want that")
	}
	if r.server != nil {
		r.server = fillAddress(r.server, r.relay.TargetNetwork, r.relay.TargetAddress)
	}
	r.relay.Tape = tape.New()
	return nil
}

func anyWantsAddress(words []string) bool {
	for _, w := range words {
		if wantsAddress(w) {
			return true
		}
	}
	return false
}

// onLoopback reports an address that this machine alone can reach.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(strings.Split(host, "%")[0])
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// relayProblem says why an address cannot be had.
func (r *recording) relayProblem(err error) error {
	at := speak.Clean(r.relay.Address)
	const hint = "minissh-lab record --between 8082 8080"
	switch {
	case err == relay.ErrItself:
		return usage("客户端连的和服务端的是同一个地址 "+at,
			"the client's address and the server's are the same one: "+at, hint)
	case server.InUse(err):
		return failure("地址 "+at+" 已被占用（你的服务端已经在那里？客户端要连的是实验室）",
			"address "+at+" is already in use (by your server? The lab takes the place that the "+
				"client connects to)", hint)
	case server.Denied(err) && r.relay.Network != "unix":
		return failure("没有权限用 "+at+"：0 到 1023 号端口留给系统",
			"no permission for "+at+": ports 0 to 1023 are reserved", hint)
	case server.NoSuchAddress(err):
		return failure("这台机器没有地址 "+at, "this machine does not have the address "+at, hint)
	}
	text := speak.Clean(err.Error())
	return failure("不能监听 "+at+"："+text, "cannot listen on "+at+": "+text, hint)
}
