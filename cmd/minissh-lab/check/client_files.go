package check

import (
	"bytes"
	"encoding/json"
	"os"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
)

// Attacks on the clients of chapters 17 to 19: get and put.

// asks types `get NAME` and wants the dialect's request.
func (p *peer) asks(name, file string) error {
	line := "get " + file
	if name != "oo" {
		_, err := p.command(line)
		if f, ok := err.(*Failure); ok && len(p.conn.came) == 0 {
			return p.lacks("get", f)
		}
		return err
	}
	p.conn.rewind()
	p.prog.typeLine(line)
	var list []string
	got, err := p.read(p.conn, Text{},
		func(b []byte) bool { return json.Unmarshal(b, &list) == nil })
	fail := &Failure{
		Sent: tx("在提示符后面输入 %s", "typed at the prompt: %s", quote([]byte(line))),
		Want: text("%s", quote(dialect.EncodeList("get", file)))}
	if err != nil {
		fail.Got = gotText(got, err.(*Failure).Got)
		if string(bytes.TrimSpace(got)) == line {
			fail.proves(cause.WrongDialect)
		}
		return p.lacks("get", fail)
	}
	if len(list) != 2 || list[0] != "get" || list[1] != file {
		fail.Got = text("%s", quote(got))
		return fail
	}
	return nil
}

// lacks says of a client that asks for the next line, and has sent nothing for this one, that it
// does not have the command: a chapter may lack it.
func (p *peer) lacks(verb string, f *Failure) error {
	if p.prog.ended() || !asks(p.prog.p.PID) || len(p.conn.came) > 0 {
		return f
	}
	return &Skipped{tx("输入了 %s，什么也没发来：这个程序没有 %s",
		"%s was typed, and nothing was sent: this program has no %s", verb, verb)}
}

// getsFiles answers gets of every sample, then of one file in every schedule.
func getsFiles(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		for i, s := range fileSamples {
			if err := p.gets(name, "lab-"+itoa(i)+"-"+s.name, s.data, chaos.Glued); err != nil {
				if len(s.data) < small {
					return a.getsApart(name, err)
				}
				return err
			}
		}
		for _, s := range chaos.All[1:] {
			if err := p.gets(name, "lab-"+s.Name+".txt", []byte(lines(s.Name, 3000)),
				s); err != nil {
				return err
			}
		}
		return nil
	}
}

// gets answers one get and waits until the file has been saved whole.
func (p *peer) gets(name, file string, data []byte, s chaos.Schedule) error {
	if err := p.asks(name, file); err != nil {
		return err
	}
	message := append(dialect.Frame(p.o.BigEnd, dialect.Superset(file, "xxdxxx", int64(len(data)),
		"")), data...)
	pieces := s.Pieces(message, chaos.Find(p.o.BigEnd, true, message))
	if pieces == nil {
		s, pieces = chaos.Glued, [][]byte{message}
	}
	if _, err := chaos.Send(p.ctx, p.conn.Conn, pieces); err != nil && p.ctx.Err() != nil {
		return p.ctx.Err() // a client that has gone shows in its files
	}
	fail := &Failure{Sent: tx("%s，报头和 %d 字节，", "%s, a header and %d bytes, ", file,
		len(data)).Plus(Text{Zh: s.Zh, En: s.En}),
		Want: tx("存下 ", "saved: ").Plus(sum(data))}
	got, err := p.saved(file, data, fail)
	if err == nil {
		return nil
	}
	said := cause.Sent{Framing: len(message) - len(data)}
	for _, piece := range pieces {
		said.Pieces = append(said.Pieces, len(piece))
	}
	fail.proves(cause.Printed(string(got), string(data), said))
	if !fail.Proven && (s.Name == chaos.InsideLength.Name || s.Name == chaos.InsideJSON.Name) {
		fail.proves(cause.ShortRecv)
	}
	return err
}

// saved waits until the program has written the file, and returns what is in it.
func (a *attack) saved(file string, data []byte, fail *Failure) (got []byte, err error) {
	for deadline := time.Now().Add(a.o.Limit); ; a.idle(10 * time.Millisecond) {
		// A file gives no event when another program has written it.
		gone := a.prog != nil && a.prog.ended()
		found := a.work.find(file, false)
		if len(found) > 0 {
			got, _ = os.ReadFile(found[0]) // may be held by the program for the moment
			if bytes.Equal(got, data) {
				return got, nil
			}
		}
		if !gone && a.ctx.Err() == nil && (time.Now().Before(deadline) || a.busyUntil(&deadline)) {
			continue
		}
		fail.Got = tx("没有这个文件", "no such file")
		if len(found) > 0 {
			fail.Got = sum(got)
		}
		if gone {
			fail.Got = fail.Got.Plus(tx("；程序结束了", "; the program ended"))
		}
		return got, fail
	}
}

// getsMissing answers with size 0 and an error; the next get must work.
func getsMissing(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := p.asks(name, "nosuch.txt"); err != nil {
			return err
		}
		p.conn.Write(dialect.Frame(p.o.BigEnd,
			dialect.Superset("nosuch.txt", "", 0, "no such file")))
		err = p.gets(name, "lab-after.txt", []byte("after"), chaos.Glued)
		if f, ok := err.(*Failure); ok {
			f.Sent = tx("size 0 的报头，带 error；然后下一个 get",
				"a header with size 0 and an error; then the next get")
			f.Belief = cause.MissingReply
		}
		return err
	}
}

