package cause

import "fmt"

// Text is one thing said in both languages.
type Text struct{ Zh, En string }

// Say formats both languages with the same arguments.
func Say(zh, en string, args ...any) Text {
	if len(args) == 0 {
		return Text{zh, en}
	}
	return Text{fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...)}
}

// Plus is t, then u.
func (t Text) Plus(u Text) Text { return Text{t.Zh + u.Zh, t.En + u.En} }

// Belief is a misconception and the truth. Name is the same in every language and never shown.
type Belief struct {
	Name     string
	Believed Text
	Truth    Text
	Remedy   Text
}

// What people believe about streams.
var (
	OverCounting = &Belief{"over-counting",
		Say("recv_size += len(recv_data) 数的是收到的字节",
			"recv_size += len(recv_data) counts what has come"),
		Say("recv_data 是累加的：旧的字节被数了一遍又一遍，循环提前结束，没收的和下一条粘在一起",
			"recv_data accumulates: old bytes are counted again, the loop ends early, the rest "+
				"comes before the next message"),
		Say("res = recv(…); recv_data += res; recv_size += len(res)",
			"res = recv(…); recv_data += res; recv_size += len(res)")}
	PutGlued = &Belief{"put-glued",
		Say("第一次 recv 收到的就是命令", "the first recv holds the command"),
		Say("命令、长度、报头、文件是一条流：一次 recv 可能全收到",
			"command, length, header and file are one stream: one recv may hold them all"),
		Say("命令也要有边界；多收的字节留给下一步",
			"give the command a boundary too; keep what came beyond it for the next step")}
	EmptyOutput = &Belief{"no-answer-for-empty-output",
		Say("没有输出就 send(b'')", "no output: send(b'')"),
		Say("send(b'') 什么也不发，客户端一直等",
			"send(b'') sends nothing; the client waits for ever"),
		Say("总要回答：长度 0 的报头，或一行字",
			"always answer: a header with length 0, or a line of text")}
	Unflushed = &Belief{"unflushed",
		Say("打印了就写出去了", "what is printed is written"),
		Say("标准输出是管道的时候，C 和 Perl 攒够一块才写",
			"to a pipe, C and Perl write only when a block is full"),
		Say("C：fflush(stdout)；Perl：$| = 1", "C: fflush(stdout); Perl: $| = 1")}
	EnterAlone = &Belief{"enter-alone",
		Say("只按回车也能发出去", "Enter alone sends something"),
		Say("send(b'') 什么也不发：服务端没有收到，不会回答，recv 就一直等",
			"send(b'') sends nothing: the server gets nothing and answers nothing, and recv waits "+
				"for ever"),
		Say("if not msg: continue", "if not msg: continue")}
	ShortRecv = &Belief{"short-recv",
		Say("recv(n) 会收满 n 字节", "recv(n) gives n bytes"),
		Say("recv(4) 可能只有 1 字节：到了多少给多少",
			"recv(4) may give 1 byte: it gives what has come"),
		Say("写一个 recv_exact(n)：循环收，收到 b'' 就报错",
			"write recv_exact(n): loop, and raise on b''")}
	NoEndTest = &Belief{"no-end-test",
		Say("连接断了 recv 会报错", "recv raises when the connection has ended"),
		Say("对方关闭以后，recv 马上返回 b''，而且每次都这样：不判断，循环就成了死循环",
			"after the end recv returns b'' at once and for ever: a loop that does not look at it "+
				"spins"),
		Say("if not data: break", "if not data: break")}
	OneRecv = &Belief{"one-recv",
		Say("一次 send 对应一次 recv", "one send is one recv"),
		Say("流没有边界：一次 recv 可能是半条，也可能是两条",
			"the stream has no boundaries: one recv may be half a message, or two"),
		Say("先发长度，再循环收满", "send the length first, then receive until it is complete")}
	BreakWhenShort = &Belief{"break-when-short",
		Say("一次收到的不满 1024 字节，就是最后一次", "a recv of less than 1024 bytes is the last"),
		Say("recv 收到多少，看的是到了多少，不是发完了没有：半路上也会不满",
			"recv returns what has come, whether or not more follows: it may be short in the "+
				"middle, too"),
		Say("数字节：while recv_size < total_size: …", "count: while recv_size < total_size: …")}
	BiggerBuffer = &Belief{"bigger-buffer",
		Say("recv 的参数大一点，就一次收完了", "a larger recv gets it all"),
		Say("参数是上限，不是要收的数目：再大，也可能只到了一部分",
			"the argument is an upper bound: however large it is, a part may be all there is"),
		Say("先发长度，再循环收满", "send the length first, then receive until it is complete")}
	Sleeping = &Belief{"sleep",
		Say("睡一会儿，就全到了", "after a little sleep it is all there"),
		Say("网络什么时候到，谁也不知道：睡多久都可能不够，睡了又白等",
			"nobody knows when the network delivers: no sleep is long enough, and each is a wait"),
		Say("先发长度，再循环收满", "send the length first, then receive until it is complete")}
	KeepsLastPiece = &Belief{"keeps-last-piece",
		Say("recv_data 里是收到的全部", "recv_data holds all that has come"),
		Say("recv_data = res 每次都把前面的扔掉：最后只剩最后一段",
			"recv_data = res drops what came before: the last piece is all that is left"),
		Say("recv_data += res", "recv_data += res")}
	NotReset = &Belief{"not-reset",
		Say("每条回答都从 0 数起", "each answer is counted from 0"),
		Say("第一条是对的，第二条就断了：计数接着上一条的，没有清零",
			"the first answer is right and the second is cut off: the count goes on from the last"),
		Say("recv_size = 0、recv_data = b'' 放进循环里",
			"recv_size = 0 and recv_data = b'' inside the loop")}
	CountsCharacters = &Belief{"length-in-characters",
		Say("收到的字符数就是字节数", "characters received are bytes received"),
		Say("长度数的是字节：decode 以后再数，汉字只算一个，循环等不到头",
			"a length counts bytes: counted after decode, a Chinese character is one, and "+
				"the loop "+
				"waits for ever"),
		Say("先数字节，收完整再 decode", "count the bytes; decode when all are there")}
	RecvTwice = &Belief{"waits-for-more",
		Say("对方 send 几次，我就 recv 几次", "as many recvs as there were sends"),
		Say("两次 send 可能一次 recv 就收完了：第二次 recv 一直等",
			"two sends may come in one recv: the second recv waits for ever"),
		Say("先发长度，再循环收满", "send the length first, then receive until it is complete")}
	OneMore = &Belief{"waits-for-more",
		Say("收满了再收一次，保险", "one recv more does no harm"),
		Say("全到了它还在等：再给 1 个字节，它才往下走",
			"all has come and it still waits: with one byte more it goes on"),
		Say("while recv_size < total_size（不是 <=）", "while recv_size < total_size (not <=)")}
	PutAnswered = &Belief{"waits-for-more",
		Say("put 以后服务端会回答", "the server answers a put"),
		Say("这个方言里 put 没有回答：它一直等，下一条命令发不出来",
			"in this dialect a put has no answer: it waits, and the next command is never sent"),
		Say("put 发完就接着下一条", "after put, go on to the next command")}
	ReadsNoLines = &Belief{"reads-no-lines",
		Say("问一句就够了", "one message is enough"),
		Say("它没等人输入就发了，只发一次：这一章要一行一行地问",
			"it sent something before anything was typed, once: this chapter asks line by line"),
		Say("while True: msg = input('>>: ')", "while True: msg = input('>>: ')")}
	ReadsTooMuch = &Belief{"reads-too-much",
		Say("多收一点没关系", "it does not hurt to receive more"),
		Say("多收的是下一条的开头：丢了它，下一条就少了头",
			"what is too much begins the next message, which then lacks its beginning"),
		Say("recv(min(1024, total_size - recv_size))，或者把多的留着",
			"recv(min(1024, total_size - recv_size)), or keep what is too much")}
	CutCharacter = &Belief{"half-character",
		Say("recv(1024).decode('utf-8') 总能解码", "recv(1024).decode('utf-8') always works"),
		Say("收到的一段可能正好断在一个汉字中间", "what has come may end inside a character"),
		Say("收完整再 decode 一次", "collect all the bytes, then decode once")}
)

