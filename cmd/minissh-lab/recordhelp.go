package main

import (
	"github.com/urfave/cli/v2"

	"minissh/protocol/flags"
)

// coursePort is where the course's servers listen, and recordPort where clients of such a server
// connect to.
const (
	coursePort = 8080
	recordPort = coursePort + 1
)

const recordForm = "minissh-lab record -- python3 server.py"

func recordFlags() []cli.Flag {
	return flags.Once(append(exportFlags(),
		langFlag(),
		&cli.BoolFlag{Name: "client", Usage: "-- 后面是客户端 / after -- comes the client"},
		&cli.StringFlag{Name: "between", Usage: "`LISTEN` TARGET：客户端连前一个，服务端在" +
			"后一个 / the client connects to the first, the server is at the second"},
		&cli.BoolFlag{Name: "beyond-loopback", Usage: "别的机器也能连 LISTEN / let other " +
			"machines connect to LISTEN"},
		&cli.StringFlag{Name: "dialect", Aliases: []string{"d"}, Value: "auto",
			Usage: "按哪种方言解码 / how to decode: `NAME`: auto|" + dialectNames()},
		&cli.StringFlag{Name: "byte-order", Value: "little",
			Usage: "--dialect 的长度 / lengths of --dialect: `little|big`"},
		&cli.StringFlag{Name: "save",
			Usage: "存成一个新的文件 / keep the run in a new `FILE`"},
		&cli.StringFlag{Name: "open",
			Usage: "看存下来的 / show a run that was saved: `FILE`"},
		&cli.StringFlag{Name: "beside",
			Usage: "和 --open 的并排 / show it beside that of --open: `FILE`"},
		&cli.BoolFlag{Name: "strace", Usage: "看见由实验室启动的程序的每次 send、recv" +
			"（Linux，要有 strace；程序会慢一点） / see each send and recv of the programs that " +
			"the lab starts (Linux, with strace; it slows them down a little)"},
		&cli.BoolFlag{Name: "web",
			Usage: "也在浏览器里画四条道 / draw the four lanes in a browser, too"},
	)...)
}

func recordCommand() *cli.Command {
	return &cli.Command{
		Name: "record",
		Usage: "你自己的客户端和服务端之间的每个字节  /  every byte between your own client and " +
			"server",
		ArgsUsage:    "[-- SERVER ARGUMENTS…] [--client -- CLIENT ARGUMENTS…]",
		Description:  recordHelp,
		Flags:        recordFlags(),
		OnUsageError: usageError,
		Action:       record,
	}
}

const recordHelp = `实验室站在你的客户端和服务端中间，把字节照样传过去，记下哪一块、什么时候、几个
TCP 段，并解出长度和报头。
The lab is between your client and your server. It passes the bytes on as they come,
and shows which piece came when, in how many TCP segments, and the lengths and headers in it.

  record -- python3 server.py
      服务端照书上写，在 8080；客户端里的 8080 改成 8081
      the server is on 8080 as in the book; change 8080 to 8081 in your client
  record -- python3 server.py {port}
      服务端用空闲的端口；客户端不用改，还连 8080
      the server takes a free port; your client stays as it is and connects to 8080
  record --client -- python3 client.py {port}
      服务端自己在 8080 运行；{port} 是实验室的端口
      your server runs by itself on 8080; {port} is the lab's
  record -- python3 server.py --client -- python3 client.py {port}
      两个都由实验室启动
      the lab starts both
  record --between 8080 9000
      两个都自己运行：客户端连 8080，服务端在 9000；也可以写 unix:PATH
      both run by themselves: the client connects to 8080, the server is on 9000;
      unix:PATH works, too

  record --save mine.run -- python3 server.py
  record --open mine.run
  record --open mine.run --beside mended.run
      加上 --web：在浏览器里画四条道，一边记一边看也可以
      with --web: the four lanes in a browser, also while it is being recorded
  record --open mine.run --html mine.html --pcap mine.pcapng
      网页不联网、没有实验室也能重放；抓包文件用 Wireshark 看
      the page replays it without a network or a lab; Wireshark opens the capture

最多记 16 MiB、100000 块，然后只传不记。只有 TCP 和 Unix 套接字。
It keeps at most 16 MiB and 100,000 pieces, and then passes bytes on without recording them.
TCP and Unix sockets only.`
