package check

// Belief is a misconception and the truth. Bug numbers those of the course's
// copied programs, 1 to 9; 0 is something else.
type Belief struct {
	Bug      int
	Believed Text
	Truth    Text
	Remedy   Text
}

var (
	overCount = &Belief{1,
		tx("recv_size += len(recv_data) 数的是收到的字节",
			"recv_size += len(recv_data) counts what has come"),
		tx("recv_data 是累加的：旧的字节被数了一遍又一遍，循环提前结束，剩下的粘到下一条前面",
			"recv_data accumulates: old bytes are counted again, the loop ends early, the rest "+
				"comes before the next message"),
		tx("res = recv(…); recv_data += res; recv_size += len(res)",
			"res = recv(…); recv_data += res; recv_size += len(res)")}
	putGlued = &Belief{2,
		tx("第一次 recv 收到的就是命令", "the first recv holds the command"),
		tx("命令、长度、报头、文件是一条流：一次 recv 可能全收到",
			"command, length, header and file are one stream: one recv may hold them all"),
		tx("命令也要有边界；多收的字节留给下一步",
			"give the command a boundary too; keep what came beyond it for the next step")}
	emptyOutput = &Belief{3,
		tx("没有输出就 send(b'')", "no output: send(b'')"),
		tx("send(b'') 什么也不发，客户端一直等",
			"send(b'') sends nothing; the client waits for ever"),
		tx("总要回答：长度 0 的报头，或一行字",
			"always answer: a header with length 0, or a line of text")}
	shortRecv = &Belief{4,
		tx("recv(n) 会收满 n 字节；连接断了会报错",
			"recv(n) gives n bytes; a closed connection raises an error"),
		tx("recv(4) 可能只有 1 字节；对方关闭后 recv 立刻返回 b''，而且永远如此，循环就空转",
			"recv(4) may give 1 byte; after the end recv returns b'' at once and for ever: the "+
				"loop spins"),
		tx("写一个 recv_exact(n)：循环收，收到 b'' 就报错",
			"write recv_exact(n): loop, and raise on b''")}
	missingFile = &Belief{5,
		tx("客户端要的文件总是存在", "the file that a client asks for exists"),
		tx("open 抛异常，整个服务端就没了，别的客户端也没了",
			"open raises, and the whole server is gone, for every client"),
		tx("先看文件在不在；回答一个 size 为 0、带 error 的报头",
			"look first; answer with a header of size 0 and an error")}
	charsNotBytes = &Belief{6,
		tx("len(字符串) 就是要发的长度", "len(text) is the length to send"),
		tx("网络上走的是字节：一个汉字在 UTF-8 里是 3 字节",
			"bytes travel: a Chinese character is 3 bytes in UTF-8"),
		tx("先 encode，再 len", "encode first, then len")}
	cutCharacter = &Belief{7,
		tx("recv(1024).decode('utf-8') 总能解码", "recv(1024).decode('utf-8') always works"),
		tx("1024 可能正好切在一个汉字中间", "1024 may fall inside a character"),
		tx("收完整再 decode 一次", "collect all the bytes, then decode once")}
	traversal = &Belief{8,
		tx("文件名就是文件名", "a file name is a file name"),
		tx("对方发来的名字里可以有 ../ 或 /：他在写你的硬盘",
			"the peer's name may hold ../ or /: it writes on your disk"),
		tx("只用 os.path.basename(name)，或者拒绝", "use os.path.basename(name) only, or refuse")}
	trustedLength = &Belief{9,
		tx("长度是对方算的，不会错", "the length was computed by the peer, so it is right"),
		tx("4 字节可以是 -1，也可以是 2147483647", "four bytes may say -1, or 2147483647"),
		tx("if not 0 <= n <= LIMIT: 报错，关闭连接",
			"if not 0 <= n <= LIMIT: say so and close the connection")}

	oneRecv = &Belief{0,
		tx("一次 send 对应一次 recv", "one send is one recv"),
		tx("流没有边界：一次 recv 可能是半条，也可能是两条",
			"the stream has no boundaries: one recv may be half a message, or two"),
		tx("先发长度，再循环收满", "send the length first, then receive until it is complete")}
	acceptInLoop = &Belief{0,
		tx("每条消息都要 accept", "each message needs an accept"),
		tx("accept 等的是新的连接：老连接的第二条消息没人收",
			"accept waits for a new connection: nobody reads the second message of the old one"),
		tx("accept 放在收发循环外面", "accept outside the loop that receives and sends")}
	resetKills = &Belief{0,
		tx("客户端总会好好地关闭", "clients always leave politely"),
		tx("客户端可能被杀：recv 抛 ConnectionResetError（哪个系统都会）",
			"a client may be killed: recv raises ConnectionResetError, on every system"),
		tx("try … except ConnectionResetError: 关掉这个连接，接着 accept",
			"try … except ConnectionResetError: close this connection, accept the next")}
	addressInUse = &Belief{0,
		tx("程序停了，端口就空了", "when the program ends, the port is free"),
		tx("先关闭的一方留下 TIME_WAIT：bind 会说 Address already in use",
			"the end that closes first stays in TIME_WAIT: bind says Address already in use"),
		tx("bind 之前 setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)",
			"setsockopt(SOL_SOCKET, SO_REUSEADDR, 1) before bind")}
	oneAtATime = &Belief{0,
		tx("listen(5) 就能同时服务 5 个客户端", "listen(5) serves five clients at once"),
		tx("5 是排队的长度：没有并发，第二个客户端一直等",
			"5 is the length of the queue: without concurrency the second client waits"),
		tx("每个连接一个线程，或 socketserver.ThreadingTCPServer",
			"a thread for each connection, or socketserver.ThreadingTCPServer")}
	datagramCut = &Belief{0,
		tx("UDP 不会丢数据，剩下的下次再收", "with UDP the rest comes with the next recvfrom"),
		tx("recvfrom(n) 收不下的部分直接丢掉", "what recvfrom(n) cannot hold is gone"),
		tx("缓冲区开大（65535），一问一答都编号", "a large buffer (65535), and a sequence number")}
	leftBehind = &Belief{0,
		tx("程序停了，套接字文件也没了", "when the program ends, the socket file is gone"),
		tx("AF_UNIX 的文件一直在，下次 bind 会失败",
			"the file of an AF_UNIX socket stays, and the next bind fails"),
		tx("结束时 os.remove(path)（放在 finally 里）", "os.remove(path) at the end, in a finally")}
)
