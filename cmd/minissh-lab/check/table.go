package check

import "minissh/cmd/minissh-lab/chaos"

// Find returns the check of a lesson, or nil.
func Find(lesson string) *Check {
	for _, c := range All() {
		if c.Lesson == lesson {
			return c
		}
	}
	return nil
}

// All lists the checks, in the course's order. A lesson that is not here is
// checked by itself, while it runs.
func All() []*Check {
	echoBasics := Case{Name: "echo", What: tx("20 个随机字符串", "20 random strings"), Ends: true}
	echoBasics.run = echoWords
	oneConn := Case{Name: "ten", What: tx("一个连接上 10 条消息", "ten messages on one connection"),
		run: tenMessages}
	typed := Case{Name: "typed", What: tx("在提示符后面输入 20 行", "20 lines typed at the prompt"),
		run: echoClient(false)}
	once := typed
	once.run = echoClient(true)
	course := []*Check{
		{Lesson: "1-5", Port: 8080, Server: []Case{echoBasics,
			{Name: "file", What: tx("Ctrl-C 以后套接字文件没了",
				"the socket file is gone after Ctrl-C"),
				run: socketFileGone, Ends: true}}, Client: []Case{once}},
		{Lesson: "6", Port: 8080, Server: []Case{echoBasics}, Client: []Case{once}},
		{Lesson: "7", Port: 8080, Server: []Case{oneConn}, Client: []Case{typed}},
		{Lesson: "8", Port: 8080, Server: []Case{
			{Name: "fin", What: tx("客户端关闭（FIN）", "the client closes (FIN)"), run: afterFin(helloEcho, false), Ends: true},
			{Name: "rst", What: tx("连接被重置（RST）", "the connection is reset (RST)"), run: afterReset(helloEcho, false), Ends: true},
			{Name: "restart", What: tx("停掉，马上再启动", "stopped, and started again at once"), run: restart},
		}, Client: []Case{
			{Name: "enter", What: tx("只按回车", "Enter alone"), run: pressEnter},
			{Name: "gone", What: tx("服务端关闭", "the server closes"), run: serverLeaves},
		}},
		{Lesson: "9", Port: 8080, Server: []Case{
			{Name: "in-turn", What: tx("第一个走了，轮到第二个", "the first leaves, the second is served"), run: secondInTurn},
			{Name: "both", What: tx("两个客户端同时连接", "two clients at once"), Bonus: true, run: bothAtOnce},
		}, Client: []Case{typed}},
		{Lesson: "11", Port: 8080, Server: []Case{
			{Name: "output", What: tx("已知命令的输出", "the output of known commands"), run: naiveOutput},
			{Name: "error", What: tx("不存在的命令", "a command that does not exist"), run: naiveError},
			{Name: "silent", What: tx("没有输出的命令", "a command without output"), run: naiveSilent},
			{Name: "fin", What: tx("客户端关闭（FIN）", "the client closes (FIN)"), run: afterFin(helloNaive, true)},
		},
			Client: []Case{
				{Name: "shows", What: tx("短的回答", "short answers"), run: naiveClient}}},
		{Lesson: "12", Port: 8080, Server: []Case{
			{Name: "long", What: tx("3893 字节的输出，再一条", "3893 bytes of output, and one more"), run: naiveLong},
		}, Client: []Case{
			{Name: "leftover", What: tx("3000 字节，然后 pwd", "3000 bytes, then pwd"), run: leftover},
		}},
		apart()[0], apart()[1],
		alone(),
		{Lesson: "14b", Port: 8080, Server: framedServer("ack"), Client: []Case{
			{Name: "chaos", What: tx("20000 字节，再用各种方式到达", "20000 bytes, and every way they may come"), run: anySchedule("ack")},
			{Name: "chinese", What: tx("400 个 中", "400 x 中"), run: chineseAnswer("ack")},
		}},
		{Lesson: "15a", Port: 8080, Server: framedServer("simple"), Client: framedClient("simple")},
		{Lesson: "15b", Port: 8080, Server: framedServer("simple"), Client: []Case{
			{Name: "minus-one", What: tx("长度 -1", "a length of -1"), run: hostileLength(chaos.MinusOne)},
			{Name: "huge", What: tx("长度 2147483647", "a length of 2147483647"), run: hostileLength(chaos.Huge)},
		}},
		{Lesson: "16", Port: 8080,
			Server: append(framedServer("ultimate"),
				Case{Name: "golden", What: tx("报头的每个字节", "each byte of the header"),
					run: goldenHeader}),
			Client: append(framedClient("ultimate"),
				Case{Name: "size-minus-one",
					What: tx("报头里 total_size 是 -1", "total_size -1 in the header"),
					run:  hostileSize(chaos.MinusOne)},
				Case{
					Name: "size-huge",
					What: tx("报头里 total_size 是 2^62", "total_size 2^62 in the header"),
					run:  hostileSize(1 << 62)})},
		{Lesson: "17-18", Port: 8080, Files: true, Server: fileServer("file"), Client: fileClientCases("file")},
		{Lesson: "19", Port: 8080, Files: true, Server: fileServer("oo"), Client: fileClientCases("oo")},
		{Lesson: "20", Port: 9000, Datagram: true, Server: []Case{
			{Name: "echo", What: tx("20 个数据报", "20 datagrams"), run: udpEcho},
			{Name: "empty", What: tx("空数据报", "an empty datagram"), run: udpEmpty},
			{Name: "two", What: tx("两个客户端轮流", "two clients in turn"), run: udpTwoClients},
			{Name: "long", What: tx("2000 字节的数据报", "a datagram of 2000 bytes"), Bonus: true, run: udpLong},
		}, Client: []Case{{Name: "typed", What: tx("在提示符后面输入", "lines typed at the prompt"),
			run: udpClient("hello", "", "one two", "last")}}},
	}
	return append(append(course, beyond()...), ownCheck())
}

