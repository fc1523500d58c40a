package check

import "minissh/cmd/minissh-lab/chaos"

// beyond lists the checks of the lessons that go beyond the course.
func beyond() []*Check {
	return []*Check{
		{Lesson: "21", Port: 8080, Server: []Case{
			{Name: "small", What: tx("10、1000、3 字节，一条连接", "10, 1000, 3 bytes, one "+
				"connection"),
				run: sendsSmall},
			{Name: "large", What: tx("16 MiB，先不收，再全收", "16 MiB, received "+
				"late"), run: sendsLarge},
			{Name: "slow", What: tx("16 MiB，一点一点地收", "16 MiB, received "+
				"slowly"), run: sendsSlow},
			{Name: "stuck", What: tx("16 MiB，一直不收", "16 MiB, never "+
				"received"), run: sendsStuck},
			{Name: "rst", What: tx("回答到一半，连接被重置", "a reset in the middle of an answer"),
				run: sendsReset},
		}},
		{Lesson: "22", Port: 8080, Server: []Case{
			{Name: "whole", What: tx("三块，然后说完了（FIN）", "three pieces, then the end (FIN)"),
				run: halfWhole("hello ", "half-closed ", "world")},
			{Name: "large", What: tx("300000 字节", "300000 bytes"),
				run: halfWhole(lines("half", 300_000))},
			{Name: "empty", What: tx("什么也没发就说完了", "nothing, then the "+
				"end"), run: halfWhole()},
			{Name: "patient", What: tx("慢，但没有停下来",
				"slow, but never silent"), run: halfPatient},
			{Name: "silent", What: tx("发一块，就不动了", "one piece, then "+
				"silence"), run: halfSilent},
			{Name: "rst",
				What: tx("话没说完，连接被重置（RST）", "a reset (RST) inside a question"),
				run:  halfReset},
		}, Client: []Case{
			{Name: "whole", What: tx("两行，输入结束，回答分几块来",
				"two lines, the end of the input, an answer in pieces"), run: halfClient},
			{Name: "silent", What: tx("服务端一直不回答", "the server never answers"),
				run: halfClientSilent},
		}},
		{Lesson: "23", Port: 8080, Server: []Case{
			{Name: "silent", What: tx("一个不出声，另外 8 个都要得到回答",
				"one is silent, 8 others are answered"),
				run: manySilent},
			{Name: "half", What: tx("一个只发半行，后来才发完", "one sends half a line, the rest "+
				"later"),
				run: manyHalf},
			{Name: "pieces", What: tx("三个客户端轮流发，每次一个字节", "three in turn, a byte "+
				"each"), run: manyPieces},
			{Name: "deaf", What: tx("一个只发不收", "one sends a lot and never "+
				"receives"), run: manyDeaf},
			{Name: "rst", What: tx("连接被重置（RST）", "the connection is reset (RST)"),
				run: afterReset(helloLine, true)},
		}},
		{Lesson: "24", Port: 8080, Server: []Case{
			{Name: "post", What: tx("POST /upper，内容 hello", "POST /upper with "+
				"hello"), run: httpPost},
			{Name: "two", What: tx("两个请求，一次 send", "two requests in one "+
				"send"), run: httpTwo},
			{Name: "cut", What: tx("一个请求，切成两块", "a request, cut in two"), run: httpCut},
			{Name: "chunked", What: tx("分块的内容", "a chunked body"), run: httpChunked},
			{Name: "chinese", What: tx("300 个 中", "300 x 中"), run: httpChinese},
			{Name: "names", What: tx("头部字段名小写", "header names in lower case"), run: httpNames},
			{Name: "close", What: text("404; Connection: close"), run: httpClose},
			{Name: "fin", What: tx("客户端关闭（FIN）", "the client closes (FIN)"),
				run: afterFin(helloHTTP, true)},
			{Name: "inside", What: tx("内容没发完就关闭（FIN）", "the end (FIN) inside a body"),
				run: httpEndsInside},
		}},
		{Lesson: "25", Port: 8080, TLS: true, Client: []Case{
			{Name: "records", What: tx("20000 字节，再用各种大小的记录",
				"20000 bytes, and records of every size"),
				run: recordsOf(anySchedule("simple"))},
			{Name: "silent", What: tx("没有输出的回答", "an answer without output"),
				run: emptyAnswer("simple")},
			{Name: "chinese", What: tx("400 个 中", "400 x 中"), run: chineseAnswer("simple")},
			{Name: "eof", What: tx("回答到一半断开", "the connection ends inside an answer"),
				run: endsInFrame("simple")},
			{Name: "huge", What: tx("长度 2147483647", "a length of 2147483647"),
				run: hostileLength(chaos.Huge)},
			{Name: "stranger", What: tx("别人的证书", "somebody else's certificate"), run: strangerServes},
		}},
		{Lesson: "26", Port: 8080, Server: []Case{
			{Name: "right", What: tx("守规矩的消息：最大 1 MiB", "messages that keep the rules, "+
				"up to 1 MiB"),
				run: inflatesRight},
			{Name: "minus-one", What: tx("长度 -1", "a length of "+
				"-1"), run: hostileNumber(chaos.MinusOne)},
			{Name: "huge", What: tx("长度 2147483647", "a length of 2147483647"),
				run: hostileNumber(chaos.Huge)},
			{Name: "over", What: tx("长度 65537", "a length of 65537"),
				run: hostileNumber(mostCompressed + 1)},
			{Name: "garbage", What: tx("不是 zlib 格式的字节", "bytes "+
				"that are not zlib data"), run: inflatesGarbage},
			{Name: "bomb", What: tx("解压以后是 1 MiB 多 1 字节、48 MiB",
				"inflating to 1 MiB and a byte, to 48 MiB"),
				run: inflatesBomb},
			{Name: "drip", What: tx("一个字节一个字节地慢慢发", "slowly, byte by "+
				"byte"), run: inflatesDrip},
		}},
	}
}
