package lesson

import (
	"encoding/binary"
	"fmt"

	"minissh/cmd/minissh-lab/dialect"
)

var simpleVersion = Lesson{
	Name:  "15a",
	Title: t("简单版：4 字节长度", "the simple version: 4 bytes of length"),
	Run: t("服务端先发 struct.pack('i', 3000)，再发 3000 字节。",
		"The server sends struct.pack('i', 3000), then 3000 bytes."),
	Code: "conn.send(struct.pack('i', total_size))\n…\nwhile recv_size < total_size:\n" +
		"    recv_data += conn.recv(1024)\n    recv_size += len(recv_data)      # ← 书上就是这样 " +
		"/ as printed",
	Ask: Question{
		t("3000 的 4 个字节（十六进制）？", "the 4 bytes of 3000, in hex?"), []Option{
			wrong(
				"00 00 0b b8",
				"00 00 0b b8",
				"这是大端（网络字节序），写 '!i' 才会得到它。'i' 用本机的字节序，PC 上低位在前。",
				"That is big-endian, network byte order, which '!i' gives. 'i' is the "+
					"machine's own, and on a PC the low byte comes first."),
			wrong(
				"33 30 30 30",
				"33 30 30 30",
				"这是四个字符 '3000'，也就是 str(3000).encode()。struct.pack 写的是二进制的整"+
					"数。",
				"Those are the four characters '3000', as str(3000).encode() gives them. "+
					"struct.pack writes a binary integer."),
			right("b8 0b 00 00", "b8 0b 00 00"),
		}},
	Play: playSimple,
	Why: t("'i' 是本机的：有符号 32 位，PC 上小端，低位在前。书上的循环没收完就停了，"+
		"没收的字节成了下一个“长度”。是哪一行数错的？看上面的表，先自己找：这就是练习。",
		"'i' is native: signed, 32 bits, on a PC little-endian, the low byte first. The loop "+
			"as printed stops too early, and bytes not received become the next \"length\". "+
			"Which line counts wrongly? Look at the table first: finding it is the exercise."),
	Change: t("换 recv 的大小。换成某些大小，书上的循环就不出错：是哪些？这样算改好了吗？",
		"Change the recv size. With some sizes the loop as printed makes no mistake: which? Is "+
			"it mended?"),
	Knob: Knob{t("recv 的大小", "the recv size"), []string{"512", "4096"},
		func(s *Stage, value string) error {
			size, err := number(value, 1, 65536)
			if err == nil {
				_, err = showSimple(s, size)
			}
			return err
		}},
	Exercise: t("把书上的循环改好，再让捣乱的对端（chaos）来考它：",
		"Mend the loop as printed, and have the chaos peer try it:"),
	Check: "minissh-lab check 15a --client -- python3 my_client.py\n" +
		"    minissh-lab check 15a -- python3 my_server.py",
	Hints: [3]Text{
		t("在纸上走一遍循环：第一次收 1024，第二次又收 1024，recv_size 各是多少？",
			"Go through the loop on paper: 1024 bytes come, then 1024 again. What is recv_size "+
				"each time?"),
		t("recv_data 越来越长，len(recv_data) 里有老的字节。应该只数这一次来的。",
			"recv_data grows, and old bytes are in len(recv_data). Count only what came this "+
				"time."),
		t("res = phone.recv(min(1024, total_size - recv_size))；recv_data += res；recv_size += "+
			"len(res)；res 是空的就退出。",
			"res = phone.recv(min(1024, total_size - recv_size)); recv_data += res; recv_size += "+
				"len(res); leave if res is empty."),
	},
}

func playSimple(s *Stage) (int, error) { return showSimple(s, 1024) }

// showSimple is the lesson with a recv size.
func showSimple(s *Stage, size int) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	go func() { dialect.Find("simple").Serve(s.Ctx, l.server, dialect.Options{}); close(done) }()
	defer func() { l.close(); <-done }()
	l.client.Write([]byte("big"))
	if err := s.arrived(l.client, 3004); err != nil {
		return 0, err
	}
	length, err := readExactly(l.client, 4)
	if err != nil {
		return 0, err
	}
	s.Fields(Field{length, fmt.Sprint(binary.LittleEndian.Uint32(length)), t("长度", "length"), 0})
	s.Out.Raw("\n")
	s.Say(t("然后照书上的循环收：", "then the loop as printed:"))
	var data []byte
	counted := 0
	rows := [][]string{{fmt.Sprintf("recv(%d)", size), "len(recv_data)", "recv_size"}}
	for counted < 3000 {
		b, err := recv(l.client, size)
		if err != nil {
			return 0, err
		}
		data = append(data, b...)
		counted += len(data) // the bug
		rows = append(rows, []string{fmt.Sprint(len(b)), fmt.Sprint(len(data)),
			fmt.Sprint(counted)})
	}
	s.Table(rows[:min(len(rows), 12)]...)
	if len(rows) > 12 {
		s.Out.Raw("  …\n")
	}
	switch left := 3000 - len(data); {
	case left == 0:
		s.Say(t("这次刚好收全：一次 recv 就够了。bug 还在，等更长的输出或者更慢的网络。",
			"All 3000 this time, as one recv was enough. The bug is there still, and waits for "+
				"longer output or a slower network."))
	case left < 4:
		s.Sayf("收了 %d / 3000 字节就停了", "it stops after %d of 3000 bytes", len(data))
	default:
		next, err := readExactly(l.client, 4)
		if err != nil {
			return 0, err
		}
		s.Sayf("收了 %d / 3000 字节就停了。下一个“长度”：% x = %d，其实是 %q",
			"it stops after %d of 3000 bytes. The next \"length\": % x = %d, which is %q",
			len(data), next, int32(binary.LittleEndian.Uint32(next)), next)
	}
	switch fmt.Sprintf("% x", length) {
	case "b8 0b 00 00":
		return 2, nil
	case "00 00 0b b8":
		return 0, nil
	}
	return 1, nil
}
