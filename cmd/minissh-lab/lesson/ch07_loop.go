package lesson

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

var loop = Lesson{
	Name:  "7",
	Title: t("循环：accept 放在哪里", "the loop: where accept goes"),
	Run: t("书上第 7 章的服务端把 accept 也放进了循环。客户端在同一个连接上发两条消息。",
		"Chapter 7's server has accept inside its loop. The client sends two messages on one "+
			"connection."),
	Code: "while True:\n    conn, addr = phone.accept()\n    data = conn.recv(1024)\n" +
		"    conn.send(data.upper())      # 也有版本接着 conn.close() / other copies add " +
		"conn.close()",
	Ask: Question{
		t("第二条消息会怎么样？", "what happens to the second message?"), []Option{
			wrong(
				"照样得到回答",
				"it is answered too",
				"得有人在这个连接上 recv 才行。服务端已经回到 accept，它等的是新的客户端。",
				"Somebody would have to recv on this connection. The server is back in accept "+
					"and waits for a new client."),
			right(
				"没人回答：一直等；如果服务端 close 了，就收到空的",
				"nobody answers: it hangs, or comes back empty where the server closes"),
			wrong(
				"报错：连接被拒绝",
				"an error: connection refused",
				"“被拒绝”只会发生在 connect 的时候。连接早就建好了，send 也成功：字节到了对方"+
					"的缓冲区，只是没人读。",
				"Only connect can be refused. The connection has long been made, and send "+
					"succeeds: the bytes are in the server's buffer, unread."),
		}},
	Play: playLoop,
	Why: t("服务端又回到 accept，等的是新的连接；老连接的第二条消息躺在接收缓冲区里没人收。",
		"The server is back in accept, waiting for a new connection; the second message lies in "+
			"the receive buffer of the old one."),
	Change: t("换 accept 的位置：inside 照书上的写，close 是书上带 conn.close() 的，outside 放到"+
		"收发循环外面。",
		"Change where accept is: inside as printed, close with conn.close(), outside before the "+
			"loop that receives and sends."),
	Knob: Knob{t("accept 的位置", "where accept is"), []string{"inside", "close", "outside"},
		func(s *Stage, value string) error {
			where, err := choice(value, "inside", "close", "outside")
			if err != nil {
				return err
			}
			answers, err := twoMessages(s, where == "close", where == "outside")
			s.Table([]string{"accept", "hello", "world"},
				[]string{where, s.orHung(answers[0]), s.orHung(answers[1])})
			return err
		}},
	Exercise: t("改好你的服务端，一个连接上 10 条消息都要回答：",
		"Mend your server; ten messages on one connection must be answered:"),
	Check: "minissh-lab check 7 -- python3 my_server.py",
	Hints: [3]Text{
		t("发完第一个回答，服务端停在哪一行？",
			"After its first answer, in which line does the server wait?"),
		t("一个连接要收很多次：recv 和 send 要有自己的循环，accept 在它外面。",
			"A connection is received from many times: recv and send need a loop of their own, "+
				"with accept outside."),
		t("内层 while True：data = conn.recv(1024)；if not data: break；sendall。",
			"An inner while True: data = conn.recv(1024); if not data: break; sendall."),
	},
}

// loopServer serves as the course's code does. accepting is told each time the
// server is about to wait in accept.
func loopServer(l net.Listener, accepting chan<- struct{}, closes, mended bool) {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for {
		accepting <- struct{}{}
		conn, err := l.Accept()
		if err != nil {
			return
		}
		conns = append(conns, conn)
		for {
			b, err := recv(conn, 1024)
			if err != nil || len(b) == 0 {
				break
			}
			conn.Write(dialect.Upper(b))
			if closes {
				conn.Close()
			}
			if !mended {
				break
			}
		}
	}
}

func playLoop(s *Stage) (int, error) {
	rows := [][]string{{s.pick(t("服务端", "server")), "hello", "world"}}
	var second []string
	for _, x := range []struct {
		name           Text
		closes, mended bool
	}{
		{t("书上的", "as printed"), false, false}, {t("书上的，带 close",
			"as printed, with close"), true, false}, {t("改好的", "mended"), false, true},
	} {
		answers, err := twoMessages(s, x.closes, x.mended)
		if err != nil {
			return 0, err
		}
		second = append(second, answers[1])
		rows = append(rows, []string{s.pick(x.name), s.orHung(answers[0]), s.orHung(answers[1])})
	}
	s.Table(rows...)
	if second[0] == hung && second[1] == "b''" && second[2] == "WORLD" {
		return 1, nil
	}
	return 0, nil
}

// hung stands for no answer.
const hung = "…"

// orHung says what no answer is.
func (s *Stage) orHung(answer string) string {
	if answer == hung {
		return s.pick(t("（一直等）", "(it waits)"))
	}
	return answer
}

// twoMessages sends hello and world on one connection.
func twoMessages(s *Stage, closes, mended bool) ([2]string, error) {
	var answers [2]string
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return answers, err
	}
	accepting := make(chan struct{}, 8)
	var done sync.WaitGroup
	done.Go(func() { loopServer(l, accepting, closes, mended) })
	defer done.Wait()
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return answers, err
	}
	defer conn.Close()
	<-accepting
	for i, message := range []string{"hello", "world"} {
		if i == 1 && !mended {
			select { // the server waits in accept again: from now on nobody reads this connection
			case <-accepting:
			case <-s.Ctx.Done():
				return answers, context.Cause(s.Ctx)
			}
		}
		conn.Write([]byte(message)) // where the server has closed, recv tells
		b := make([]byte, 1024)
		patience := waitLimit
		if i == 1 && !mended {
			patience = 150 * time.Millisecond // nobody will ever answer: the server is in accept
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(b)
		switch {
		case n > 0:
			answers[i] = string(b[:n])
		case errors.Is(err, os.ErrDeadlineExceeded):
			answers[i] = hung
		default:
			answers[i] = "b''"
		}
	}
	return answers, nil
}