func framedServer(name string) []Case {
	return []Case{
		{Name: "output", What: tx("已知命令，3893 字节的输出，再来一条", "known commands, 3893 bytes, and one more"), run: framedOutput(name)},
		{Name: "error", What: tx("不存在的命令", "a command that does not exist"), run: framedError(name)},
		{Name: "silent", What: tx("没有输出的命令", "a command without output"), run: framedEmpty(name)},
		{Name: "chinese", What: tx("300 个 中", "300 x 中"), run: framedChinese(name)},
		{Name: "fin", What: tx("客户端关闭（FIN）", "the client closes (FIN)"), run: afterFin(hello(name), true)},
		{Name: "rst", What: tx("连接被重置（RST）", "the connection is reset (RST)"), run: afterReset(hello(name), true)},
	}
}

func framedClient(name string) []Case {
	return []Case{
		{Name: "chaos", What: tx("20000 字节，再用各种方式到达", "20000 bytes, and every way they may come"), run: anySchedule(name)},
		{Name: "silent", What: tx("没有输出的回答", "an answer without output"), run: emptyAnswer(name)},
		{Name: "chinese", What: tx("400 个 中", "400 x 中"), run: chineseAnswer(name)},
		{Name: "eof", What: tx("在回答中间断开", "the connection ends inside an answer"), run: endsInFrame(name)},
		{Name: "minus-one", What: tx("长度 -1", "a length of -1"), run: hostileLength(chaos.MinusOne)},
		{Name: "huge", What: tx("长度 2147483647", "a length of 2147483647"), run: hostileLength(chaos.Huge)},
	}
}

func fileServer(name string) []Case {
	return []Case{
		{Name: "get", What: tx("get：0 B、1 B、11 B、中文名、1 MiB", "get: 0 B, 1 B, 11 B, a Chinese name, 1 MiB"), run: getFiles(name)},
		{Name: "missing", What: tx("get 不存在的文件", "get of a file that is not there"), run: getMissing(name)},
		{Name: "get-outside", What: tx("get ../../lab-secret.txt", "get ../../lab-secret.txt"), run: getOutside(name)},
		{Name: "put", What: tx("put：全粘在一起，再用各种方式到达", "put: glued, and in every way it may come"), run: putFiles(name)},
		{Name: "outside", What: tx("put ../../lab-outside.txt", "put ../../lab-outside.txt"), run: putOutside(name)},
		{Name: "minus-one", What: tx("报头长度 -1", "a header length of -1"), run: hostileHeader(name, chaos.MinusOne)},
		{Name: "huge", What: tx("报头长度 2147483647", "a header length of 2147483647"), run: hostileHeader(name, chaos.Huge)},
	}
}

func fileClientCases(name string) []Case {
	return []Case{
		{Name: "get", What: tx("get：各种大小，用各种方式到达", "get: every size, in every way it may come"), run: getsFiles(name)},
		{Name: "missing", What: tx("服务端没有这个文件", "the server does not have the file"), run: getsMissing(name)},
		{Name: "outside", What: tx("报头里的文件名 ../../lab-outside.txt", "the name ../../lab-outside.txt in the header"), run: getsOutside(name)},
		{Name: "eof", What: tx("在文件中间断开", "the connection ends inside a file"), run: getCut(name)},
		{Name: "minus-one", What: tx("报头长度 -1", "a header length of -1"), run: func(a *attack) error { return getHostile(name, chaos.MinusOne)(a) }},
		{Name: "huge", What: tx("报头长度 2147483647", "a header length of 2147483647"), run: func(a *attack) error { return getHostile(name, chaos.Huge)(a) }},
		{Name: "put", What: tx("put：0 B、1 B、11 B、中文名、1 MiB", "put: 0 B, 1 B, 11 B, a Chinese name, 1 MiB"), run: putsFiles(name)},
	}
}
