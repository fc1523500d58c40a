package check

import (
	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
)

// Attacks on clients that want an end: answers that are cut off, and lengths that must not be
// believed.

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
	if err := closeWrite(p.conn); err != nil {
		return err
	}
	return p.over(&Failure{
		Sent: tx("一个回答的前 %d 字节 %s，然后 FIN",
			"the first %d bytes of an answer, %s, then FIN", len(part), quote(part)),
		Want: tx("发现连接断了，报错退出", "it notices: an error, and the end")}, cause.NoEndTest)
}

// hostileLength answers with a hostile length of four bytes and a little data.
func hostileLength(n int32) func(*attack) error {
	return func(a *attack) error {
		return a.poisoned(asksLs, tx("长度 %d", "a length of %d", n), func(n int64) []byte {
			return chaos.HostileLength(a.o.BigEnd, int32(n))
		}, int64(n), chaos.Huge)
	}
}

// hostileSize answers with a good header with a hostile size in it.
func hostileSize(n int64) func(*attack) error {
	return func(a *attack) error {
		what := tx("报头里的大小 %d", "a size of %d in the header", n)
		return a.poisoned(asksLs, what, func(n int64) []byte {
			return dialect.Frame(a.o.BigEnd, dialect.Superset("a.txt", "xxdxxx", n, ""))
		}, n, 1<<62)
	}
}

func asksLs(p *peer) error {
	_, err := p.command("ls")
	return err
}

// poisoned answers with a length n that must not be believed, and stays connected. Whoever goes on
// believed it or refused it: one that goes on after a huge length did not wait for that much.
func (a *attack) poisoned(ask func(*peer) error, what Text, message func(n int64) []byte,
	n, huge int64) error {
	once := func(n int64) error {
		p, err := a.startClient()
		if err != nil {
			return err
		}
		if err := ask(p); err != nil {
			return err
		}
		a.hostile = true
		p.conn.Write(append(message(n), "data"...))
		return p.over(&Failure{Sent: what, Want: tx("拒绝这个长度：报错，关闭连接",
			"the length refused: an error, the connection closed")}, cause.TrustedLength)
	}
	err := once(n)
	f, ok := err.(*Failure)
	if !ok || !f.wentOn {
		return err
	}
	refused := n == huge
	if !refused {
		a.explain(f) // with this run's own words
		a.endProgram()
		again, ok := once(huge).(*Failure)
		refused = ok && again.wentOn
	}
	if refused {
		f.Belief = cause.RefusedAndStayed
	}
	return err
}
