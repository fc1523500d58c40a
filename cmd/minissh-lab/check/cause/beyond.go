package cause

// What people believe beyond the course: ends, time-outs, buffers, many clients.
var (
	AnswersEarly = &Belief{"answers-before-end",
		Say("第一次 recv 收到的就是全部", "the first recv holds everything"),
		Say("对方还没说完（没有 FIN），它就回答了", "it answered before the peer was done (no FIN "+
			"yet)"),
		Say("循环 recv，收到 b'' 才回答", "recv in a loop, and answer when b'' comes")}
	KeepsOpen = &Belief{"never-closes",
		Say("回答发完就行了", "once the answer is sent, all is done"),
		Say("对方收到 b'' 才知道回答完了：你不关，它一直等",
			"the peer knows by b'' that the answer is complete: if you do not close, it waits for "+
				"ever"),
		Say("sendall 以后 conn.close()", "conn.close() after sendall")}
	NoTimeout = &Belief{"no-time-out",
		Say("对方总会说完", "the peer will finish some day"),
		Say("对方可以一直不出声、也不收，就是不断开：recv、send 就一直等，排在后面的也跟着等",
			"a peer may be silent, or not receive, and never close: recv or send waits for ever, "+
				"and so does whoever is next in turn"),
		Say("conn.settimeout(3)", "conn.settimeout(3)")}
	TimeoutKills = &Belief{"time-out-kills",
		Say("settimeout 以后就没事了", "settimeout is all it takes"),
		Say("超时是一个异常（TimeoutError，也叫 socket.timeout）：没有人捕获，整个程序就结束了",
			"a time-out is an exception (TimeoutError, or socket.timeout): if nobody catches it, "+
				"the whole program ends"),
		Say("try … except OSError: 放弃这一个连接，接着服务下一个",
			"try … except OSError: give up on this connection, and go on to the next")}
	TotalTimeout = &Belief{"time-out-in-all",
		Say("慢就是不出声", "slow means silent"),
		Say("它一直在发，从来没有沉默过 3 秒，却被放弃了：总时间长和没有动静是两回事",
			"it went on sending, was never silent for 3 s, and was given up on all the same: the "+
				"total time is one thing, silence is another"),
		Say("每收到一块，就重新算 3 秒（settimeout 就是这样）",
			"start the 3 s again after each piece (as settimeout does)")}
	CloseNotShutdown = &Belief{"close-for-shutdown",
		Say("close() 就是“说完了”", "close() says \"I am done\""),
		Say("close 两个方向都关：回答来了，没有人收",
			"close closes both directions: nobody is there to receive the answer"),
		Say("phone.shutdown(socket.SHUT_WR)，收到 b'' 以后再 close",
			"phone.shutdown(socket.SHUT_WR); close when b'' has come")}
	NoShutdown = &Belief{"no-shutdown",
		Say("不发了，对方自然知道", "the peer knows when nothing more is coming"),
		Say("连接开着，对方就只能等：它等你说完，你等它回答",
			"while the connection is open the peer can only wait: it waits for your end, and you "+
				"for its answer"),
		Say("最后一次 send 之后 phone.shutdown(socket.SHUT_WR)",
			"phone.shutdown(socket.SHUT_WR) after the last send")}
)

// What people believe about sending.
var (
	PartialSend = &Belief{"partial-send",
		Say("send 一次就全发出去了", "one send sends everything"),
		Say("缓冲区满了，send 只收下一部分，返回收下的字节数：没收下的那一段，再也没有人发",
			"when the buffers are full, send takes a part and returns how much: nobody sent the "+
				"rest"),
		Say("while view: view = view[conn.send(view):]，或者 sendall",
			"while view: view = view[conn.send(view):], or sendall")}
	SendallInAll = &Belief{"sendall-in-all",
		Say("sendall 的超时是对方不收的时间", "sendall's time-out is how long nobody receives"),
		Say("是全部发完的时间：对方一直在收，只是慢，还是被放弃了",
			"it is the time for all of it: the peer went on receiving, slowly, and was given up "+
				"on"),
		Say("循环 send，每次单独计时：while view: view = view[conn.send(view):]",
			"send in a loop, each with its own time-out: while view: view = "+
				"view[conn.send(view):]")}
)

