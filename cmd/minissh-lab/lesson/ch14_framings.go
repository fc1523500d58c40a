package lesson

import (
	"bytes"
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
)

var framings = Lesson{
	Name:  "14a",
	Title: t("怎样给流加边界", "four ways to put boundaries into a stream"),
	Run: t("四种办法，每种都把同一条消息连发两遍，再拆开：定长 16、换行分隔、长度（十进制，等 "+
		"ack）、"+
		"长度（4 字节）。", "Four ways; each sends every message twice in a row and takes them "+
		"apart: fixed 16, newline, decimal length with an ack, length of 4 bytes."),
	Code: "fixed:     data.ljust(16)\ndelimiter: data + b'\\n'\n" +
		"ack:       str(len(data))  (recv_ready)  data\n" +
		"length:    struct.pack('i', len(data)) + data",
	Ask: Question{
		t("消息 a\\nb 会让哪一种出错？", "which one does the message a\\nb break?"), []Option{
			wrong(
				"十进制长度加 ack",
				"decimal length with ack",
				"ack 版先说好有几个字节，收的时候只数个数，不看内容。",
				"The ack version says first how many bytes will come; then it counts them and "+
					"never looks inside."),
			wrong(
				"4 字节长度",
				"length of 4 bytes",
				"长度只数字节，不看内容：换行也只是一个字节。",
				"A length counts bytes and never looks inside: a newline is one byte more."),
			wrong(
				"定长",
				"fixed",
				"a\\nb 只有 3 个字节，补到 16 再拆，没问题。定长出错的，是超过 16 字节的和末尾带"+
					"空格的。",
				"a\\nb has 3 bytes; padded to 16, it survives. Fixed length breaks on more "+
					"than 16 bytes, and on trailing spaces."),
			right("换行分隔", "the delimiter"),
		}},
	Play: playFramings,
	Why: t("定长：太长的放不下，末尾的空格也分不清是数据还是补上的。分隔符：数据里不能有它自己。"+
		"ack：每次多一个来回。长度：什么数据都行，只要两边说好字节序，并且收到长度先检查再用。",
		"Fixed length fears long messages and cannot tell its padding; a delimiter fears itself "+
			"inside the data; an ack costs a round trip; a length fears nothing, as long as both "+
			"sides agree on the byte order and do not believe every number."),
	Change: t("换消息（\\n 是换行）。找一条让定长出错的，再找一条让换行出错的。",
		"Change the message (\\n is a newline). Find one that breaks fixed length, and one that "+
			"breaks the newline."),
	Knob: Knob{t("消息", "the message"), []string{"hello", "a\\nb", "ends  "},
		func(s *Stage, value string) error {
			message, err := text(value, 3000)
			if err == nil {
				_, err = showFramings(s, string(message))
			}
			return err
		}},
	Quiz: &Quiz{
		t("struct.pack('i', 10) 的 4 个字节，十六进制？",
			"the 4 bytes of struct.pack('i', 10), in hex?"), func(*Stage) (string, error) {
			return fmt.Sprintf("% x", dialect.EncodeLength(false, 10)), nil
		},
		t("10 就是 0x0a。低位在前，不够 4 个字节的补 0。",
			"10 is 0x0a. The low byte comes first, and zeros fill up the 4 bytes.")},
	Exercise: t("写 encode(data) 和 decode(stream)，让 decode(encode(a)+encode(b)) == [a, b]，a、"+
		"b 里可以有分隔符。下面的程序自带测试：改到它打印 OK。",
		"Write encode(data) and decode(stream) with "+
			"decode(encode(a)+encode(b)) == [a, b], delimiters inside allowed. The program below "+
			"tests itself: mend it until it prints OK."),
	Check: "minissh-lab check 14a -- python3 my_client.py",
	Hints: [3]Text{
		t("数据里有分隔符的时候，怎么让 decode 认出它不是分隔符？",
			"When the delimiter is inside the data, how can decode see that it is not one?"),
		t("换掉它：换行写成两个字符 \\ 和 n。那数据里本来就有 \\ 呢？",
			"Replace it: write a newline as two characters, \\ and n. And a \\ that is in the "+
				"data itself?"),
		t("encode：先 \\ 变 \\\\，再换行变 \\n，最后加一个换行。decode 反过来，从左往右看。",
			"encode: first \\ becomes \\\\, then a newline becomes \\n, and one newline ends it. "+
				"decode the other way, from left to right."),
	},
}

