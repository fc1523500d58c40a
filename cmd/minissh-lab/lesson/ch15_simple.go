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
				"这是大端（网络字节序），要写 '!i' 才是它。'i' 用本机的字节序，PC 上低位在前。",
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
	Why: t("'i' 是本机的：有符号 32 位，PC 上小端，低位在前。抄来的循环数错了：recv_data "+
		"是累加的，len(recv_data) 把老字节又数一遍，少收的字节成了下一个“长度”。",
		"'i' is native: signed, 32 bits, on a PC little-endian, the low byte first. The copied "+
			"loop counts wrongly: recv_data accumulates, len(recv_data) counts old bytes again, "+
			"and bytes not received become the next \"length\"."),
	Change: t("res = conn.recv(…); recv_data += res; recv_size += len(res)",
		"res = conn.recv(…); recv_data += res; recv_size += len(res)"),
	Exercise: t("改好多数的 bug，让捣乱的对端（chaos）来试：",
		"Mend the over-counting and let the chaos peer try it:"),
	Check: "minissh-lab check 15a --client -- python3 my_client.py\n" +
		"    minissh-lab check 15a -- python3 my_server.py",
}

func playSimple(s *Stage) (int, error) {
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
	rows := [][]string{{"recv(1024)", "len(recv_data)", "recv_size"}}
	for counted < 3000 {
		b, err := recv(l.client, 1024)
		if err != nil {
			return 0, err
		}
		data = append(data, b...)
		counted += len(data) // the bug
		rows = append(rows, []string{fmt.Sprint(len(b)), fmt.Sprint(len(data)),
			fmt.Sprint(counted)})
	}
	s.Table(rows...)
	next, err := readExactly(l.client, 4)
	if err != nil {
		return 0, err
	}
	s.Sayf("收了 %d / 3000 字节就停了。下一个“长度”：% x = %d，其实是 %q",
		"it stops after %d of 3000 bytes. The next \"length\": % x = %d, which is %q",
		len(data), next, int32(binary.LittleEndian.Uint32(next)), next)
	switch fmt.Sprintf("% x", length) {
	case "b8 0b 00 00":
		return 2, nil
	case "00 00 0b b8":
		return 0, nil
	}
	return 1, nil
}