// What people believe about lengths and headers.
var (
	CharsNotBytes = &Belief{"length-in-characters",
		Say("len(字符串) 就是要发的长度", "len(text) is the length to send"),
		Say("网络上走的是字节：一个汉字在 UTF-8 里是 3 字节",
			"bytes travel: a Chinese character is 3 bytes in UTF-8"),
		Say("先 encode，再 len", "encode first, then len")}
	ByteOrder = &Belief{"byte-order",
		Say("两边的 struct.pack 总是一样的", "struct.pack is the same everywhere"),
		Say("长度的四个字节正好反过来：一边是 '!i'（大端），一边是 'i'（PC 上是小端）",
			"the four bytes of the length are right when reversed: one end has '!i' (big-endian), "+
				"the other 'i' (little-endian on a PC)"),
		Say("两边用同一种；真要用 '!i'，检查时加 --byte-order big",
			"the same on both ends; if '!i' is meant, check with --byte-order big")}
	HeaderSize = &Belief{"length-width",
		Say("每一种整数都是 4 字节", "an integer is 4 bytes"),
		Say("struct.pack 的 'q'、'l' 是 8 字节，'h' 是 2 字节；这里的长度是 4 字节",
			"struct.pack's 'q' and 'l' are 8 bytes, 'h' is 2; here a length is 4 bytes"),
		Say("struct.pack('i', n)", "struct.pack('i', n)")}
	NoLength = &Belief{"no-length",
		Say("对方会知道哪里是结尾", "the other end will know where it ends"),
		Say("数据前面没有 4 字节的长度：对方把数据的头 4 个字节当成长度",
			"no length of 4 bytes comes first: the first 4 bytes of data are taken for it"),
		Say("conn.send(struct.pack('i', len(data))) 在数据之前",
			"conn.send(struct.pack('i', len(data))) before the data")}
	LengthAsText = &Belief{"length-as-text",
		Say("str(len(data)) 就是长度", "str(len(data)) is the length"),
		Say("发出去的是数字字符，几位就几个字节：对方不知道它到哪里为止",
			"that sends digits, one byte each: the other end cannot see where they stop"),
		Say("struct.pack('i', len(data))：总是 4 字节",
			"struct.pack('i', len(data)): always 4 bytes")}
	Uncounted = &Belief{"uncounted-bytes",
		Say("长度里少算一点没关系", "a length need not count all that is sent"),
		Say("长度后面来的字节比长度说的多：多出来的（比如 stderr）会粘到下一条前面",
			"more bytes follow than the length says: the surplus (stderr, for one) comes "+
				"before the "+
				"next message"),
		Say("len(stdout) + len(stderr)", "len(stdout) + len(stderr)")}
	StdoutOnly = &Belief{"stdout-only",
		Say("命令的输出就是 stdout", "a command's output is its stdout"),
		Say("错误信息在 stderr 里：不发它，敲错命令的人什么也看不见",
			"error messages are on stderr: without it, whoever mistypes sees nothing"),
		Say("conn.send(stdout + stderr)", "conn.send(stdout + stderr)")}
	TrustedLength = &Belief{"trusted-length",
		Say("长度是对方算的，不会错", "the length was computed by the peer, so it is right"),
		Say("4 字节可以是 -1，也可以是 2147483647", "four bytes may say -1, or 2147483647"),
		Say("if not 0 <= n <= LIMIT: 报错，关闭连接",
			"if not 0 <= n <= LIMIT: say so and close the connection")}
	RefusedAndStayed = &Belief{"refused-and-stayed",
		Say("拒绝了这个长度，接着用就是了", "once the length is refused, all is well again"),
		Say("长度不可信，后面的字节就不知道从哪里算起：这个连接已经没法用了",
			"after a length that cannot be believed nobody knows where the next message "+
				"begins: the connection is of no use any more"),
		Say("报错以后 phone.close()，要用就重新连接",
			"after the error phone.close(); connect again to go on")}
	WrongEncoding = &Belief{"wrong-encoding",
		Say("两边的编码总是一样的", "both ends use the same encoding"),
		Say("来的字节按 gbk 或 utf-16 才读得通，说好的是 utf-8",
			"the bytes that came make sense as gbk or utf-16; what was agreed is utf-8"),
		Say("encode('utf-8')、decode('utf-8')，两边都写明",
			"encode('utf-8') and decode('utf-8'), spelt out on both ends")}
	ReprForJSON = &Belief{"repr-for-json",
		Say("str(字典) 就是 JSON", "str(dict) is JSON"),
		Say("str 用的是单引号，b'…' 还带着引号：那是给人看的，json.loads 读不了",
			"str has single quotes, and b'…' around bytes: that is for people; json.loads cannot "+
				"read it"),
		Say("json.dumps(header).encode('utf-8')；字节就直接发",
			"json.dumps(header).encode('utf-8'); bytes are sent as they are")}
	NoSize = &Belief{"wrong-key",
		Say("对方收到报头就知道有多少字节", "a header is enough"),
		Say("报头里没有大小：total_size、file_size、filesize 都没有",
			"the header has no size: neither total_size, file_size nor filesize"),
		Say("header['total_size'] = len(data)", "header['total_size'] = len(data)")}
)

