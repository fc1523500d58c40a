package lesson

import (
	"slices"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/dialect"
)

var echo = Lesson{
	Name:  "6",
	Title: t("回显", "echo"),
	Run: t("客户端发 hello，服务端回 HELLO。客户端只 recv 一次。",
		"The client sends hello, the server answers HELLO. The client does one recv."),
	Code: "phone.send('hello'.encode('utf-8'))\ndata = phone.recv(1024)",
	Ask: Question{
		t("HELLO 会一次收到吗？", "does HELLO come in one piece?"), []Option{
			right("这里会，但没有人保证", "here it does, but nothing guarantees it"),
			wrong(
				"会：一次 send 对应一次 recv",
				"yes: one send is one recv",
				"看第三次运行：5 次 send，一次 recv 就全收到了。两边的次数没有关系。",
				"See the third run: five sends, and one recv took everything. The two numbers "+
					"are unrelated."),
			wrong(
				"不会：5 个字节总是分 5 次",
				"no: five bytes always come in five pieces",
				"看第一次运行：5 个字节一次就到了。一次来几个，要看对方怎么发、网络怎么分、你"+
					"什么时候读。",
				"See the first run: all five came at once. How many come at a time depends on "+
					"how they are sent, on the network, and on when you read."),
		}},
	Play: playEcho,
	Why: t("只要连接不断，TCP 保证字节不丢、顺序不乱，但不保证一次来几个。send 也只是把字节交给操"+
		"作系统。",
		"While the connection lasts, TCP keeps all bytes and their order; it does not say how "+
			"many come at a time. And "+
			"send only hands bytes to the operating system."),
	Change: t("换一条消息。汉字 encode 以后是几个字节？一个字节一个字节地到的时候，recv 到的是半"+
		"个字吗？",
		"Change the message. How many bytes is a Chinese character after encode? When they come "+
			"one by one, is what recv returns a character?"),
	Knob: Knob{t("消息", "the message"), []string{"python", "你好"},
		func(s *Stage, value string) error {
			message, err := text(value, 100)
			if err == nil {
				_, err = echoThrice(s, message)
			}
			return err
		}},
	Exercise: t("写你自己的客户端和服务端（端口 8080）：",
		"Write your own client and server (port 8080):"),
	Check: "minissh-lab check 6 -- python3 my_server.py\n" +
		"    minissh-lab check 6 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("一问一答，各有几次 send、几次 recv？",
			"One question and one answer: how many sends and recvs is that on each side?"),
		t("网络上走的是字节：发之前 encode，打印之前 decode。",
			"Bytes travel: encode before sending, decode before printing."),
		t("服务端 conn.sendall(data.upper())；客户端 print(phone.recv(1024).decode('utf-8'))。",
			"The server: conn.sendall(data.upper()); the client: "+
				"print(phone.recv(1024).decode('utf-8'))."),
	},
}

func playEcho(s *Stage) (int, error) {
	reads, err := echoThrice(s, []byte("hello"))
	if err == nil && slices.Equal(reads, []int{1, 5, 1}) {
		return 0, nil
	}
	return 1, err
}

// echoThrice has the answer come in three ways and counts the recvs of each.
func echoThrice(s *Stage, message []byte) (reads []int, err error) {
	for _, x := range []struct {
		schedule chaos.Schedule
		late     bool
	}{{chaos.Glued, false}, {chaos.ByteByByte, false}, {chaos.ByteByByte, true}} {
		n, err := echoReads(s, message, x.schedule, x.late)
		if err != nil {
			return nil, err
		}
		reads = append(reads, n)
	}
	return reads, nil
}

// echoReads has the answer come in the schedule's pieces and counts the recvs that it
// takes. Each piece waits for the reader, or the reader, late, for all of them.
func echoReads(s *Stage, message []byte, schedule chaos.Schedule, late bool) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	if _, err = l.client.Write(message); err != nil {
		return 0, err
	}
	asked, err := recv(l.server, 1024)
	if err != nil {
		return 0, err
	}
	answer := dialect.Upper(asked)
	pieces := schedule.Pieces(answer, chaos.Find(false, false, answer))
	buffer := -1
	var got [][]byte
	for i, piece := range pieces {
		l.server.Write(piece)
		if late && i < len(pieces)-1 {
			continue
		}
		if late {
			if err := s.arrived(l.client, len(answer)); err != nil {
				return 0, err
			}
			buffer = len(answer)
		}
		b, err := recv(l.client, 1024)
		if err != nil {
			return 0, err
		}
		got = append(got, b)
	}
	said := Text{schedule.Zh, schedule.En}
	if late {
		said = said.plus("", t("，等都到了再读", ", read late"))
	}
	s.Say(said)
	s.Lanes(Lanes{Sends: pieces, Segments: segments(l.server), Buffer: buffer, Recvs: got})
	return len(got), nil
}
