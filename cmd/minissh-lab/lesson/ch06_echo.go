package lesson

import (
	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/dialect"
)

var echo = Lesson{
	Name:  "6",
	Title: t("回显", "echo"),
	Run: t("客户端发 hello，服务端回 HELLO。客户端只 recv 一次。",
		"The client sends hello, the server answers HELLO. The client does one recv."),
	Code: "phone.send('hello'.encode('utf-8'))\ndata = phone.recv(1024)",
	Ask: Question{t("HELLO 会一次收到吗？", "does HELLO come in one piece?"), []Text{
		t("会：一次 send 对应一次 recv", "yes: one send is one recv"),
		t("这里会，但没有人保证", "here it does, but nobody promises it"),
		t("不会：5 个字节总是分 5 次", "no: five bytes always come in five pieces"),
	}, 1},
	Play: playEcho,
	Why: t("TCP 保证字节的顺序，不保证一次来几个。send 只是把字节交给操作系统。",
		"TCP keeps the order of the bytes; how many come at a time it does not say. send hands "+
			"bytes to the operating system, no more."),
	Change: t("换消息：汉字也行，encode 以后是字节。",
		"Change the message: Chinese works too, it is bytes after encode."),
	Exercise: t("写你自己的客户端和服务端（端口 8080）：",
		"Write your own client and server (port 8080):"),
	Check: "minissh-lab check 6 -- python3 my_server.py\n" +
		"    minissh-lab check 6 --client -- python3 my_client.py",
}

func playEcho(s *Stage) (int, error) {
	reads := make([]int, 0, 2)
	for _, schedule := range []chaos.Schedule{chaos.Glued, chaos.ByteByByte} {
		l, err := dialLink()
		if err != nil {
			return 0, err
		}
		if _, err = l.client.Write([]byte("hello")); err != nil {
			l.close()
			return 0, err
		}
		asked, err := recv(l.server, 1024)
		if err != nil {
			l.close()
			return 0, err
		}
		var sent, got [][]byte
		answer := dialect.Upper(asked)
		for _, piece := range schedule.Pieces(answer, chaos.Find(false, false, answer)) {
			l.server.Write(piece) // the next piece only when this one has been received
			b, err := recv(l.client, 1024)
			if err != nil {
				l.close()
				return 0, err
			}
			sent, got = append(sent, piece), append(got, b)
		}
		s.Say(Text{schedule.Zh, schedule.En})
		s.Lanes(Lanes{Sends: sent, Segments: segments(l.server), Buffer: -1, Recvs: got})
		reads = append(reads, len(got))
		l.close()
	}
	if reads[0] == 1 && reads[1] == 5 {
		return 1, nil
	}
	return 0, nil
}
