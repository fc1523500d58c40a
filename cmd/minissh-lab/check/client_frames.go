package check

import (
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/dialect"
)

// Attacks on the clients of chapters 6 to 16: the lab serves and types.

// echoClient types words and wants them printed in upper case.
func echoClient(n int) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		for _, w := range randomWords(n) {
			if err := p.echoed(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// echoed is one exchange.
func (p *peer) echoed(word string) error {
	mark, err := p.command(word)
	if err != nil {
		return err
	}
	answer := dialect.Upper([]byte(word))
	p.conn.Write(answer)
	return p.wantOutput(mark, string(answer), &Failure{Sent: text("%s", quote(answer))})
}

// pressEnter types an empty line, then a word: send(b”) would send nothing, and
// recv would wait for ever.
func pressEnter(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	p.prog.typeLine("")
	err = p.echoed("hello")
	if f, ok := err.(*Failure); ok {
		f.Sent = tx("在提示符后面只按回车，再输入 hello", "Enter alone at the prompt, then hello")
		f.Belief = emptyOutput
	}
	return err
}

// serverLeaves closes the connection after an exchange; the client must not spin.
func serverLeaves(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	if err := p.echoed("hello"); err != nil {
		return err
	}
	if err := p.closeWrite(); err != nil {
		return &Skipped{Text{err.Error(), err.Error()}}
	}
	p.prog.typeLine("again") // an honest client may still send this
	f, _ := p.fateOf(nil, min(p.o.Limit, time.Second))
	if f == spins {
		return &Failure{
			Sent: tx("HELLO，然后 FIN（服务端关闭）", "HELLO, then FIN (the server closes)"),
			Want: tx("不空转", "no spinning"), Got: fateText(f, p.o.Limit), Belief: shortRecv}
	}
	return nil
}

// naiveClient shows the answers of a naive server that come in one piece.
func naiveClient(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	for _, step := range []struct{ line, answer string }{
		{"ls", "a.txt\nb.txt\n"}, {"nosuch", "sh: nosuch: command not found\n"}, {"pwd", "/home/student\n"},
	} {
		mark, err := p.command(step.line)
		if err != nil {
			return err
		}
		p.conn.Write([]byte(step.answer))
		if err := p.wantOutput(mark, step.answer,
			&Failure{Sent: sent([]byte(step.answer))}); err != nil {
			return err
		}
	}
	return nil
}

// answer is a framed dialect's whole answer with this output. For ack it is the
// data alone: the length travels before the ack.
func answer(name string, bigEndian bool, output string) []byte {
	switch name {
	case "simple":
		return dialect.SimpleReply(bigEndian, []byte(output), nil)
	case "ultimate":
		return dialect.UltimateReply(bigEndian, "a.txt", []byte(output), nil)
	}
	return []byte(output)
}

// answered types a command and answers it by a schedule.
func (p *peer) answered(name, line, output string, s chaos.Schedule, belief *Belief) error {
	mark, err := p.command(line)
	if err != nil {
		return err
	}
	message := answer(name, p.o.BigEnd, output)
	if name == "ack" {
		p.conn.Write(dialect.AckLength(len(output)))
		if err := p.ack(); err != nil {
			return err
		}
	}
	pieces, err := p.reply(message, name != "ack", s)
	if err != nil {
		return err
	}
	en := "%d bytes in %d pieces, "
	if pieces == 1 {
		en = "%d bytes in %d piece, "
	}
	fail := &Failure{Sent: tx("%d 字节，分 %d 次，", en, len(message),
		pieces).plus(Text{s.Zh, s.En}), Belief: belief}
	if output == "" {
		return nil
	}
	return p.wantOutput(mark, output, fail)
}

// ack waits for the client's readiness, whatever it is called.
func (p *peer) ack() error {
	_, err := p.read(p.conn, Text{}, func(b []byte) bool { return len(b) > 0 })
	if f, ok := err.(*Failure); ok {
		f.Sent, f.Want = tx("总长度（十进制）", "the total length in decimal"),
			tx("客户端发来 recv_ready", "the client sends recv_ready")
		return f
	}
	return err
}

// threeThousand is 3000 bytes of numbered lines, other ones for each mark.
func threeThousand(mark string) string {
	var b strings.Builder
	for i := 0; b.Len() < 3000; i++ {
		b.WriteString(mark + "-" + itoa(i) + "\n")
	}
	return b.String()[:2999] + "\n"
}

// anySchedule answers 3000 bytes in every schedule, each with a short answer after
// it, on one connection.
func anySchedule(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		for _, s := range chaos.All {
			output, belief := threeThousand(s.Name), oneRecv
			switch s.Name {
			case chaos.InsideChar.Name:
				output, belief = "ab"+strings.Repeat("中", 20)+"cd", cutCharacter
			case chaos.InsideLength.Name, chaos.InsideJSON.Name, chaos.ByteByByte.Name:
				belief = shortRecv
			}
			message := answer(name, p.o.BigEnd, output)
			if s.Pieces(message, chaos.Find(p.o.BigEnd, name != "ack", message)) == nil {
				continue // nothing of that kind in this dialect's messages
			}
			if err := p.answered(name, "show "+s.Name, output, s, belief); err != nil {
				return err
			}
			if err := p.answered(name, "pwd", "after "+s.Name+"\n", chaos.Glued,
				belief); err != nil {
				return err
			}
		}
		return nil
	}
}

// emptyAnswer answers nothing, properly framed, then something.
func emptyAnswer(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := p.answered(name, "true", "", chaos.Glued, emptyOutput); err != nil {
			return err
		}
		err = p.answered(name, "pwd", "/home/student\n", chaos.Glued, emptyOutput)
		if f, ok := err.(*Failure); ok {
			f.Sent = tx("长度 0 的回答，然后下一条命令",
				"an answer of length 0, then the next command")
		}
		return err
	}
}