// getsOutside answers a get with another name in the header.
func getsOutside(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := p.asks(name, "lab-in.txt"); err != nil {
			return err
		}
		const evil = "../../lab-outside.txt"
		p.conn.Write(append(dialect.Frame(p.o.BigEnd, dialect.Superset(evil, "xxdxxx", 7, "")),
			"outside"...))
		if closeWrite(p.conn) == nil {
			p.fateOf(p.conn, min(p.o.Limit, time.Second)) // until it has had its time to write
		}
		if found := p.work.find("lab-outside.txt", true); len(found) > 0 {
			fail := &Failure{Sent: tx("报头里的文件名 %s", "the file name %s in the header", evil),
				Want: tx("不写到目录外面", "nothing is written outside its folder"),
				Got: tx("写到了外面：%s", "written outside: %s",
					quote([]byte(relative(p.work.dir, found[0]))))}
			fail.proves(cause.TraversalHeader)
			return fail
		}
		return nil
	}
}

// getCut ends the connection inside a file.
func getCut(name string) func(*attack) error {
	return func(a *attack) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := p.asks(name, "lab-cut.txt"); err != nil {
			return err
		}
		p.conn.Write(
			append(dialect.Frame(p.o.BigEnd, dialect.Superset("lab-cut.txt", "xxdxxx", 100, "")),
				"only this"...))
		if err := closeWrite(p.conn); err != nil {
			return err
		}
		return p.over(&Failure{
			Sent: tx("报头写的是 100 字节，只发了 9 字节，然后 FIN",
				"the header says 100 bytes, 9 come, then FIN"),
			Want: tx("发现连接断了，报错退出", "it notices: an error, and the end")},
			cause.NoEndTest)
	}
}

// getHostile answers a get with a length that must not be believed.
func getHostile(name string, n int32) func(*attack) error {
	return func(a *attack) error {
		ask := func(p *peer) error { return p.asks(name, "lab-x.txt") }
		return a.poisoned(ask, tx("长度 %d", "a length of %d", n), func(n int64) []byte {
			return chaos.HostileLength(a.o.BigEnd, int32(n))
		}, int64(n), chaos.Huge)
	}
}

// putsFiles types `put NAME` and takes what comes apart, as a server that frames
// correctly does.
func putsFiles(name string) func(*attack) error {
	return func(a *attack) error {
		if err := a.give("mib.bin", mib); err != nil {
			return err
		}
		p, err := a.startClient()
		if err != nil {
			return err
		}
		for _, s := range fileSamples {
			if err := p.puts(name, s.name, s.data); err != nil {
				return err
			}
		}
		return nil
	}
}

// puts takes one put: the command, the frame, exactly the file.
func (p *peer) puts(name, file string, data []byte) error {
	line := "put " + file
	p.prog.typeLine(line)
	fail := &Failure{
		Sent: tx("在提示符后面输入 %s", "typed at the prompt: %s", quote([]byte(line))),
		Want: tx("报头和文件：", "header and file: ").Plus(sum(data))}
	p.conn.rewind()
	var header *dialect.Header
	var body []byte
	whole := func(b []byte) bool {
		rest := b
		if name != "oo" {
			var ok bool
			if _, rest, ok = dialect.SplitPut(p.o.BigEnd, b); !ok {
				return false
			}
		}
		if len(rest) < dialect.LengthSize {
			return false
		}
		n, err := dialect.DecodeLength(p.o.BigEnd, rest, dialect.MaxHeader)
		if err != nil || len(rest) < dialect.LengthSize+n {
			return false
		}
		header, err = dialect.ParseHeader(rest[dialect.LengthSize : dialect.LengthSize+n])
		if err != nil {
			return false
		}
		body = rest[dialect.LengthSize+n:]
		return int64(len(body)) >= header.Size
	}
	// 1 MiB is read in one go below the bound of read.
	got, err := p.readUpTo(2<<20, whole)
	switch {
	case err != nil && string(bytes.TrimSpace(got)) == line:
		return &Skipped{tx("它只发来了 put 这一行：这个程序没有 put",
			"it sent the line with put and nothing else: this program has no put")}
	case err != nil && len(got) == 0:
		fail.Got = err.(*Failure).Got
		if p.conn.Write([]byte("ok")); p.conn.drain() != nil {
			fail.proves(cause.PutAnswered) // to the last put
			return fail
		}
		return p.lacks("put", fail)
	case err != nil:
		fail.Got = gotText(got, err.(*Failure).Got)
		rest := bytes.TrimPrefix(got, []byte(line))
		fail.proves(cause.Message(cause.Header, p.o.BigEnd, rest, data, -1))
	case header.Size != int64(len(data)) || !bytes.Equal(body, data):
		fail.proves(cause.Message(cause.Header, p.o.BigEnd, p.conn.drain(), data, -1))
		fail.Got = tx("报头说 %d 字节，来的是 ", "the header says %d bytes, these came: ",
			header.Size).Plus(sum(body))
	default:
		return nil
	}
	return fail
}

// readUpTo is read for long messages: at most n bytes.
func (p *peer) readUpTo(n int, enough func([]byte) bool) ([]byte, error) {
	var got []byte
	buf := make([]byte, 256<<10)
	p.conn.SetReadDeadline(time.Now().Add(p.o.Limit))
	for !enough(got) {
		k, err := p.conn.Read(buf)
		got = append(got, buf[:k]...)
		if err != nil && !enough(got) {
			return got, &Failure{Got: p.why(err)}
		}
		if len(got) > n {
			return got, &Failure{Got: tx("超过 %d 字节，还没完", "over %d bytes and no end", n)}
		}
	}
	return got, nil
}
