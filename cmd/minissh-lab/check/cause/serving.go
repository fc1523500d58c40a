package cause

// What people believe about servers and files.
var (
	MissingFile = &Belief{"missing-file",
		Say("客户端要的文件总是存在", "the file that a client asks for exists"),
		Say("open 抛异常，整个服务端就没了，别的客户端也没了",
			"open raises, and the whole server is gone, for every client"),
		Say("先看文件在不在；回答一个 size 为 0、带 error 的报头",
			"look first; answer with a header of size 0 and an error")}
	MissingReply = &Belief{"missing-file",
		Say("要的文件服务端总是有", "the server has the file"),
		Say("服务端可以回答 size 0 和 error：那不是一个文件",
			"the server may answer size 0 and an error: there is no such file then"),
		Say("if header.get('error'): print(…)，接着下一条命令",
			"if header.get('error'): print(…), and on to the next command")}
	TraversalPut = &Belief{"traversal-put",
		Say("对方发来的文件名可以直接用", "a file name is a file name"),
		Say("对方发来的名字里可以有 ../ 或 /：他在写你的硬盘",
			"the peer's name may hold ../ or /: it writes on your disk"),
		Say("只用 os.path.basename(name)，或者拒绝", "use os.path.basename(name) only, or refuse")}
	TraversalGet = &Belief{"traversal-get",
		Say("客户端只会要共享目录里的文件", "clients ask for shared files only"),
		Say("名字里可以有 ../ 或 /：他在读你的硬盘",
			"the name may hold ../ or /: it reads your disk"),
		Say("只用 os.path.basename(name)，或者拒绝", "use os.path.basename(name) only, or refuse")}
	AcceptInLoop = &Belief{"accept-in-loop",
		Say("每条消息都要 accept", "each message needs an accept"),
		Say("accept 等的是新的连接：老连接的第二条消息没人收",
			"accept waits for a new connection: nobody reads the second message of the old one"),
		Say("accept 放在收发循环外面", "accept outside the loop that receives and sends")}
	OneMessage = &Belief{"answers-once",
		Say("一个连接只有一条消息", "a connection is one message"),
		Say("第一条回答以后服务端就关了连接：第二条没人收",
			"the server closes the connection after its first answer: nobody reads the second"),
		Say("收发放进循环里，收到 b'' 才关", "receive and send in a loop; close when b'' comes")}
	ServesOnce = &Belief{"accept-once",
		Say("一个客户端走了，服务端的事就完了", "the server is done when its client has left"),
		Say("服务端要一直在：第一个走了，还有下一个",
			"a server is there for ever: after the first client comes the next"),
		Say("accept 外面再套一个 while True", "a while True around accept")}
	Background = &Belief{"background",
		Say("服务端要自己放到后台去（fork 两次、daemon）",
			"a server has to put itself into the background (fork twice, daemon)"),
		Say("后台的进程没有人看着：它还占着端口，谁也不知道它死了没有",
			"nobody watches a process in the background: it keeps the port, and nobody knows "+
				"whether it is still alive"),
		Say("在前台运行；要放到后台，用 shell 的 & 或者 systemd",
			"run it in the foreground; the shell's & or systemd puts it into the background")}
	ResetKills = &Belief{"reset-kills",
		Say("客户端总会好好地关闭", "clients always leave politely"),
		Say("客户端可能异常断开：recv 会抛 ConnectionResetError（哪个系统都可能）",
			"a client may be killed: recv raises ConnectionResetError, on every system"),
		Say("try … except ConnectionResetError: 关掉这个连接，接着 accept",
			"try … except ConnectionResetError: close this connection, accept the next")}
	AddressInUse = &Belief{"no-reuseaddr",
		Say("程序一停，端口马上就能再用", "when the program ends, the port is free"),
		Say("先关闭的一方留下 TIME_WAIT：bind 会说 Address already in use",
			"the end that closes first stays in TIME_WAIT: bind says Address already in use"),
		Say("bind 之前 setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)",
			"setsockopt(SOL_SOCKET, SO_REUSEADDR, 1) before bind")}
	TraversalHeader = &Belief{"traversal-get",
		Say("服务端给的文件名就是我要的那个", "the server names the file that was asked for"),
		Say("报头里的名字可以有 ../ 或 /：服务端在写你的硬盘",
			"the name in the header may hold ../ or /: the server writes on your disk"),
		Say("用自己要的名字，或者 os.path.basename(name)",
			"use the name that you asked for, or os.path.basename(name)")}
	ClosesListener = &Belief{"closes-listener",
		Say("关哪个都是关", "closing is closing"),
		Say("关掉的是监听的那个套接字：accept 再也用不了",
			"the listening socket was closed: accept works no more"),
		Say("客户端走了，关的是 conn", "close conn when its client has left")}
	WrongAddress = &Belief{"wrong-address",
		Say("书上的地址就是我的地址", "the address in the book is mine"),
		Say("bind 的地址不是这台机器的", "the address in bind is not this machine's"),
		Say("bind(('127.0.0.1', 8080))", "bind(('127.0.0.1', 8080))")}
	ConnectInLoop = &Belief{"connect-in-loop",
		Say("每条消息都要 connect", "each message needs a connect"),
		Say("一个套接字只能 connect 一次", "a socket connects once"),
		Say("connect 放在循环外面", "connect outside the loop")}
	WrongSocketType = &Belief{"wrong-socket-type",
		Say("SOCK_STREAM 和 SOCK_DGRAM 差不多", "SOCK_STREAM and SOCK_DGRAM are much the same"),
		Say("这一章是 UDP，程序用的是 TCP", "this chapter is about UDP, and the program uses TCP"),
		Say("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
			"socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")}
	EmptyIsEnd = &Belief{"empty-is-end",
		Say("收到空的，就是对方走了", "nothing received means that the peer has left"),
		Say("UDP 没有连接：空数据报就是一条空消息",
			"UDP has no connection: an empty datagram is an empty message"),
		Say("不要 if not data: break", "no `if not data: break` here")}
	FirstClientOnly = &Belief{"first-client-only",
		Say("UDP 也要先 connect", "UDP needs a connect too"),
		Say("connect 以后只收这一个客户端的，别人的都丢了",
			"after connect only that one client is heard"),
		Say("sendto(data, client_addr)，不要 connect", "sendto(data, client_addr), and no connect")}
	NoAck = &Belief{"no-ack",
		Say("收到长度，接着收数据就行", "after the length the data follows"),
		Say("这个方言里服务端等你说准备好了：两边都在等",
			"in this dialect the server waits until you say that you are ready: both wait"),
		Say("phone.send(b'recv_ready')，再收数据", "phone.send(b'recv_ready'), then receive")}
	WrongDialect = &Belief{"wrong-dialect",
		Say("每一章的命令都一样", "every chapter's commands are alike"),
		Say("第 19 章的 get 是 JSON：[\"get\", \"a.txt\"]",
			"chapter 19's get is JSON: [\"get\", \"a.txt\"]"),
		Say("phone.send(json.dumps(['get', name]).encode('utf-8'))",
			"phone.send(json.dumps(['get', name]).encode('utf-8'))")}
	StringForBytes = &Belief{"str-for-bytes",
		Say("字符串可以直接发", "a string can be sent"),
		Say("网络上走的是字节，str 要先 encode", "bytes travel: a str must be encoded first"),
		Say("text.encode('utf-8')", "text.encode('utf-8')")}
	OneAtATime = &Belief{"one-at-a-time",
		Say("listen(5) 就能同时服务 5 个客户端", "listen(5) serves five clients at once"),
		Say("5 只是等待 accept 的队列长度；不用线程，第二个客户端就一直等",
			"5 is the length of the queue: without concurrency the second client waits"),
		Say("每个连接一个线程，或 socketserver.ThreadingTCPServer",
			"a thread for each connection, or socketserver.ThreadingTCPServer")}
	DatagramCut = &Belief{"datagram-cut",
		Say("UDP 不会丢数据，剩下的下次再收", "with UDP the rest comes with the next recvfrom"),
		Say("recvfrom(n) 收不下的部分直接丢掉", "what recvfrom(n) cannot hold is gone"),
		Say("缓冲区开到 65535，问和答都带上编号", "a large buffer (65535), and a sequence number")}
	LeftBehind = &Belief{"file-stays",
		Say("程序停了，套接字文件也没了", "when the program ends, the socket file is gone"),
		Say("AF_UNIX 的文件一直在，下次 bind 会失败",
			"the file of an AF_UNIX socket stays, and the next bind fails"),
		Say("结束时 os.remove(path)（放在 finally 里）",
			"os.remove(path) at the end, in a finally")}
	NoUpper = &Belief{"no-upper",
		Say("收到什么发回什么", "send back what has come"),
		Say("回来的和发去的一模一样：这一章的服务端要回大写",
			"what came back is what was sent: this chapter's server answers in upper case"),
		Say("conn.send(data.upper())", "conn.send(data.upper())")}
)