// offBy is a length that is off by k bytes, whatever it counts.
func offBy(k int) *Belief {
	return &Belief{"header-off-by-k",
		Say("长度差一点没关系", "a length need not be exact"),
		Say("长度比实际的字节数多 %d（负数就是少）：从这里起，每一条都错位",
			"the length is %d more than the bytes that follow (less, if negative): from here on, "+
				"each message is out of step", k),
		Say("对发出去的那些字节本身取 len", "take len of the very bytes that are sent")}
}

// What people believe about minissh's own protocol.
var (
	WindowGrows = &Belief{"window",
		Say("窗口会自己变大", "the window grows by itself"),
		Say("每个方向最多 262144 字节，直到收的一方用 WINDOW 准许更多（CH5、CH7）",
			"262144 bytes each way, until the receiver allows more with WINDOW (CH5, CH7)"),
		Say("收下并打印以后，发 WINDOW：到现在为止总共准许的字节数",
			"when bytes have been received and printed, send WINDOW: the total allowed so far")}
	ClosedIsSuccess = &Belief{"status",
		Say("连接关了就是成功", "a closed connection is success"),
		Say("怎么结束由 EXIT 说（EX6），没有 EXIT 就是不知道",
			"EXIT tells how it ended (EX6); without it nobody knows"),
		Say("sys.exit(exit['code'])", "sys.exit(exit['code'])")}
)

