package paper

// cheat is the cheat sheet in one language.
type cheat struct {
	Title, Motto string
	Parts        []part
}

// part has a table, or code.
type part struct {
	Title string
	Rows  [][]string
	Code  string
}

const recvExact = `def recv_exact(s, n):
    data = b''
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data`

func cheatsheet(zh bool) *cheat {
	if zh {
		return &cheat{"粘包速查", "包没有粘，是流没有边界。minissh-lab lesson list", []part{
			{"课程的方言：线上是什么", [][]string{
				{"章", "客户端 → 服务端", "服务端 → 客户端"},
				{"6-9 echo", "hello", "HELLO"},
				{"11-12 裸发", "ls", "输出，没有边界"},
				{"14 ack", "命令，然后 recv_ready", "总长度（十进制字符），等 ack，再发数据"},
				{"15 简单版", "命令", "struct 'i' 总长度 + 数据"},
				{"16 终极版", "命令", "struct 'i' 报头长度 + JSON 报头 + 数据"},
				{"17-18 get", "get a.txt", "struct 'i' + JSON（文件名、md5、大小）+ 内容"},
				{"17-18 put", "put a.txt，紧接着 struct 'i' + JSON + 内容", "什么也不发"},
				{"20 UDP", "一个数据报", "一个数据报"},
				{"minissh", "length(4) type(1) flags(1) 0(2) channel(4)，大端，+ 内容", "一样"},
			}, ""},
			{"struct", [][]string{
				{"'i'", "4 字节，有符号，本机字节序（PC 上是小端）：3000 = b8 0b 00 00"},
				{"'<i' '!i'", "小端；大端（网络字节序）：3000 = 00 00 0b b8"},
				{"'I' 'q' 'H'", "无符号 4 字节；有符号 8 字节；无符号 2 字节"},
				{"收到的长度", "可能是 -1，也可能是 2147483647：先检查，再分配内存"},
			}, ""},
			{"send 和 recv", [][]string{
				{"send",
					"把字节交给系统，不是交给对方；可能只收下一部分，用 sendall；send(b'') " +
						"什么也不发"},
				{"recv(n)",
					"TCP：1 到 n 字节；b'' 是对方说完了（FIN），不是空消息。UDP：b'' " +
						"就是空的数据报"},
				{"一次 send", "≠ 一个 TCP 段 ≠ 一次 recv"},
				{"汉字", "长度是 len(text.encode())，不是 len(text)；收齐了再 decode"},
			}, recvExact},
			{"大家以为的，和量出来的", [][]string{
				{"Nagle 粘的",
					"send 两次，600 回都是 2 个段，一次 recv 还是收到两条：它们在接收缓冲里碰上了"},
				{"关掉 Nagle 就好", "接收方忙 10 ms：100 次粘 100 次"},
				{"sleep 就好", "隔 10 ms 发，接收方忙 50 ms：60 次粘 60 次"},
				{"报头分开写不要紧",
					"两次小的写再读：约 44 ms（Nagle 等延迟的 ack）；合成一次写：0.01 ms"},
				{"if len(r) < 1024: break", "少于 1024 不等于完了：半包也少于 1024"},
				{"UDP 没麻烦", "不粘，但 recvfrom(5) 收 10 字节的数据报，另外 5 字节没了"},
			}, ""},
		}}
	}
	return &cheat{"Streams: the cheat sheet", "No packet stuck: the stream has no boundaries. " +
		"minissh-lab lesson list", []part{
		{"The course's dialects: what is on the wire", [][]string{
			{"chapter", "client → server", "server → client"},
			{"6-9 echo", "hello", "HELLO"},
			{"11-12 naive", "ls", "the output, without boundaries"},
			{"14 ack", "command, then recv_ready", "length in digits, waits for the ack, data"},
			{"15 simple", "command", "struct 'i' length + data"},
			{"16 ultimate", "command", "struct 'i' header length + JSON header + data"},
			{"17-18 get", "get a.txt", "struct 'i' + JSON (name, md5, size) + contents"},
			{"17-18 put", "put a.txt, at once struct 'i' + JSON + contents", "nothing"},
			{"20 UDP", "one datagram", "one datagram"},
			{"minissh", "length(4) type(1) flags(1) 0(2) channel(4), big-endian, + payload",
				"the same"},
		}, ""},
		{"struct", [][]string{
			{"'i'", "4 bytes, signed, the machine's own order (little-endian on a PC): 3000 = " +
				"b8 0b 00 00"},
			{"'<i' '!i'", "little-endian; big-endian (network order): 3000 = 00 00 0b b8"},
			{"'I' 'q' 'H'", "4 bytes unsigned; 8 bytes signed; 2 bytes unsigned"},
			{"a length received", "may be -1 or 2147483647: check it, then allocate"},
		}, ""},
		{"send and recv", [][]string{
			{"send", "hands bytes to the system, not to the peer; may take only a part: use " +
				"sendall; send(b'') sends nothing"},
			{"recv(n)",
				"TCP: 1 to n bytes; b'' means that the peer is done (FIN), never an empty " +
					"message. UDP: b'' is an empty datagram"},
			{"one send", "≠ one TCP segment ≠ one recv"},
			{"characters", "a length is len(text.encode()), not len(text); decode when all is " +
				"there"},
		}, recvExact},
		{"What people believe, and what was measured", [][]string{
			{"Nagle sticks them", "two sends were 2 segments in 600 of 600 runs, and one recv " +
				"still held both: they met in the receive buffer"},
			{"no Nagle, no trouble", "receiver busy for 10 ms: 100 of 100 stuck"},
			{"sleep fixes it", "sends 10 ms apart, receiver busy for 50 ms: 60 of 60 stuck"},
			{"framing is free", "two small writes, then a read: about 44 ms (Nagle waits for a " +
				"delayed ack); joined in one write 0.01 ms"},
			{"if len(r) < 1024: break", "fewer than 1024 bytes are not the end: half a message " +
				"is fewer, too"},
			{"UDP has no trouble", "nothing sticks, but recvfrom(5) of a 10-byte datagram loses " +
				"the other 5"},
		}, ""},
	}}
}
