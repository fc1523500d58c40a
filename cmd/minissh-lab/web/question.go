package web

import (
	"minissh/cmd/minissh-lab/lesson"
)

// Question is asked before a lesson's run. Name is what the page measures to judge it, and
// predict.js says how; the option of that value came true.
type Question struct {
	Name    string   `json:"name"`
	Zh      string   `json:"zh"`
	En      string   `json:"en"`
	Options []Option `json:"options"`
}

// Option is a prediction, with the answer to who believed it and was wrong.
type Option struct {
	Value    string `json:"value"`
	Zh       string `json:"zh"`
	En       string `json:"en"`
	AnswerZh string `json:"answer_zh,omitempty"`
	AnswerEn string `json:"answer_en,omitempty"`
}

// taught is the terminal's question of a lesson, in its words, with the value of each option.
func taught(name, measure string, values ...string) Question {
	ask := lesson.Find(name).Ask
	q := Question{Name: measure, Zh: ask.Zh, En: ask.En}
	for i, o := range ask.Options {
		q.Options = append(q.Options, Option{values[i], o.Text.Zh, o.Text.En, o.Answer.Zh,
			o.Answer.En})
	}
	return q
}

// questions are those of a lesson's own, by its name. What is asked is what its setting shows.
func questions(name string) []Question {
	switch name {
	case "6":
		return []Question{{"reads", "发一次 hello，接收方要 recv 几次？",
			"hello is sent once. How many recvs does it take?", []Option{
				{Value: "1", Zh: "这里 1 次，但没有人保证", En: "1 here, but nothing guarantees " +
					"it"},
				{"always", "1 次：一次 send 对应一次 recv", "1: one send is one recv",
					"这里是 1 次，可是两边的次数没有关系：看 13a，两次 send，一次 recv。",
					"It is 1 here, but the two numbers are unrelated: in 13a, two sends are one " +
						"recv."},
				{"5", "5 次：一个字节一次", "5: one for each byte",
					"5 个字节都在缓冲里，recv 有多少拿多少。",
					"All five are in the buffer, and recv takes what is there."},
			}}}
	case "8":
		q := taught("8", "empty", "end", "mark", "nothing")
		q.Options[2].Zh, q.Options[2].En = "什么也没有", "nothing"
		return []Question{q}
	case "12":
		q := taught("12", "second", "pwd", "lost", "leftover")
		q.Zh, q.En = "没有边界的程序：第二次 recv 的，它当成 pwd 的结果。里面是什么？",
			"Without boundaries: the second recv is taken for pwd's answer. What is it?"
		return []Question{q, {"where", "pwd 真正的结果，最后在第几次 recv 里？",
			"Which recv brings the real answer to pwd?", []Option{
				{"2", "第 2 次", "the second",
					"big 有 3000 字节，recv(1024) 两次才收 2048：第 2 次还全是 big 的。",
					"big has 3000 bytes, and two recv(1024) take 2048: the second is still " +
						"nothing but big."},
				{Value: "3", Zh: "第 3 次，粘在 big 的最后 952 字节后面",
					En: "the third, stuck to the last 952 bytes of big"},
				{"4", "第 4 次，单独一次", "the fourth, by itself",
					"第 3 次 recv 时，big 的最后 952 字节和 pwd 的 14 字节都在缓冲里：一次就拿走" +
						"了。",
					"At the third recv the last 952 bytes of big and pwd's 14 are there: it " +
						"takes both."},
			}}}
	case "13a":
		return []Question{taught("13a", "pair", "2 2", "2 1", "1 1")}
	case "13b":
		return []Question{taught("13b", "once", "nodelay", "nagle", "neither"),
			{"each", "关掉 Nagle，10 次 send 是几个段？",
				"Without Nagle, how many segments are ten sends?", []Option{
					{"1", "1 个", "1", "没有 Nagle，谁也不等谁：每次 send 马上就走。",
						"Without Nagle, no send waits for another: each leaves at once."},
					{"2", "2 个", "2", "2 个是开着 Nagle 的时候：先走 5 字节，后面 45 字节一起走。",
						"It is 2 with Nagle: 5 bytes at first, and then 45 together."},
					{Value: "10", Zh: "10 个", En: "10"},
				}}}
	case "14a":
		return []Question{{"got", "消息里也有 \\n。发 2 条，按 \\n 切的程序以为收到几条？",
			"There are \\n in the messages. Two are sent: how many does a program that cuts at " +
				"\\n believe it got?", []Option{
				{"same", "2 条：每条末尾有分隔符", "2: each ends with the delimiter",
					"数据里的 \\n 和分隔符一模一样，程序见一个切一个。",
					"A \\n in the data looks like the delimiter, and the program cuts at each."},
				{"fewer", "1 条：粘在一起", "1: they stick",
					"粘不住：末尾的 \\n 总会切开。坏在切得太多。",
					"They cannot stick: the \\n at the end divides them. The trouble is that it " +
						"cuts too often."},
				{Value: "more", Zh: "多于 2 条", En: "more than 2"},
			}}}
	case "14b":
		return []Question{{"acks", "3 条消息，ack 版的发送方一共停下来等几次？",
			"Three messages: how often does the sender of the ack version stop and wait?", []Option{
				{"0", "0 次：长度和数据一起发", "never: length and data go together",
					"那是简单版（15a）。ack 版发完长度就停下来，等到 recv_ready 才发数据。",
					"That is the simple version (15a). The ack version sends the length, and " +
						"the data " +
						"only after recv_ready."},
				{"1", "1 次：开始的时候约好", "once: they agree at the beginning",
					"recv_ready 只管这一条：下一条又有自己的长度，又要等。",
					"recv_ready is for this message only: the next has its own length, and its " +
						"own wait."},
				{Value: "3", Zh: "3 次：每条多一个来回", En: "3 times: one more round trip for " +
					"each"},
			}}}
	case "15a":
		q := taught("15a", "hex", "00 00 00 05", "35", "05 00 00 00")
		q.Zh, q.En = "struct.pack('i', 5) 的 4 个字节（十六进制）？",
			"The 4 bytes of struct.pack('i', 5), in hex?"
		for i, value := range []string{"00 00 00 05", "35", "05 00 00 00"} {
			q.Options[i].Zh, q.Options[i].En = value, value
		}
		q.Options[1].AnswerZh = "35 是字符 '5'，也就是 str(5).encode()。struct.pack 写的是二进制" +
			"的整数。"
		q.Options[1].AnswerEn = "35 is the character '5', as str(5).encode() gives it. " +
			"struct.pack " +
			"writes a binary integer."
		return []Question{q, {"exact", "改好的程序第一次 recv 返回几个字节？",
			"How many bytes does the mended program's first recv return?", []Option{
				{"18", "18：全都在一起", "18: all of them together",
					"缓冲里可能有 18 个，但它只要长度的 4 个：recv(4) 最多拿 4 个。",
					"18 may be there, but it asks for the 4 of the length: recv(4) takes at " +
						"most 4."},
				{"9", "9：长度和 hello", "9: the length and hello",
					"它还不知道 hello 有多长：先拿 4 个字节，读懂了再拿。",
					"It does not know yet how long hello is: first the 4 bytes, then as many as " +
						"they say."},
				{Value: "4", Zh: "4：只有长度", En: "4: the length alone"},
			}}}
	case "15b":
		return []Question{taught("15a", "hex", "00 00 0b b8", "33 30 30 30", "b8 0b 00 00"),
			{"swapped", "对方用 '!i'（大端）去读这 4 个字节，得到多少？",
				"The peer reads these 4 bytes with '!i' (big-endian). What does it get?", []Option{
					{"3000", "3000", "3000",
						"'!i' 从高位读起：b8 成了最高的字节。两边的字节序不一样，数就不一样。",
						"'!i' begins at the high end, with b8: two byte orders give two numbers."},
					{"47115", "47115", "47115",
						"那是只看前两个字节 b8 0b。'!i' 读 4 个，后面的 00 00 也算。",
						"That is b8 0b alone. '!i' reads four bytes, and 00 00 count, too."},
					{Value: "-1207238656", Zh: "-1207238656", En: "-1207238656"},
				}}}
	case "16":
		q := taught("16", "header", "data", "header_length", "entries")
		q.Options[0].AnswerZh = "数据是 24 个字节，那样的话应该是 18 00 00 00。数据的长度写在报" +
			"头里：" +
			"total_size。"
		q.Options[0].AnswerEn = "The data has 24 bytes: that would be 18 00 00 00. Its length " +
			"is in " +
			"the header, as total_size."
		return []Question{q, {"characters", "没有边界的程序 recv(10)：8 个“包”字，第一次拿到几个" +
			"完整的？",
			"Without boundaries, recv(10) on eight times 包: how many whole characters come first?",
			[]Option{
				{"10", "10 个", "10", "recv 数的是字节，不是字：UTF-8 里一个“包”字是 3 个字节。",
					"recv counts bytes, not characters: in UTF-8, 包 has 3 bytes."},
				{"8", "8 个：整条消息", "8: the whole message",
					"recv(10) 最多拿 10 个字节，整条有 24 个。",
					"recv(10) takes at most 10 bytes, and the message has 24."},
				{Value: "3", Zh: "3 个，外加一个字节的碎片", En: "3, and one byte of another"},
			}}}
	case "21":
		q := taught("21", "taken", "all", "error", "part")
		q.Zh, q.En = "缓冲区小，接收方先不收。某一次 send 4096 字节，系统当场收下多少？",
			"The buffers are small, and nothing is received yet. Of a send's 4096 bytes, how "+
				"many does the system take at once?"
		q.Options[0].Zh, q.Options[0].En = "4096：每次都全收下", "4096: all of them, each time"
		q.Options[0].AnswerZh = "缓冲区放不下了，只收下一部分。剩下的，send 停在那里等（窗口 0）。"
		q.Options[0].AnswerEn = "They do not fit into the buffers. A part is taken, and send " +
			"waits with the rest (window 0)."
		return []Question{q}
	case "17-18":
		return []Question{taught("17-18", "holds", "command", "command header_length",
			"command header_length json data")}
	}
	return nil
}
