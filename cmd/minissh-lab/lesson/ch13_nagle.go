package lesson

import "strconv"

var nagle = Lesson{
	Name:  "13b",
	Title: t("Nagle 到底做什么", "what Nagle really does"),
	Run: t("10 次 send，每次 5 字节。一次开 Nagle，一次关（TCP_NODELAY）。发送方一发完，接收方就"+
		"读。", "Ten sends of 5 bytes, once with Nagle, once without (TCP_NODELAY). The "+
		"receiver reads when the sender is done."),
	Code: "# Python 默认开 Nagle，Go 默认关 / Nagle is on in Python, off in Go\n" +
		"client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\nfor i in range(10):\n" +
		"    client.send(b'msg%d;' % i)",
	Ask: Question{
		t("哪一种一次 recv 就全收到？", "with which of them does one recv give "+
			"everything?"), []Option{
			right("TCP_NODELAY", "TCP_NODELAY"),
			wrong(
				"Nagle：它把小包合并了",
				"Nagle: it joins small packets",
				"它合并的是后面 9 个。第一个马上就走了，所以第一次 recv 只有 5 个字节。",
				"It joined the last nine. The first left at once, so the first recv has 5 "+
					"bytes."),
			wrong(
				"两种都不会",
				"neither",
				"关掉 Nagle，10 个段马上都到了：recv 的时候 50 个字节已经在缓冲区里等着。",
				"Without Nagle all ten segments arrive at once: 50 bytes wait in the buffer "+
					"at the recv."),
		}},
	Play: playNagle,
	Why: t("Nagle 算法：只要还有没确认的数据，小块数据就先攒着。第一个 5 字节马上发走，后面 45 字"+
		"节在发送方等 ack，所以第一次 recv 只有 5 字节。TCP_NODELAY：10 个段都到了，一次 recv 就"+
		"拿到 50 字节，全粘在一起。“关掉 Nagle 就不粘”，正好说反了。",
		"Nagle: while data is unacknowledged, small writes wait. The first 5 bytes leave at "+
			"once, the other 45 wait at the sender for the ack: the first recv has 5. NODELAY: "+
			"ten segments have all arrived and are one recv of 50. \"No Nagle, no sticking\" is "+
			"exactly wrong."),
	Change: t("换 send 的次数。只发 1 次、2 次呢？发 30 次，NODELAY 的段数为什么不是 30？（连接刚"+
		"开始，没有 ack 的段最多 10 个，后面的只好等着：拥塞窗口。）",
		"Change the number of sends. What about 1, or 2? And why are 30 not 30 segments without "+
			"Nagle? (At first, at most 10 may be unacknowledged, and the others wait: the "+
			"congestion window.)"),
	Knob: Knob{t("send 的次数", "the number of sends"), []string{"1", "2", "30"},
		func(s *Stage, value string) error {
			n, err := number(value, 1, 100)
			if err == nil {
				_, err = showNagle(s, n)
			}
			return err
		}},
	Quiz: &Quiz{
		t("关掉 Nagle，10 次 send 是几个段？", "without Nagle, how many segments are ten sends?"),
		measureTen,
		t("没有 Nagle，每次 send 马上就是一个段，所以是 10。接收方却只要一次 recv："+
			"段数不等于 recv 的次数。",
			"Without Nagle each send is a segment at once: 10. The receiver needs one recv for "+
				"all: segments and recvs are different numbers.")},
	Exercise: t("先解释给同桌听：为什么两种情况都会粘，只是粘在不同的地方？再改程序：还是这 10 条"+
		"消息，只用一个段（实验室来数）：",
		"Explain to your neighbour why both stick, only in different places. Then change the "+
			"program: the same ten messages in one segment (the lab counts):"),
	Check: "minissh-lab check 13b --client -- python3 my_client.py",
	Hints: [3]Text{
		t("Nagle 让小包在哪里等？没有它，它们在哪里等？",
			"Where do small writes wait with Nagle? And without it?"),
		t("在发送方等 ack，或者在接收方等 recv。",
			"At the sender, for an ack; or at the receiver, for recv."),
		t("两种都会粘，一个粘在发送缓冲区，一个粘在接收缓冲区。想少等，就合成一次 send。",
			"Both stick: one in the send buffer, the other in the receive buffer. To wait less, "+
				"join them into one send."),
	},
}

// nagleName says whether Nagle is on.
func nagleName(on bool) Text {
	if on {
		return t("Nagle 开", "Nagle on")
	}
	return t("TCP_NODELAY", "TCP_NODELAY")
}

func playNagle(s *Stage) (int, error) { return showNagle(s, 10) }

// showNagle is the lesson with n sends.
func showNagle(s *Stage, n int) (int, error) {
	with, err := s.many(n, true)
	if err != nil {
		return 0, err
	}
	without, err := s.many(n, false)
	if err != nil {
		return 0, err
	}
	s.Say(nagleName(true))
	s.Lanes(Lanes{Sends: with.sent, Segments: with.segments, Buffer: with.waiting,
		Recvs: with.recvs})
	s.Out.Raw("\n")
	s.Say(nagleName(false))
	s.Lanes(Lanes{Sends: without.sent, Segments: without.segments, Buffer: without.waiting,
		Recvs: without.recvs})
	switch {
	case len(without.recvs) == 1 && len(with.recvs) > 1:
		return 0, nil
	case len(without.recvs) == 1:
		s.Say(t("这次两种都是一次 recv：确认来得太快，Nagle 没有等，所以这台机器上看不出差别。"+
			"下面说的"+
			"是确认来得晚的时候。",
			"Both were one recv this time: the ack came so soon that Nagle did not wait, so this "+
				"machine shows no difference. What follows is about an ack that comes later."))
		return 0, nil
	case len(with.recvs) == 1:
		return 1, nil
	}
	return 2, nil
}

func measureTen(s *Stage) (string, error) {
	m, err := s.ten(false)
	if m.segments == "" && err == nil {
		s.Say(t("这个系统查不到段数：下面的数是 send 的次数，不是量出来的。",
			"This system does not tell the number of segments: what follows is the number of "+
				"sends, and was not measured."))
		return strconv.Itoa(len(m.sent)), err
	}
	return m.segments, err
}
