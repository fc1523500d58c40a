package lesson

import (
	"fmt"
	"net"
	"runtime"
	"time"
)

var udp = Lesson{
	Name:  "20",
	Title: t("UDP：有边界，也会丢", "UDP: boundaries, and losses"),
	Run: t("发一个 10 字节的数据报 helloworld，接收方 recvfrom(5)；再发一个空的；再发 65508 "+
		"字节的。", "A datagram of 10 bytes, helloworld, and recvfrom(5); then an empty one; "+
		"then one of 65508 bytes."),
	Code: "client.sendto(b'helloworld', ('127.0.0.1', 9000))\ndata, addr = server.recvfrom(5)\n" +
		"data, addr = server.recvfrom(5)      # ?",
	Ask: Question{
		t("另外 5 个字节在哪里？", "where are the other five bytes?"), []Option{
			wrong(
				"下一次 recvfrom(5) 得到",
				"the next recvfrom(5) gives them",
				"TCP 才是这样。UDP 的一次 recvfrom 就是一个数据报，下一次拿到的是下一个数据报。",
				"So it is with TCP. With UDP one recvfrom is one datagram, and the next one "+
					"gives the next datagram."),
			wrong(
				"还在缓冲区里等着",
				"still in the buffer",
				"系统把整个数据报从缓冲区里取出来，你的 5 个字节放不下的，当场扔掉。",
				"The system takes the whole datagram out of the buffer and throws away what "+
					"your 5 bytes cannot hold."),
			right("没了", "gone"),
		}},
	Play: playUDP,
	Why: t("数据报有边界：一次 recvfrom 就是一个数据报，收不下的部分丢掉（Windows 上会报错 "+
		"10040：文档这么写，这里没有实测）。空的数据报也是一个完整的数据报。没有确认，没有重传："+
		"丢了没人知道。",
		"A datagram has boundaries: one recvfrom is one datagram, and what does not fit is gone "+
			"(Windows raises 10040, documented, not measured here). An empty datagram is a real "+
			"one. No acks, no retransmission: nobody notices a loss."),
	Change: t("换 recvfrom 的大小。多大才不丢？TCP 的 recv(5) 也会丢吗？",
		"Change recvfrom's size. How large must it be to lose nothing? Does TCP's recv(5) lose "+
			"anything?"),
	Knob: Knob{t("recvfrom 的大小", "the size of recvfrom"), []string{"9", "10", "65535"},
		func(s *Stage, value string) error {
			size, err := number(value, 1, 65535)
			if err == nil {
				_, err = cutDatagram(s, size)
			}
			return err
		}},
	Quiz: &Quiz{
		t("IPv4 上一个 UDP 数据报最多带多少字节？",
			"how many bytes can one UDP datagram carry over IPv4?"),
		measureLargest,
		t("IP 包最长 65535 字节（长度字段 16 位），减去 20 字节的 IP 头和 8 字节的 UDP 头。",
			"An IP packet has at most 65535 bytes (a length of 16 bits), of which 20 are the IP "+
				"header and 8 the UDP header.")},
	Exercise: t("写 UDP 回显（端口 9000），空数据报也要回：",
		"Write a UDP echo (port 9000); answer empty datagrams, too:"),
	Check: "minissh-lab check 20 -- python3 my_server.py\n" +
		"    minissh-lab check 20 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("一次 recvfrom 收的是一个数据报。你的缓冲区装得下最长的吗？",
			"One recvfrom is one datagram. Does the longest one fit into your buffer?"),
		t("空的数据报也是一个数据报：它不表示结束。",
			"An empty datagram is a datagram, too: it does not mean the end."),
		t("msg, addr = udp.recvfrom(65535)；udp.sendto(msg.upper(), addr)，空的也一样回。",
			"msg, addr = udp.recvfrom(65535); udp.sendto(msg.upper(), addr), and the same for an "+
				"empty one."),
	},
}

// udpLink is a UDP server's socket and a client's that is connected to it.
func udpLink() (server net.PacketConn, client net.Conn, err error) {
	if server, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	if client, err = net.Dial("udp4", server.LocalAddr().String()); err != nil {
		server.Close()
		return nil, nil, err
	}
	server.SetReadDeadline(time.Now().Add(waitLimit))
	return server, client, nil
}

// recvfrom is Python's recvfrom(n). On Windows the system reports the cut.
func recvfrom(pc net.PacketConn, n int) (string, error) {
	b := make([]byte, n)
	got, _, err := pc.ReadFrom(b)
	if err != nil && got == 0 && runtime.GOOS != "windows" {
		return "", err
	}
	return string(b[:got]), nil
}

// cutDatagram sends two datagrams and receives each with recvfrom(size). It reports
// whether the first lost its end.
func cutDatagram(s *Stage, size int) (lost bool, err error) {
	server, client, err := udpLink()
	if err != nil {
		return false, err
	}
	defer server.Close()
	defer client.Close()
	// A datagram after it shows what the next recvfrom gives: the rest, or that one.
	client.Write([]byte("helloworld"))
	client.Write([]byte("next"))
	first, err := recvfrom(server, size)
	if err != nil {
		return false, err
	}
	second, err := recvfrom(server, size)
	if err != nil {
		return false, err
	}
	call := fmt.Sprintf("recvfrom(%d)", size)
	s.Table([]string{"sendto helloworld", call, fmt.Sprintf("%q", first)},
		[]string{"sendto next", call, fmt.Sprintf("%q", second)})
	want := "helloworld"
	return first == want[:min(size, 9)] && second == "next"[:min(size, 4)], nil
}

func playUDP(s *Stage) (int, error) {
	lost, err := cutDatagram(s, 5)
	if err != nil {
		return 0, err
	}
	server, client, err := udpLink()
	if err != nil {
		return 0, err
	}
	defer server.Close()
	defer client.Close()
	client.Write(nil)
	b := make([]byte, 16)
	n, _, err := server.ReadFrom(b)
	if err != nil {
		return 0, err
	}
	s.Sayf("sendto(b'')：recvfrom 得到 %q，%d 字节，是一个真的数据报",
		"sendto(b''): recvfrom gives %q, %d bytes: a real datagram", b[:n], n)
	if _, err = client.Write(make([]byte, 65508)); err != nil {
		s.Say(t("sendto 65508 字节：系统拒绝，一个数据报装不下",
			"sendto of 65508 bytes: the system refuses, too much for one datagram"))
	} else {
		s.Say(t("sendto 65508 字节：发出去了", "sendto of 65508 bytes: sent"))
	}
	if lost {
		return 2, nil
	}
	return 0, nil
}

// measureLargest finds the largest datagram that can be sent.
func measureLargest(*Stage) (string, error) {
	server, client, err := udpLink()
	if err != nil {
		return "", err
	}
	defer server.Close()
	defer client.Close()
	low, high := 0, 70000 // low is known to go, high not
	for high-low > 1 {
		n := (low + high) / 2
		if _, err := client.Write(make([]byte, n)); err == nil {
			low = n
		} else {
			high = n
		}
	}
	return fmt.Sprint(low), nil
}
