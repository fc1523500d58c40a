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
		Say("对方可以一直不出声，也不断开：recv 就一直等，后面的都排着队",
			"a peer may be silent for ever and never close: recv waits, and all others wait with "+
				"it"),
		Say("conn.settimeout(3)", "conn.settimeout(3)")}
	TimeoutKills = &Belief{"time-out-kills",
		Say("settimeout 以后就没事了", "settimeout is all it takes"),
		Say("超时是一个异常（TimeoutError，也叫 socket.timeout）：没有人接，整个程序就结束了",
			"a time-out is an exception (TimeoutError, or socket.timeout): if nobody catches it, "+
				"the whole program ends"),
		Say("try … except OSError: 放弃这一个连接，接着下一个",
			"try … except OSError: give up on this connection, and go on to the next")}
	TotalTimeout = &Belief{"time-out-in-all",
		Say("慢就是不出声", "slow is silent"),
		Say("它一直在发，从来没有沉默过 3 秒，却被放弃了：总时间和沉默是两回事",
			"it went on sending and was never silent for 3 s, and was given up on: time in all "+
				"and silence are different things"),
		Say("每收到一块，就从头算 3 秒（settimeout 就是这样）",
			"count the 3 s anew after each piece (as settimeout does)")}
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
		Say("缓冲区满了，send 只收下一部分，返回收下的字节数：没收下的那一段，没有人再发",
			"when the buffers are full, send takes a part and returns how much: nobody sent the "+
				"rest"),
		Say("while view: view = view[conn.send(view):]，或者 sendall",
			"while view: view = view[conn.send(view):], or sendall")}
	SendallInAll = &Belief{"sendall-in-all",
		Say("sendall 的超时是对方不收的时间", "sendall's time-out is how long nobody receives"),
		Say("是全部发完的时间：对方一直在收，只是慢，还是被放弃了",
			"it is the time for all of it: the peer went on receiving, slowly, and was given up "+
				"on"),
		Say("循环 send，每次各自计时：while view: view = view[conn.send(view):]",
			"send in a loop, each with its own time-out: while view: view = "+
				"view[conn.send(view):]")}
)

// What people believe about many clients.
var (
	SharedBuffer = &Belief{"shared-buffer",
		Say("一个缓冲区就够了", "one buffer is enough"),
		Say("一个客户端收到了别人的字节：没收完的半行混在一起了",
			"a client got another one's bytes: unfinished lines were mixed up"),
		Say("每个连接一个缓冲区，比如 buffers[conn]", "a buffer for each connection: "+
			"buffers[conn]")}
	WaitsForLine = &Belief{"waits-for-a-line",
		Say("select 说能读，就是来了一整行", "when select says readable, a whole line is there"),
		Say("它只是说有字节。接着等完一行，整个循环就堵在这一个客户端上",
			"it only says that there are bytes. Waiting for the rest of the line blocks the whole "+
				"loop on this one client"),
		Say("有多少收多少，存进这个连接的缓冲区；够一行了再处理",
			"receive what there is into the connection's buffer; go on when it holds a line")}
	SendBlocks = &Belief{"send-blocks",
		Say("会等的只有 recv", "only recv waits"),
		Say("对方不收，sendall 也等：循环里等一个客户端，别的都停了",
			"sendall waits, too, when the peer does not receive: the loop waits for one client, "+
				"and all others stop"),
		Say("setblocking(False)，发不完的存着，等 EVENT_WRITE；或者用线程、asyncio 的 drain",
			"setblocking(False), keep what was not sent until EVENT_WRITE; or threads, or "+
				"asyncio's drain")}
)
