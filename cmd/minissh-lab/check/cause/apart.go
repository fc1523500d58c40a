package cause

// What people believe about sends: that they stay apart, or come together, by themselves.
var (
	NoHandshake = &Belief{"no-handshake",
		Say("send 几次，对方就 recv 几次", "so many sends are so many recvs"),
		Say("对方读得晚：几次 send 的字节已经在接收缓冲区里首尾相接了。sleep 多久都靠不住",
			"when the receiver reads late, the bytes of several sends lie next to each other in "+
				"its receive buffer; no sleep is long enough for certain"),
		Say("send 以后先 recv 对方的应答，再发下一条",
			"after each send, recv the receiver's answer before the next")}
	ManyWrites = &Belief{"many-writes",
		Say("系统会把十次 send 合成一个段", "the system joins ten sends into one segment"),
		Say("第一次 send 马上就走；后面的，要么各走各的，要么等到 ack 再一起走：至少两个段",
			"the first send leaves at once; the others leave one by one, or together when the ack "+
				"has come: two segments at least"),
		Say("先在程序里合起来，只 send 一次：sendall(b''.join(messages))",
			"join them in the program and send once: sendall(b''.join(messages))")}
)
