package check

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
)

// Attacks on the clients of chapters 6 to 16: the lab serves and types.

// echoClient types 20 words and wants them printed in upper case. With once, a client that asks
// nobody (chapter 6's) says one thing, and shows the answer.
func echoClient(once bool) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		a.calm()
		p.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		p.conn.Read(make([]byte, 1024)) // nothing: it waits at its prompt
		if said := p.conn.came; len(said) > 0 {
			answer := dialect.Upper(said)
			fail := &Failure{Sent: text("%s", quote(answer))}
			if !once {
				fail.Want = tx("一行一行地问", "a question for each line that is typed")
				fail.Got = tx("还没有输入，它就发来 %s", "before anything was typed it sent %s",
					quote(said))
				fail.proves(cause.ReadsNoLines)
				return fail
			}
			p.conn.Write(answer)
			return p.wantOutput(0, string(answer), cause.Sent{Pieces: []int{len(answer)}}, fail)
		}
		for _, w := range randomWords(20) {
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
	return p.wantOutput(mark, string(answer), cause.Sent{Pieces: []int{len(answer)}},
		&Failure{Sent: text("%s", quote(answer))})
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
		if !p.prog.ended() && len(p.conn.came) == 0 {
			f.proves(cause.EnterAlone)
		}
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
	if err := closeWrite(p.conn); err != nil {
		return err
	}
	p.prog.typeLine("again") // an honest client may still send this
	if f, _ := p.fateOf(nil, p.o.Limit); f == spins {
		fail := &Failure{
			Sent: tx("HELLO，然后 FIN（服务端关闭）", "HELLO, then FIN (the server closes)"),
			Want: tx("不能死循环", "no spinning"), Got: fateText(f, p.o.Limit)}
		fail.proves(cause.NoEndTest)
		return fail
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
		if err := p.wantOutput(mark, step.answer, cause.Sent{Pieces: []int{len(step.answer)}},
			&Failure{Sent: sent([]byte(step.answer))}); err != nil {
			if f, ok := err.(*Failure); ok && !f.Proven && !p.prog.ended() {
				p.conn.Write([]byte("more"))
				if p.wantOutput(mark, step.answer, cause.Sent{}, &Failure{}) == nil {
					f.proves(cause.RecvTwice)
				}
			}
			return err
		}
	}
	return nil
}

// leftover answers 3000 bytes at once, then pwd. Chapter 12's client shows the first 1024, and for
// pwd the next: that is what the chapter is about. One that is mended shows both whole.
func leftover(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	mark, err := p.command("big")
	if err != nil {
		return err
	}
	big, pwd := lines("big", 3000), "/home/student\n"
	fail := &Failure{Sent: tx("big 的 3000 字节，然后 pwd", "3000 bytes for big, then pwd")}
	p.conn.Write([]byte(big))
	part := big[:1024]
	err = p.wantOutput(mark, part, cause.Sent{Pieces: []int{len(big)}}, fail)
	if err != nil {
		return err
	}
	a.calm()
	want := pwd
	if !cause.Shows(p.prog.output.from(mark), big) {
		want = big[1024:2048] // what is left over comes first
	}
	if mark, err = p.command("pwd"); err != nil {
		return err
	}
	p.conn.Write([]byte(pwd))
	return p.wantOutput(mark, want, cause.Sent{}, fail)
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
func (p *peer) answered(name, line, output string, s chaos.Schedule) error {
	message := answer(name, p.o.BigEnd, output)
	pieces := s.Pieces(message, chaos.Find(p.o.BigEnd, name != "ack", message))
	return p.answeredIn(name, line, output, pieces, Text{Zh: s.Zh, En: s.En})
}

// answeredIn types a command and answers it in these pieces.
func (p *peer) answeredIn(name, line, output string, pieces [][]byte, how Text) error {
	mark, err := p.command(line)
	if err != nil {
		return err
	}
	if name == "ack" {
		p.conn.Write(dialect.AckLength(len(output)))
		if err := p.ack(); err != nil {
			return err
		}
	}
	if _, err := chaos.Send(p.ctx, p.conn.Conn, pieces); err != nil && p.ctx.Err() != nil {
		return p.ctx.Err() // a client that has gone shows in its output
	}
	if output == "" {
		return nil
	}
	said, total := cause.Sent{}, 0
	for _, piece := range pieces {
		said.Pieces = append(said.Pieces, len(piece))
		total += len(piece)
	}
	said.Framing = total - len(output)
	en := "%d bytes in %d pieces, "
	if len(pieces) == 1 {
		en = "%d bytes in %d piece, "
	}
	return p.wantOutput(mark, output, said,
		&Failure{Sent: tx("%d 字节，分 %d 次，", en, total, len(pieces)).Plus(how)})
}

// ack waits for the client's readiness, whatever it is called.
func (p *peer) ack() error {
	_, err := p.read(p.conn, Text{}, func(b []byte) bool { return len(b) > 0 })
	if f, ok := err.(*Failure); ok {
		f.Sent, f.Want = tx("总长度（十进制）", "the total length in decimal"),
			tx("客户端发来 recv_ready", "the client sends recv_ready")
		if !p.prog.ended() {
			f.proves(cause.NoAck)
		}
		return f
	}
	return err
}

// lines is n bytes of lines of random letters, other ones for each mark, the same ones every time:
// no part of it looks like another.
func lines(mark string, n int) string {
	sum := fnv.New64a()
	sum.Write([]byte(mark))
	r := rand.New(rand.NewPCG(sum.Sum64(), 15))
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte('a' + r.IntN(26)); i%12 == 11 || i == n-1 {
			b[i] = '\n'
		}
	}
	return string(b)
}

