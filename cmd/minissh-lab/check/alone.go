package check

import (
	"encoding/hex"
	"slices"
	"strings"

	"minissh/cmd/minissh-lab/check/cause"
)

// Lesson 14a: a program that listens nowhere. With `encode` as its last argument it reads messages,
// each in hex on a line, and prints the stream in hex; with `decode` the reverse.

// alone is the lesson's check.
func alone() *Check {
	return &Check{Lesson: "14a", Alone: true, Client: []Case{
		{Name: "plain", What: text("hello, world"), run: roundTrip("hello", "world", "x")},
		{Name: "delimiter", What: tx("消息里有换行、空格、|、0", "newline, blank, |, 0 in a "+
			"message"),
			run: roundTrip("a\nb", "\n", "\r\n", "a|b", "\x00", " ", "recv_ready", "a,b;c")},
		{Name: "escape", What: tx("消息里有反斜杠", "backslashes in a message"),
			run: roundTrip("\\", "\\n", "\\\\n", "\\\n", "a\\", "b")},
		{Name: "empty", What: tx("空消息", "empty messages"), run: roundTrip("", "a", "", "")},
		{Name: "ends", What: tx("末尾是空格或者 0", "messages that end in blanks or zeros"),
			run: roundTrip("ends  ", "\x00\x00", "tab\t", "next")},
		{Name: "bytes", What: tx("256 种字节", "all 256 bytes"), run: roundTrip(allBytes(),
			"next")},
		{Name: "long", What: tx("70000 字节", "70000 bytes"), run: roundTrip(lines("long", 70_000),
			"next")},
	}}
}

func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// roundTrip has messages encoded into one stream, and decoded again.
func roundTrip(messages ...string) func(*attack) error {
	return func(a *attack) error {
		var in strings.Builder
		for _, m := range messages {
			in.WriteString(hex.EncodeToString([]byte(m)) + "\n")
		}
		fail := &Failure{Sent: tx("encode，%d 条消息：%s", "encode, %d messages: %s", len(messages),
			quoted(messages)), Want: tx("一行十六进制", "a line of hex")}
		out, err := a.filter("encode", in.String(), fail)
		if err != nil {
			return err
		}
		stream, err := hex.DecodeString(strings.TrimSpace(out))
		if err != nil {
			fail.Got = text("%s", quote([]byte(out)))
			return fail
		}
		fail = &Failure{Sent: tx("decode，%s", "decode, %s", quote(stream)),
			Want: tx("还是那 %d 条：%s", "the same %d messages: "+
				"%s", len(messages), quoted(messages))}
		if out, err = a.filter("decode", hex.EncodeToString(stream)+"\n", fail); err != nil {
			return err
		}
		got := []string{}
		for line := range strings.Lines(out) {
			m, err := hex.DecodeString(strings.TrimSpace(line))
			if err != nil {
				fail.Got = text("%s", quote([]byte(line)))
				return fail
			}
			got = append(got, string(m))
		}
		if slices.Equal(got, messages) {
			return nil
		}
		fail.Got = tx("%d 条：%s", "%d messages: %s", len(got), quoted(got))
		fail.proves(unframed(messages, got))
		return fail
	}
}

// quoted are messages for people, the first few.
func quoted(messages []string) string {
	var all []string
	for i, m := range messages {
		if i == 4 {
			all = append(all, "…")
			break
		}
		all = append(all, quote([]byte(m)))
	}
	return strings.Join(all, " ")
}

// unframed is what the messages that came back prove about the framing, nil for nothing.
func unframed(messages, got []string) *Belief {
	if len(got) > len(messages) {
		for d := range 256 {
			delimiter := string([]byte{byte(d)})
			if strings.Join(got, delimiter) == strings.Join(messages, delimiter) {
				return cause.DelimiterInside
			}
		}
	}
	if len(got) != len(messages) {
		return nil
	}
	trimmed, unescaped, cut := true, true, 0
	for i, m := range messages {
		unescaped = unescaped && got[i] == strings.ReplaceAll(m, `\n`, "\n")
		trimmed = trimmed && (got[i] == strings.TrimRight(m, " ") ||
			got[i] == strings.TrimRight(m, "\x00") || got[i] == strings.TrimSpace(m))
		if len(got[i]) < len(m) && strings.HasPrefix(m, got[i]) {
			cut = max(cut, len(got[i]))
		}
	}
	switch {
	case unescaped:
		return cause.HalfEscaped
	case trimmed:
		return cause.PaddingLost
	case cut > 0 && !slices.ContainsFunc(got, func(m string) bool { return len(m) > cut }):
		return cause.FixedSize
	}
	return nil
}

// filter runs the program with a word as its last argument, gives it its input, and returns what it
// printed.
func (a *attack) filter(word, input string, fail *Failure) (string, error) {
	a.endProgram()
	prog, err := startProgram(append(slices.Clone(a.o.Program), word), a.work.dir)
	if err != nil {
		return "", err
	}
	a.prog = prog
	done := make(chan struct{})
	go func() { // ends when the program has read it, or has ended
		defer close(done)
		prog.p.Stdin.Write([]byte(input))
		prog.p.Stdin.Close()
	}()
	limit := a.o.Limit + a.o.Start
	f, _ := a.fateLong(limit)
	if f != ended {
		a.endProgram()
		<-done
		fail.Got = tx("%v 以后还没有结束", "it had not ended after %v", limit)
		return "", fail
	}
	<-done
	prog.settle()
	if prog.output.size() >= maxOutput {
		fail.Got = tx("打印超过了 %d 字节", "it printed more than %d bytes", maxOutput)
		return "", fail
	}
	r := prog.p.Result()
	if r.Code != 0 || r.Signal != "" {
		fail.Got = tx("程序崩了", "the program crashed")
		if a.crash() == nil {
			fail.Got = tx("退出码 %d", "exit status %d", r.Code)
		}
		return "", fail
	}
	return prog.output.from(0), nil
}