// What people believe about many clients.
var (
	SharedBuffer = &Belief{"shared-buffer",
		Say("一个缓冲区就够了", "one buffer is enough"),
		Say("一个客户端收到了别人的字节：没收完的半行混在一起了",
			"a client got another client's bytes: unfinished lines were mixed up"),
		Say("每个连接一个缓冲区，比如 buffers[conn]", "a buffer for each connection: "+
			"buffers[conn]")}
	WaitsForLine = &Belief{"waits-for-a-line",
		Say("select 说能读，就是来了一整行", "when select says readable, a whole line is there"),
		Say("它只是说有字节。接着等完一行，整个循环就堵在这一个客户端上",
			"it only says that there are bytes. Waiting for the rest of the line blocks the whole "+
				"loop on this one client"),
		Say("有多少收多少，存进这个连接的缓冲区；够一行了再处理",
			"receive what there is into the connection's buffer; go on when it holds a line")}
	PieceIsLine = &Belief{"one-recv",
		Say("一次 recv 就是一行", "one recv is one line"),
		Say("一次 recv 可能只有半行，也可能有两行", "one recv may be half a line, or two"),
		Say("存进缓冲区，见到 \\n 才算一行", "collect in a buffer; a line is complete at its \\n")}
	SendBlocks = &Belief{"send-blocks",
		Say("会等的只有 recv", "only recv waits"),
		Say("对方不收，sendall 也等：循环里等一个客户端，别的都停了",
			"sendall waits, too, when the peer does not receive: the loop waits for one client, "+
				"and all others stop"),
		Say("setblocking(False)，发不完的存着，等 EVENT_WRITE；或者用线程、asyncio 的 drain",
			"setblocking(False), keep what was not sent until EVENT_WRITE; or threads, or "+
				"asyncio's drain")}
)

// What people believe about HTTP.
var (
	BodyIsAll = &Belief{"reads-too-much",
		Say("空行后面来的都是内容", "all that comes after the empty line is the body"),
		Say("后面还有下一个请求：内容只有 Content-Length 个字节，多出来的是它的开头",
			"the next request follows: the body has Content-Length bytes, and the rest is the "+
				"beginning of that request"),
		Say("body, rest = data[:n], data[n:]，rest 留给下一个请求",
			"body, rest = data[:n], data[n:], and rest is for the next request")}
	DropsRest = &Belief{"reads-too-much",
		Say("一次 recv 就是一个请求", "one recv is one request"),
		Say("一次收到了两个请求，只回答了一个：第二个被扔掉了（单独再发就有回答）",
			"one recv held two requests and one was answered: the second was thrown away (sent "+
				"alone, it is answered)"),
		Say("多收的留在缓冲区里，先看它，再 recv",
			"keep the rest in a buffer, and look there before the next recv")}
	PieceIsRequest = &Belief{"one-recv",
		Say("一次 recv 就是一个请求", "one recv is one request"),
		Say("同样的字节，一次到就有回答，切成两块就没有：请求可能断在任何地方",
			"the same bytes are answered in one piece, but not in two: a request may be cut "+
				"anywhere"),
		Say("收到 \\r\\n\\r\\n 为止，再收满 Content-Length",
			"receive until \\r\\n\\r\\n is there, then until Content-Length bytes are")}
	NoContentLength = &Belief{"no-length",
		Say("客户端会知道回答到哪里为止", "the client will know where the answer ends"),
		Say("没有 Content-Length，也没有分块：客户端只能等你关连接",
			"neither Content-Length nor chunks: the client can only wait for the connection to "+
				"close"),
		Say("回答里写 Content-Length: len(body)（字节数）", "answer with Content-Length: "+
			"len(body), in bytes")}
	BareLF = &Belief{"bare-newline",
		Say("HTTP 的行以 \\n 结束", "lines of HTTP end in \\n"),
		Say("是 \\r\\n（RFC 9112，2.1）：有的客户端不计较，有的计较",
			"they end in \\r\\n (RFC 9112, 2.1): some clients forgive that, some do not"),
		Say("b'\\r\\n'.join(lines)", "b'\\r\\n'.join(lines)")}
	ChunksAsBody = &Belief{"chunks-as-body",
		Say("内容总有 Content-Length", "a body always has a Content-Length"),
		Say("Transfer-Encoding: chunked 的内容是一块一块的，每块前面有十六进制的长度：长度不是内容",
			"a body with Transfer-Encoding: chunked comes in chunks, each with its length in hex "+
				"before it: the lengths are not part of it"),
		Say("循环：n = int(readline().split(b';')[0], 16)；read(n)；readline()；n 是 0 就结束",
			"loop: n = int(readline().split(b';')[0], 16); read(n); readline(); until n is 0")}
	HeaderCase = &Belief{"header-case",
		Say("头部字段名总是写成 Content-Length", "a header's name is always spelt Content-Length"),
		Say("名字不分大小写，冒号后面也可以没有空格（RFC 9110，5.1）",
			"names may be in upper or lower case, and the blank after the colon is optional (RFC "+
				"9110, 5.1)"),
		Say("headers[name.strip().lower()] = value.strip()", "headers[name.strip().lower()] = "+
			"value.strip()")}
)

