package check

import (
	"net"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

// Attacks on chapter 20: datagrams.

// udpServer starts the learner's UDP server and waits for its first answer; the
// socket it returns is a fresh one, on which no late answers come.
func (a *attack) udpServer() (net.Conn, error) {
	if !a.o.Connect && a.prog == nil {
		pc, err := net.ListenPacket("udp", a.o.Address)
		if err != nil {
			return nil,
				&Trouble{Text: tx("%s 已被占用", "%s is in use", speak.Clean(a.o.Address))}
		}
		pc.Close()
		if a.prog, err = startProgram(a.o.Program, a.work.dir); err != nil {
			return nil, err
		}
	}
	deadline := time.Now().Add(a.o.Start)
	buf := make([]byte, 2048)
	for {
		conn, err := net.Dial("udp", a.o.Address)
		if err != nil {
			return nil, err
		}
		conn.Write([]byte("ready")) // nobody there yet: the error comes with the read
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = conn.Read(buf)
		if err == nil {
			a.conns = append(a.conns, conn)
			return net.Dial("udp", a.o.Address)
		}
		conn.Close()
		where := speak.Clean(a.o.Address)
		if a.prog != nil && a.prog.ended() || time.Now().After(deadline) {
			got := tx("没有回答", "no answer")
			if a.prog != nil && a.prog.ended() {
				got = tx("程序结束了", "the program ended")
			}
			fail := &Failure{NotUp: true, Sent: tx("ready，发到 %s", "ready, to %s", where),
				Want: text("READY"), Got: got}
			if a.prog != nil && len(listening(a.prog.p.PID)) > 0 {
				fail.proves(cause.WrongSocketType)
			}
			return nil, fail
		}
		if a.ctx.Err() != nil {
			return nil, a.ctx.Err()
		}
		a.idle(20 * time.Millisecond)
	}
}

// datagram sends one datagram and wants one back, exactly.
func (a *attack) datagram(conn net.Conn, message string) error {
	want := string(dialect.Upper([]byte(message)))
	conn.Write([]byte(message))
	buf := make([]byte, 65536)
	conn.SetReadDeadline(time.Now().Add(a.o.Limit))
	n, err := conn.Read(buf)
	fail := &Failure{Sent: sent([]byte(message)), Want: text("%s", quote([]byte(want)))}
	if err != nil {
		fail.Got = a.why(err)
		first := a.conns[0]
		if first != conn && len(want) > 0 && a.datagram(first, "hello") == nil {
			fail.proves(cause.FirstClientOnly)
		}
		return fail
	}
	if string(buf[:n]) != want {
		fail.Got = tx("%s（%d 字节）", "%s (%d bytes)", quote(buf[:n]), n)
		switch {
		case string(buf[:n]) == message:
			fail.proves(cause.NoUpper)
		case n > 0 && strings.HasPrefix(want, string(buf[:n])):
			fail.proves(cause.DatagramCut)
		default:
			fail.proves(cause.Data(buf[:n], []byte(want)))
		}
		return fail
	}
	return nil
}

func udpEcho(a *attack) error {
	conn, err := a.udpServer()
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, w := range randomWords(20) {
		if err := a.datagram(conn, w); err != nil {
			return err
		}
	}
	return nil
}

func udpEmpty(a *attack) error {
	conn, err := a.udpServer()
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := a.datagram(conn, ""); err != nil {
		if f, ok := err.(*Failure); ok && a.prog != nil && a.prog.ended() && a.crash() == nil {
			f.proves(cause.EmptyIsEnd)
		}
		return err
	}
	return a.datagram(conn, "after")
}

func udpLong(a *attack) error {
	conn, err := a.udpServer()
	if err != nil {
		return err
	}
	defer conn.Close()
	return a.datagram(conn, strings.Repeat("0123456789", 200))
}

func udpTwoClients(a *attack) error {
	first, err := a.udpServer()
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := net.Dial("udp", a.o.Address)
	if err != nil {
		return err
	}
	defer second.Close()
	for range 5 {
		for i, conn := range []net.Conn{first, second} {
			if err := a.datagram(conn, "client "+itoa(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// udpClient is the lab as UDP server, typing at the client's prompt.
func udpClient(lines ...string) func(*attack) error {
	return func(a *attack) error {
		pc, err := net.ListenPacket("udp", a.o.Address)
		if err != nil {
			return &Trouble{Text: tx("%s 已被占用", "%s is in use", speak.Clean(a.o.Address))}
		}
		defer pc.Close()
		if a.prog, err = startProgram(a.o.Program, a.work.dir); err != nil {
			return err
		}
		buf := make([]byte, 65536)
		limit := a.o.Start
		for _, line := range lines {
			at := a.prog.output.size()
			a.prog.typeLine(line)
			fail := &Failure{
				Sent: tx("在提示符后面输入 %s", "typed at the prompt: %s", quote([]byte(line))),
				Want: tx("一个数据报 %s", "a datagram %s", quote([]byte(line)))}
			pc.SetReadDeadline(time.Now().Add(limit))
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				fail.Got = a.why(err)
				if line == "" {
					continue // a client may well ask again for an empty line
				}
				return fail
			}
			limit = a.o.Limit
			if string(buf[:n]) != line {
				fail.Got = text("%s", quote(buf[:n]))
				return fail
			}
			answer := dialect.Upper(buf[:n])
			pc.WriteTo(answer, from)
			said := cause.Sent{Pieces: []int{len(answer)}}
			if err := a.wantOutput(at, string(answer), said, fail); err != nil {
				if cause.Part(a.prog.output.from(at), string(answer)) {
					fail.proves(cause.DatagramCut)
				}
				return err
			}
		}
		return nil
	}
}
