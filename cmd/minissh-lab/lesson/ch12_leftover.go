package lesson

import (
	"fmt"
	"strconv"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/playshell"
)

var leftover = Lesson{
	Name:  "12",
	Title: t("粘包现象：pwd 打印了什么", "粘包: what pwd prints"),
	Run: t("命令 big 有 3000 字节输出，客户端 recv(1024) 一次；然后输入 pwd，再 recv(1024) "+
		"一次。", "The command `big` prints 3000 bytes; the client does one recv(1024). Then "+
		"pwd, and one recv(1024) more."),
	Code: "phone.send(b'big')\nprint(phone.recv(1024))      # 3000 字节的输出 / 3000 bytes of " +
		"output\n" +
		"phone.send(b'pwd')\nprint(phone.recv(1024))      # ?",
	Ask: Question{
		t("第二个 recv 打印什么？", "what does the second recv print?"), []Option{
			wrong(
				"pwd 的结果",
				"the answer to pwd",
				"recv 不知道哪些字节属于哪条命令，它只从缓冲区的最前面拿。最前面是 big 没收完"+
					"的。",
				"recv does not know which bytes belong to which command. It takes those at "+
					"the front of the buffer, and these are the rest of big."),
			wrong(
				"剩下的丢了，什么也没有",
				"the rest is lost, nothing",
				"TCP 不丢字节：没收的一直在接收缓冲区里等着。（会丢的是 UDP，见第 20 课。）",
				"TCP loses no bytes: what was not received waits in the receive buffer. (UDP "+
					"would lose it: lesson 20.)"),
			right("big 剩下的字节", "bytes left over from big"),
		}},
	Play: playLeftover,
	Why: t("包没有粘，是流没有边界。没收走的字节留在接收缓冲区里，排在 pwd 的结果前面。"+
		"recv(1024) 不知道一个结果到哪里为止：没有人告诉它。",
		"No packet stuck: the stream has no boundaries. Bytes that were not received stay in the "+
			"receive buffer, before pwd's answer. recv(1024) cannot know where an answer ends: "+
			"nobody told it."),
	Change: t("换 recv 的大小。要多大，pwd 才不会打印 big 的字节？输出再长一点呢？",
		"Change the recv size. How large must it be for pwd to print its own answer? And with "+
			"longer output?"),
	Knob: Knob{t("recv 的大小", "the recv size"), []string{"2048", "8192", "10"},
		func(s *Stage, value string) error {
			size, err := number(value, 1, 65536)
			if err == nil {
				_, err = showLeftover(s, size)
			}
			return err
		}},
	Quiz: &Quiz{
		t("换成 recv(2048)：输入 pwd 的时候，还剩多少字节？",
			"with recv(2048): how many bytes are left over when pwd is typed?"), measureLeftover,
		t("big 有 3000 字节，收走了 2048：3000 - 2048 = 952。换成 recv(1024) 是 3000 - 1024 = "+
			"1976。",
			"big has 3000 bytes and 2048 were received: 3000 - 2048 = 952. With recv(1024) it is "+
				"3000 - 1024 = 1976.")},
	Exercise: t("用真正的 Python 客户端看一遍：先运行这个服务端，再开一个窗口，用客户端连它：",
		"See it with a real Python client (connect from a second window):"),
	Check: "minissh-lab serve --dialect naive",
	Hints: [3]Text{
		t("数一数：big 有多少字节，recv 拿走了多少？",
			"Count: how many bytes has big, and how many did recv take?"),
		t("客户端从哪里能知道一个回答有多长？现在有人告诉它吗？",
			"From what could the client know how long an answer is? Does anybody tell it?"),
		t("光改客户端没有可靠的办法：只能等对方不说话（settimeout）。要两边一起改，见 15a。",
			"The client alone has no reliable way: it can only wait for silence (settimeout). "+
				"Both sides must change: see 15a."),
	},
}

// leftoverRun is big, one recv(size), then pwd and one more recv.
type leftoverRun struct {
	first, second []byte
	left          int // bytes of big in the buffer when pwd is typed
	pwd           string
	rest          [][]byte // what further recvs would give
}

func runLeftover(s *Stage, size int) (r leftoverRun, err error) {
	l, err := dialLink()
	if err != nil {
		return r, err
	}
	done := make(chan struct{})
	go func() { dialect.Find("naive").Serve(s.Ctx, l.server, dialect.Options{}); close(done) }()
	defer func() { l.close(); <-done }()

	l.client.Write([]byte("big"))
	if err = s.arrived(l.client, 3000); err != nil { // read late: all of it is there
		return r, err
	}
	if r.first, err = recv(l.client, size); err != nil {
		return r, err
	}
	r.left = 3000 - len(r.first)
	l.client.Write([]byte("pwd"))
	r.pwd = played("pwd")
	if err = s.arrived(l.client, r.left+len(r.pwd)); err != nil {
		return r, err
	}
	if r.second, err = recv(l.client, size); err != nil {
		return r, err
	}
	for n := r.left + len(r.pwd) - len(r.second); n > 0; {
		b, err := recv(l.client, size)
		if err != nil {
			return r, err
		}
		r.rest, n = append(r.rest, b), n-len(b)
	}
	return r, nil
}

func playLeftover(s *Stage) (int, error) { return showLeftover(s, 1024) }

// showLeftover is the lesson with a recv size.
func showLeftover(s *Stage, size int) (int, error) {
	r, err := runLeftover(s, size)
	if err != nil {
		return 0, err
	}
	big := append([]byte(nil), r.first...)
	s.Out.Raw(fmt.Sprintf("  send big  → recv(%d)  ", size) + s.paint(short(r.first), 0) + "\n")
	s.Sayf("            接收缓冲区里还有 %d 字节没收",
		"            %d bytes are left in the receive buffer", r.left)
	s.Out.Raw(fmt.Sprintf("  send pwd  → recv(%d)  ", size) + s.paint(short(r.second), 0) + "\n")
	if r.left > 0 {
		s.Say(t("            ↑ 这是 big 剩下的，不是 pwd 的结果！",
			"            ↑ left over from big, not pwd's answer!"))
	} else {
		s.Say(t("            ↑ 这次对了，因为 big 只有 3000 字节。输出再长一点，又不对了。",
			"            ↑ right this time, since big has only 3000 bytes. More output, and it "+
				"is wrong again."))
		return 0, nil
	}
	stream := append(big, r.second...)
	for _, b := range r.rest {
		stream = append(stream, b...)
	}
	s.Out.Raw("\n")
	s.Lanes(Lanes{Sends: [][]byte{stream[:3000], stream[3000:]}, Segments: "-", Buffer: -1,
		Recvs: append([][]byte{r.first, r.second}, r.rest...)})
	s.Sayf("pwd 的结果 %q 要到第 %d 次 recv 才出来", "pwd's answer %q comes with recv number %d",
		r.pwd, 2+len(r.rest))
	s.Out.Raw("\n")
	if err := s.onLAN(3000); err != nil {
		return 0, err
	}
	if r.left > 0 && string(r.second) != r.pwd {
		return 2, nil
	}
	return 0, nil
}

func measureLeftover(s *Stage) (string, error) {
	r, err := runLeftover(s, 2048)
	return strconv.Itoa(r.left), err
}

// short is the beginning and the end of some output, on one line.
func short(b []byte) string {
	if len(b) <= 44 {
		return oneLine(b)
	}
	return oneLine(b[:24]) + "…" + oneLine(b[len(b)-16:])
}

// played is what the dialects' servers answer to a line.
func played(line string) string {
	out, errOut := playshell.Run(line)
	return string(out) + string(errOut)
}