// framing is one way to mark a message's end.
type framing struct {
	name   Text
	encode func([]byte) []byte
	decode func([]byte) (message, rest []byte, ok bool)
}

var fourFramings = []framing{
	{t("定长 16", "fixed 16"),
		func(b []byte) []byte { // bytes.ljust(16): bytes, not characters
			return append(bytes.Clone(b), bytes.Repeat([]byte(" "), max(0, 16-len(b)))...)
		},
		func(b []byte) ([]byte, []byte, bool) {
			if len(b) < 16 {
				return nil, nil, false
			}
			return bytes.TrimRight(b[:16], " "), b[16:], true
		}},
	{t("换行", "newline"), func(b []byte) []byte { return append(append([]byte(nil), b...), '\n') },
		func(b []byte) ([]byte, []byte, bool) {
			return bytes.Cut(b, []byte("\n"))
		}},
	{t("十进制 + ack", "decimal + ack"), nil, nil}, // the ack is the boundary: two trips, see 14b
	{t("4 字节长度", "4-byte length"),
		func(b []byte) []byte { return append(dialect.EncodeLength(false, int32(len(b))), b...) },
		func(b []byte) ([]byte, []byte, bool) {
			if len(b) < dialect.LengthSize {
				return nil, nil, false
			}
			n, err := dialect.DecodeLength(false, b, int64(len(b)-dialect.LengthSize))
			if err != nil {
				return nil, nil, false
			}
			return b[4 : 4+n], b[4+n:], true
		}},
}

func playFramings(s *Stage) (int, error) {
	return showFramings(s, "hello", "", `a\nb`, "中文", "ends  ", strings.Repeat("x", 3000))
}

// showFramings tries each message with each framing.
func showFramings(s *Stage, messages ...string) (int, error) {
	head := []string{s.pick(t("消息", "message"))}
	for _, x := range fourFramings {
		head = append(head, s.pick(x.name))
	}
	rows := [][]string{head}
	broken := -1
	for _, m := range messages {
		name, data := m, []byte(strings.ReplaceAll(m, `\n`, "\n"))
		if len(name) > 10 {
			name = fmt.Sprintf("%d B", len(data))
		}
		row := []string{`"` + name + `"`}
		for i, x := range fourFramings {
			ok, err := roundTrip(s, x, data)
			if err != nil {
				return 0, err
			}
			mark := "✓"
			if !ok {
				mark = "✗"
				if m == `a\nb` && broken < 0 {
					broken = i
				}
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
	}
	s.Table(rows...)
	return []int{2, 3, 0, 1}[max(broken, 0)], nil // the order of the options
}

// roundTrip sends the message twice over a real connection, glued, and takes them
// apart.
func roundTrip(s *Stage, x framing, data []byte) (bool, error) {
	l, err := dialLink()
	if err != nil {
		return false, err
	}
	defer l.close()
	if x.encode == nil {
		return ackTwice(l, data)
	}
	stream := append(x.encode(data), x.encode(data)...)
	if _, err := l.client.Write(stream); err != nil {
		return false, err
	}
	got, err := readExactly(l.server, len(stream))
	if err != nil {
		return false, err
	}
	for range 2 {
		message, rest, ok := x.decode(got)
		if !ok || !bytes.Equal(message, data) {
			return false, nil
		}
		got = rest
	}
	return len(got) == 0, nil
}

// ackTwice sends the message twice as chapter 14 does.
func ackTwice(l *link, data []byte) (bool, error) {
	for range 2 {
		l.server.Write(dialect.AckLength(len(data)))
		digits, err := recv(l.client, 1024)
		if err != nil {
			return false, err
		}
		n, rest, err := dialect.ParseAckLength(digits, dialect.MaxRecv)
		if err != nil || len(rest) > 0 {
			return false, nil
		}
		l.client.Write([]byte(dialect.AckText))
		if _, err := readExactly(l.server, len(dialect.AckText)); err != nil {
			return false, err
		}
		l.server.Write(data)
		got, err := readExactly(l.client, n)
		if err != nil || !bytes.Equal(got, data) {
			return false, err
		}
	}
	return true, nil
}