// anySchedule answers 20,000 bytes at once, then 3000 in every schedule, each with a short answer
// after it, on one connection.
func anySchedule(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := p.answered(name, "show 20000", lines("all", 20_000), chaos.Glued); err != nil {
			return a.tryOtherwise(p, name, err)
		}
		if err := p.answered(name, "pwd", "/home/student\n", chaos.Glued); err != nil {
			return a.tryAlone(name, err)
		}
		output := lines("two", 3000)
		message := answer(name, p.o.BigEnd, output)
		head := len(message) - len(output)
		pieces := [][]byte{message[:head+700], message[head+700:]}
		if head > 0 {
			pieces = [][]byte{message[:head], message[head : head+700], message[head+700:]}
		}
		if err := p.answeredIn(name, "show two", output, pieces, tx("数据分两次到",
			"the data in two parts")); err != nil {
			return a.inPieces(name, chaos.AfterLength, err)
		}
		// The character is cut last: a client that stops early dies of that as well.
		for _, s := range []chaos.Schedule{chaos.Glued, chaos.AfterLength, chaos.InsideLength,
			chaos.InsideJSON, chaos.ByteByByte, chaos.InsideChar} {
			output := lines(s.Name, 3000)
			if s.Name == chaos.InsideChar.Name {
				output = "ab" + strings.Repeat("中", 20) + "cd"
			}
			message := answer(name, p.o.BigEnd, output)
			if s.Pieces(message, chaos.Find(p.o.BigEnd, name != "ack", message)) == nil {
				continue // nothing of that kind in this dialect's messages
			}
			err := p.answered(name, "show "+s.Name, output, s)
			if err == nil {
				err = p.answered(name, "pwd", "after "+s.Name+"\n", chaos.Glued)
			}
			if err != nil {
				return a.inPieces(name, s, err)
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
		if err := p.answered(name, "true", "", chaos.Glued); err != nil {
			return err
		}
		err = p.answered(name, "pwd", "/home/student\n", chaos.Glued)
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
		err = p.answered(name, "cat zhong.txt", strings.Repeat("中", 400), chaos.Glued)
		if f, ok := err.(*Failure); ok && !f.Proven && name != "ack" && !p.prog.ended() &&
			!strings.Contains(p.prog.output.from(0), "中") {
			output := lines("ascii", 1200)
			if a.afresh(name, output, [][]byte{answer(name, a.o.BigEnd, output)}) == nil {
				f.proves(cause.CountsCharacters)
			}
		}
		return err
	}
}
