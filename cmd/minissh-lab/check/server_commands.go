package check

import (
	"bytes"
	"encoding/json"
	"net"
	"runtime"
	"strings"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
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
func helloNaive(a *attack, conn net.Conn) error { return a.naive(conn, "echo hello", "hello") }

// naive sends a command and reads until the wanted text is there.
func (a *attack) naive(conn net.Conn, line, want string) error {
	fail := &Failure{Sent: sent([]byte(line)), Want: text("%s", quote([]byte(want)))}
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
		fail.proves(cause.Data(got, []byte(want)))
		return fail
	}
	if want != "" && clean(got) != clean([]byte(want)) {
		fail.Got = tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got))
		fail.proves(cause.Data(got, []byte(want)))
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
		if err := a.naive(conn, "echo "+want, want); err != nil {
			return err
		}
	}
	return nil
}

// naiveLong wants all of an output that is longer than one recv(1024), and the next one after it.
func naiveLong(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	command, want := numbers()
	if err := a.naive(conn, command, want); err != nil {
		return err
	}
	return a.naive(conn, "echo after", "after")
}

// naiveError wants the error text of an unknown command.
func naiveError(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	err = a.naive(conn, noSuchCommand, "")
	want := tx("错误信息（stderr 也要发）", "the error text (stderr too)")
	if f, ok := err.(*Failure); ok {
		f.Want = want
		a.answersNothing(f, helloNaive, cause.StdoutOnly)
		return err
	}
	if err != nil {
		return err
	}
	said := bytes.Clone(conn.drain())
	conn.rewind()
	if a.naive(conn, silentCommand, "") == nil && bytes.Equal(conn.drain(), said) {
		f := &Failure{Sent: text(noSuchCommand), Want: want,
			Got: tx("%s，和没有输出的命令一样", "%s, as to a command without output", quote(said))}
		f.proves(cause.StdoutOnly)
		return f
	}
	return nil
}

// naiveSilent wants any answer at all to a command without output.
func naiveSilent(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	err = a.naive(conn, silentCommand, "")
	if f, ok := err.(*Failure); ok {
		f.Want = tx("回答什么都行，但不能没有", "any answer, but some")
		a.answersNothing(f, helloNaive, cause.EmptyOutput)
	}
	return err
}

// answersNothing names the bug of a program that has not answered a command, if it lives and
// answers others: then it was the command.
func (a *attack) answersNothing(f *Failure, hello func(*attack, net.Conn) error, b *Belief) {
	if a.prog != nil && a.prog.ended() || len(a.conns) == 0 {
		return
	}
	if hello(a, a.conns[len(a.conns)-1]) == nil {
		f.proves(b)
	}
}

// noSuchCommand is what no system has.
const noSuchCommand = "no-such-command-7422"

// hello is one exchange in a framed dialect.
func hello(name string) func(*attack, net.Conn) error {
	return func(a *attack, conn net.Conn) error {
		return a.wantAnswer(a.client(conn, name), "echo hello", "hello")
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
			if err := a.wantAnswer(c, step.line, step.want); err != nil {
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
		if err := a.wantAnswer(c, "echo "+chinese, chinese); err != nil {
			return err
		}
		return a.wantAnswer(c, "echo after", "after")
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
			tx("长度（0 也是长度）", "a length (0 is one too)"), expected{"", 0}); err != nil {
			if f, ok := err.(*Failure); ok && !f.Proven {
				a.answersNothing(f, hello(name), cause.EmptyOutput)
			}
			return err
		}
		// With ack, the ack of nothing and the next command are two sends with no
		// answer between them: they may stick. Here they must not.
		chaos.Separated(a.ctx, raw(conn))
		return a.wantAnswer(c, "echo after", "after")
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
		want := tx("错误信息（stderr 也要发）", "the error text (stderr too)")
		e := expected{"", 0}
		got, err := a.exchange(c, noSuchCommand, want, e)
		if err != nil {
			if f, ok := err.(*Failure); ok && !f.Proven {
				a.answersNothing(f, hello(name), cause.StdoutOnly)
			}
			return err
		}
		if err := a.nothingMore(c, noSuchCommand, e); err != nil {
			return err
		}
		if len(bytes.TrimSpace(got)) == 0 {
			f := &Failure{Sent: text(noSuchCommand), Want: want, Got: tx("空的", "nothing")}
			f.proves(cause.StdoutOnly)
			return f
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
		"4 bytes of length N, then JSON of exactly N bytes")}
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
	fail.proves(cause.Message(cause.Header, a.o.BigEnd, got, []byte("中文"), len("中文\n")))
	n, err := dialect.DecodeLength(a.o.BigEnd, got, dialect.MaxHeader)
	switch rest := got[dialect.LengthSize:]; {
	case err != nil || n > len(rest):
		fail.Got = tx("长度是 % x：%s", "the length is % x: %s", got[:dialect.LengthSize],
			quote(rest))
		return fail
	case !json.Valid(rest[:n]):
		fail.Got = tx("长度说 %d 字节，那是 %s，不是完整的 JSON",
			"the length says %d bytes; that is %s, no whole JSON", n, quote(rest[max(0, n-24):n]))
		return fail
	}
	return nil
}