// What people believe about peers that mean harm.
var (
	BombInflated = &Belief{"inflates-all",
		Say("压缩的只有几十 KiB，解压了也大不到哪里去",
			"a few dozen KiB compressed cannot be much when inflated"),
		Say("解压以后可以大一千倍：解压的时候不设上限，等看到大小，内存已经用掉了",
			"inflated, they can be a thousand times larger: without a limit while inflating, the "+
				"memory is used before anybody sees the size"),
		Say("z = zlib.decompressobj(); text = z.decompress(data, LIMIT + 1)",
			"z = zlib.decompressobj(); text = z.decompress(data, LIMIT + 1)")}
	NoDeadline = &Belief{"no-deadline",
		Say("settimeout 能挡住慢的客户端", "settimeout keeps slow clients away"),
		Say("它管的是每一次 recv：每来一个字节就重新开始，一个字节一个字节地发，就能占住一辈子",
			"it is for each recv: every byte starts it again, so that one byte at a time holds "+
				"the place for ever"),
		Say("deadline = time.monotonic() + 5；每次 conn.settimeout(max(0.001, deadline - "+
			"time.monotonic()))",
			"deadline = time.monotonic() + 5; each time conn.settimeout(max(0.001, deadline - "+
				"time.monotonic()))")}
)

// What people believe about TLS.
var (
	TrustsAnybody = &Belief{"trusts-anybody",
		Say("加密了就安全", "encrypted is safe"),
		Say("不验证证书，就不知道加密的那一头是谁：别人的证书它也收下了",
			"if the certificate is not checked, nobody knows who is at the other end: it "+
				"accepted somebody else's"),
		Say("ssl.create_default_context(cafile='cert.pem')；不要 CERT_NONE",
			"ssl.create_default_context(cafile='cert.pem'); never CERT_NONE")}
	PlainText = &Belief{"no-tls",
		Say("连上了就可以说话", "once connected, one can talk"),
		Say("发来的不是 TLS：没有加密，服务端读不懂",
			"what came is not TLS: it is not encrypted, and the server cannot read it"),
		Say("phone = context.wrap_socket(phone, server_hostname='127.0.0.1')",
			"phone = context.wrap_socket(phone, server_hostname='127.0.0.1')")}
	RecordIsMessage = &Belief{"one-recv",
		Say("TLS 一个记录就是一条消息", "a TLS record is a message"),
		Say("一个记录最多 16384 字节，怎么分是对方的 TLS 说了算：一次 recv 可能只有一部分",
			"a record holds 16384 bytes at most, and where they are cut is up to the peer's TLS: "+
				"one recv may be only a part"),
		Say("先发长度，再循环收满，和没有 TLS 的时候一样",
			"a length first, then receive until it is complete, as without TLS")}
)

// What people believe about framing on paper.
var (
	DelimiterInside = &Belief{"delimiter-inside",
		Say("数据里不会有分隔符", "the delimiter is never in the data"),
		Say("数据里有分隔符，一条就变成了两条", "it was in a message, which came out as two"),
		Say("把数据里的分隔符转义（转义用的那个字符也要），或者用长度",
			"escape it inside the data (and the escape character, too), or use a length")}
	HalfEscaped = &Belief{"half-escaped",
		Say("把分隔符转义就够了", "it is enough to escape the delimiter"),
		Say("数据里本来就有 \\n 这两个字符，回来却成了换行",
			"the two characters \\n were in the data, and came back as a newline"),
		Say("先把 \\ 换成 \\\\，再换掉换行", "first replace \\ with \\\\, then the newline")}
	PaddingLost = &Belief{"padding-lost",
		Say("末尾的空格没有用", "blanks at the end do not matter"),
		Say("补上的和数据里本来就有的分不清，一起删掉了",
			"what was padded and what belonged to the data look the same, and both were removed"),
		Say("写明长度", "send the length")}
	FixedSize = &Belief{"fixed-size",
		Say("消息不会有那么长", "no message is that long"),
		Say("定长放不下，后面的丢了", "it did not fit into the fixed size, and the rest was lost"),
		Say("写明长度，或者拒绝太长的", "send the length, or refuse what is too long")}
)
