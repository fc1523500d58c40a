package lesson

import "time"

var stuck = Lesson{
	Name:  "13a",
	Title: t("谁让它们粘在一起", "who stuck them together"),
	Run: t("发送方 send('hello')、send('world')；接收方忙，等两个都到了才 recv(1024)。",
		"The sender does send('hello') and send('world'); the receiver is busy and calls "+
			"recv(1024) when both are there."),
	Code: "client.send(b'hello')\nclient.send(b'world')\n" +
		"                              # 接收方晚一点才读 / the receiver reads later\ndata = " +
		"conn.recv(1024)",
	Ask: Question{
		t("几个 TCP 段？recv 返回几次？", "how many segments? how many reads?"), []Option{
			wrong(
				"2 个段，2 次",
				"2 segments, 2 reads",
				"段只是运输的方式，不是边界。两个段到了，字节在接收缓冲区里首尾相接，"+
					"recv(1024) 一次全拿走。",
				"Segments are transport, not boundaries. When both have arrived, their bytes "+
					"lie next to each other in the receive buffer, and one recv(1024) takes "+
					"them all."),
			right(
				"2 个段，1 次：在接收缓冲区里碰头",
				"2 segments, 1 read: they met in the receive buffer"),
			wrong(
				"1 个段，1 次：Nagle 合并了",
				"1 segment, 1 read: Nagle joined them",
				"hello 前面没有未确认的数据，Nagle 不拦它，马上就发走了，world 赶不上。"+
					"TCP_INFO 数出来是 2 个段。",
				"Nothing was unacknowledged before hello, so Nagle let it go at once, and "+
					"world could not join it any more. TCP_INFO counts 2 segments."),
		}},
	Play: playStuck,
	Why: t("两个段，一次 recv：它们是在接收方的缓冲区里碰到一起的。所以发送方做什么都没用："+
		"TCP_NODELAY 不行，sleep 也不行。可靠的办法只有应用程序自己来：要么等对方应答，要么写明边"+
		"界。",
		"Two segments, one recv: they met in the receiver's buffer. So nothing that the sender "+
			"does helps: not TCP_NODELAY, not sleep. Only the application itself can keep them "+
			"apart: a handshake, or a boundary that it writes."),
	Change: t("换两次 send 之间 sleep 的时间。接收方等都到了才读，那么要 sleep 多久，recv 才会分"+
		"成两次？",
		"Change the sleep between the sends. How long must it be for the late recv to become two?"),
	Knob: Knob{t("两次 send 之间 sleep", "the sleep between the sends"), []string{"100ms", "1s"},
		func(s *Stage, value string) error {
			pause, err := duration(value, 0, 5*time.Second)
			if err != nil {
				return err
			}
			for _, nagle := range []bool{true, false} {
				m, err := s.late(nagle, pause)
				if err != nil {
					return err
				}
				s.Say(nagleName(nagle))
				s.showTwo(m)
			}
			return nil
		}},
	Exercise: t("发送方 send 4 次，每次之间 sleep(1)；实验室当接收方，读得晚。先猜会有几次 recv，"+
		"再让实验室收一收；然后改程序，让 4 次 send 就是 4 次 recv（实验室每收到一次，就回一个"+
		"字节）：",
		"The sender sends 4 times with sleep(1) in between, and the lab is a receiver that reads "+
			"late. Guess how many recvs there will be, and have the lab receive. Then change the "+
			"program so that 4 sends are 4 recvs (the lab answers each recv with one byte):"),
	Check: "minissh-lab check 13a --client -- python3 my_client.py",
	Hints: [3]Text{
		t("接收方 sleep 的时候，字节在哪里？",
			"While the receiver sleeps, where are the bytes?"),
		t("它们都在接收缓冲区里，首尾相接。recv(1024) 最多拿 1024 个。",
			"All of them are in the receive buffer, next to each other. recv(1024) takes up to "+
				"1024."),
		t("只有一次。想分开，就得等对方说“收到了”才发下一个：recv 到应答再 send。",
			"One. To keep them apart, wait until the other side says that it has received: recv "+
				"an answer before each send."),
	},
}

func playStuck(s *Stage) (int, error) {
	outcome := -1
	for _, x := range []struct {
		what  Text
		nagle bool
		sleep time.Duration
	}{
		{t("Nagle 开，等都到了再读", "Nagle on, read late"), true, 0},
		{t("TCP_NODELAY，等都到了再读", "TCP_NODELAY, read late"), false, 0},
		{t("TCP_NODELAY，两次 send 隔 10 ms，等都到了再读",
			"TCP_NODELAY, 10 ms between the sends, read late"), false, 10 * time.Millisecond},
	} {
		m, err := s.late(x.nagle, x.sleep)
		if err != nil {
			return 0, err
		}
		s.Say(x.what)
		s.showTwo(m)
		if outcome < 0 {
			outcome = m.option()
		}
	}
	m, err := s.apart()
	if err != nil {
		return 0, err
	}
	s.Say(t("握手：收到 hello 以后才发 world",
		"a handshake: world is sent when hello has been received"))
	s.showTwo(m)
	return outcome, nil
}

// option is the option of the question that a measurement is.
func (m twoSends) option() int {
	switch {
	case m.together() && (m.segments == "2" || m.segments == ""):
		return 1
	case m.together():
		return 2
	}
	return 0
}

func (s *Stage) showTwo(m twoSends) {
	s.Lanes(Lanes{Sends: [][]byte{[]byte("hello"), []byte("world")}, Segments: m.segments,
		Buffer: m.buffer, Recvs: m.recvs})
	s.Out.Raw("\n")
}