// What keeps a program from running at all.
var (
	SyntaxWrong = &Belief{"syntax-error",
		Say("这个文件能运行", "this file runs"),
		Say("Python 读不懂它：一行也没有运行", "Python cannot read it: not one line has run"),
		Say("改那一行（括号、引号、冒号、缩进），先自己运行一次",
			"mend that line (brackets, quotes, colon, indentation), and run it yourself first")}
	ImportFails = &Belief{"import-error",
		Say("要的模块都在", "the modules are there"),
		Say("import 失败：模块没有安装，或者名字写错了",
			"import fails: the module is not installed, or its name is misspelt"),
		Say("改名字；同目录的模块和程序放在一起",
			"mend the name; keep your own modules beside the program")}
	Crashed = &Belief{"crash",
		Say("这一行不会出错", "this line cannot fail"),
		Say("程序在这一行崩了", "the program crashed there"),
		Say("看上面的错误信息和那一行", "see the error above, and that line")}
	WrongRole = &Belief{"wrong-role",
		Say("服务端和客户端差不多", "servers and clients are much the same"),
		Say("这个程序在连接别人，没有在监听：它是客户端",
			"this program connects to somebody and does not listen: it is a client"),
		Say("服务端：bind、listen、accept；检查客户端用 --client",
			"a server has bind, listen, accept; --client checks a client")}
	WrongRoleServer = &Belief{"wrong-role",
		Say("服务端和客户端差不多", "servers and clients are much the same"),
		Say("这个程序在监听，没有去连接：它是服务端",
			"this program listens and connects to nobody: it is a server"),
		Say("客户端：connect；检查服务端不要 --client",
			"a client has connect; without --client a server is checked")}
	WrongPort = &Belief{"wrong-port",
		Say("端口用哪个都行", "any port will do"),
		Say("程序在监听，但是不在这个端口上", "the program listens, but at another port"),
		Say("bind(('127.0.0.1', 8080))，或者用 --at 说出它的端口",
			"bind(('127.0.0.1', 8080)), or tell its port with --at")}
	NoSuchCommand = &Belief{"no-such-command",
		Say("这个命令不用做", "this command is not needed"),
		Say("敲了这个命令，什么也没有发出来", "the command was typed, and nothing was sent"),
		Say("补上这个命令", "add the command")}
)
