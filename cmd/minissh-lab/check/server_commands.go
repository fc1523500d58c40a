package check

import (
	"bytes"
	"encoding/json"
	"net"
	"runtime"
	"strings"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/dialect"
)

// Attacks on the servers of chapters 11 to 16: they run commands. The commands
// exist on every system and change nothing.

// chinese is 900 bytes of 300 characters: one recv(1024) of an answer cuts one.
var chinese = strings.Repeat("中", 300)

// numbers is a command with about 3893 bytes of output, and that output.
func numbers() (command, want string) {
	var b strings.Builder
	for n := 1; n <= 1000; n++ {
		b.WriteString(itoa(n) + "\n")
	}
	if runtime.GOOS == "windows" {
		return "for /L %i in (1,1,1000) do @echo %i", b.String()
	}
	return "seq 1000", b.String()
}

// silentCommand succeeds and prints nothing, in sh and in cmd.
const silentCommand = "cd ."

// helloNaive is one exchange with a naive server.
func helloNaive(a *attack, conn net.Conn) error { return a.naive(conn, "echo hello", "hello", nil) }

// naive sends a command and reads until the wanted text is there.
func (a *attack) naive(conn net.Conn, line, want string, belief *Belief) error {
	fail := &Failure{Sent: sent([]byte(line)), Want: text("%s", quote([]byte(want))),
		Belief: belief}
	if _, err := conn.Write([]byte(line)); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	clean := func(b []byte) string {
		return strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
	got, err := a.read(conn, Text{},
		func(b []byte) bool { return len(b) > 0 && len(clean(b)) >= len(clean([]byte(want))) })
	if err != nil {
		fail.Got = err.(*Failure).Got
		return fail
	}
	if want != "" && clean(got) != clean([]byte(want)) {
		fail.Got = tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got))
		return fail
	}
	return nil
}

// naiveOutput are known commands and their output.
func naiveOutput(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	for _, want := range []string{"hello", "one two three", chinese} {
		if err := a.naive(conn, "echo "+want, want, oneRecv); err != nil {
			return err
		}
	}
	return nil
}

// naiveSomething wants any answer at all.
func naiveSomething(line string, belief *Belief) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		err = a.naive(conn, line, "", belief)
		if f, ok := err.(*Failure); ok {
			f.Want = tx("随便什么回答，但要有", "any answer, but some")
		}
		return err
	}
}

// hello is one exchange in a framed dialect.
func hello(name string) func(*attack, net.Conn) error {
	return func(a *attack, conn net.Conn) error {
		return a.wantAnswer(a.client(conn, name), "echo hello", "hello", nil)
	}
}

// framedOutput runs known commands on one connection: what one answer leaves over
// would come before the next.
func framedOutput(name string) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c := a.client(conn, name)
		command, want := numbers()
		for _, step := range []struct{ line, want string }{{"echo hello", "hello"}, {command, want},
			{"echo again", "again"}} {
			if err := a.wantAnswer(c, step.line, step.want, oneRecv); err != nil {
				return err
			}
		}
		return nil
	}
}

// framedChinese runs a command with Chinese output, then one more: a length in
// characters leaves bytes behind.
func framedChinese(name string) func(*attack) error {
	return func(a *attack) error {
		if runtime.GOOS == "windows" {
			return &Skipped{tx("这里的命令输出是 gbk", "command output is gbk here")}
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c := a.client(conn, name)
		if err := a.wantAnswer(c, "echo "+chinese, chinese, charsNotBytes); err != nil {
			return err
		}
		return a.wantAnswer(c, "echo after", "after", charsNotBytes)
	}
}

// framedEmpty wants an answer of length 0, and the next command answered.
func framedEmpty(name string) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c := a.client(conn, name)
		if _, err := a.exchange(c, silentCommand,
			tx("长度（0 也是长度）", "a length (0 is one too)"), emptyOutput); err != nil {
			return err
		}
		// With ack, the ack of nothing and the next command are two sends with no
		// answer between them: they may stick. Here they must not.
		chaos.Separated(a.ctx, conn)
		return a.wantAnswer(c, "echo after", "after", emptyOutput)
	}
}

// framedError wants the error text of an unknown command.
func framedError(name string) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c := a.client(conn, name)
		got, err := a.exchange(c, "no-such-command-7422", tx("错误信息", "the error text"), nil)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(got)) == 0 {
			return &Failure{Sent: text("no-such-command-7422"),
				Want: tx("错误信息（stderr 也要发）", "the error text (stderr too)"),
				Got:  tx("空的", "nothing"), Belief: emptyOutput}
		}
		return nil
	}
}

// goldenHeader looks at the header's own bytes: the length counts bytes, and the
// header is JSON with a size that is right.
func goldenHeader(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	line := "echo 中文"
	fail := &Failure{Sent: sent([]byte(line)), Want: tx("4 字节长度 N，正好 N 字节的 JSON",
		"4 bytes of length N, then JSON of exactly N bytes"), Belief: charsNotBytes}
	if _, err := conn.Write([]byte(line)); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	got, err := a.read(conn, Text{},
		func(b []byte) bool {
			return bytes.Contains(b, []byte("文\n")) ||
				bytes.Contains(b, []byte("文\r\n"))
		})
	if err != nil && len(got) < dialect.LengthSize {
		fail.Got = err.(*Failure).Got
		return fail
	}
	n, err := dialect.DecodeLength(a.o.BigEnd, got, dialect.MaxHeader)
	switch rest := got[dialect.LengthSize:]; {
	case err != nil || n > len(rest):
		fail.Got = tx("长度是 % x：%s", "the length is % x: %s", got[:dialect.LengthSize],
			quote(rest))
		fail.Belief = shortRecv
		return fail
	case !json.Valid(rest[:n]):
		fail.Got = tx("长度说 %d 字节，那是 %s，不是完整的 JSON",
			"the length says %d bytes; that is %s, no whole JSON", n, quote(rest[max(0, n-24):n]))
		return fail
	}
	return nil
}