// chineseAnswer is 400 x 中: recv(1024) cuts the character at byte 1023.
func chineseAnswer(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		return p.answered(name, "cat zhong.txt", strings.Repeat("中", 400), chaos.Glued,
			cutCharacter)
	}
}

// endsInFrame ends the connection inside an answer, in every part of it.
func endsInFrame(name string) func(*attack) error {
	return func(a *attack) error {
		message := answer(name, a.o.BigEnd, "abcdefghijklmnopqrstuvwxyz")
		for _, part := range chaos.Truncated(message, chaos.Find(a.o.BigEnd, true, message)) {
			if err := a.endsAfter(name, part); err != nil {
				return err
			}
			a.endProgram()
		}
		return nil
	}
}

// endsAfter sends part of an answer, then FIN.
func (a *attack) endsAfter(name string, part []byte) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	if _, err := p.command("ls"); err != nil {
		return err
	}
	p.conn.Write(part)
	if err := p.closeWrite(); err != nil {
		return &Skipped{Text{err.Error(), err.Error()}}
	}
	return p.over(&Failure{
		Sent: tx("一个回答的前 %d 字节 %s，然后 FIN",
			"the first %d bytes of an answer, %s, then FIN", len(part), quote(part)),
		Want: tx("发现断了：报错，结束", "it notices: an error, and the end"), Belief: shortRecv})
}

// hostile answers with a length that must not be believed, and stays connected.
func hostile(what Text, message func(bigEndian bool) []byte) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if _, err := p.command("ls"); err != nil {
			return err
		}
		p.conn.Write(message(a.o.BigEnd))
		fail := &Failure{
			Sent: what,
			Want: tx("拒绝这个长度：报错，关闭连接",
				"the length refused: an error, the connection closed"), Belief: trustedLength}
		if err := p.over(fail); err != nil {
			return err
		}
		return p.notByLuck(fail)
	}
}

// notByLuck fails a program that died of the length instead of refusing it.
func (p *peer) notByLuck(fail *Failure) error {
	p.prog.settle()
	last := p.prog.errors.lastLine()
	for _, t := range tells {
		if t.belief == trustedLength && strings.Contains(last, t.text) {
			fail.Got = tx("不是拒绝，是被这个长度弄崩了", "not refused: it crashed of that length")
			return fail
		}
	}
	return nil
}

// hostileLength is a hostile length of four bytes and a little data.
func hostileLength(n int32) func(*attack) error {
	return hostile(tx("长度 %d", "a length of %d", n), func(bigEndian bool) []byte {
		return append(chaos.HostileLength(bigEndian, n), "data"...)
	})
}

// hostileSize is a good header with a hostile size in it.
func hostileSize(n int64) func(*attack) error {
	return hostile(tx("报头里的大小 %d", "a size of %d in the header", n),
		func(bigEndian bool) []byte {
			return append(dialect.Frame(bigEndian, dialect.Superset("a.txt", "xxdxxx", n, "")),
				"data"...)
		})
}
