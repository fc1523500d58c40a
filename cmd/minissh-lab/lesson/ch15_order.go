package lesson

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

var byteOrder = Lesson{
	Name:  "15b",
	Title: t("字节序，-1，2147483647", "byte order, -1, 2147483647"),
	Run: t("同样的 4 个字节，用 '<i'、'!i'、'I' 各读一遍；再让服务端真的发这些长度。",
		"The same 4 bytes read with '<i', '!i' and 'I'; then a server really sends them as "+
			"lengths."),
	Code: "total = struct.unpack('i', phone.recv(4))[0]\ndata = phone.recv(total)",
	Ask: Question{
		t(
			"服务端发 ff ff ff ff，客户端的 recv(total) 会怎么样？",
			"the server sends ff ff ff ff. What does the client's recv(total) do?"), []Option{
			right(
				"recv(-1)：ValueError: negative buffersize in recv",
				"recv(-1): ValueError: negative buffersize in recv"),
			wrong(
				"recv(4294967295)：内存不够",
				"recv(4294967295): out of memory",
				"那是无符号的 'I'。'i' 有符号，ff ff ff ff 就是 -1。",
				"That would be the unsigned 'I'. 'i' is signed, and ff ff ff ff is -1."),
			wrong(
				"struct.error：长度不合法",
				"struct.error: the length is not valid",
				"struct 只管是不是 4 个字节；4 个字节不管是什么，它都解得出一个数。合不合理，"+
					"要你自己判断。",
				"struct only wants 4 bytes, and makes a number of any four. Whether the "+
					"number makes sense is for you to check."),
		}},
	Play: playOrder,
	Why: t("'i' 有符号，所以是 -1；struct 不管它合不合理。2147483647 更糟：合法，可是要等 2 "+
		"GiB。长度只是对方说的，不一定是真的。",
		"'i' is signed, so it is -1; struct does not judge. 2147483647 is worse: legal, and 2 "+
			"GiB to wait for. A length is what the peer says, not what is so."),
	Change: t("换一个长度，当作服务端发来的。多大的长度，实验室的客户端会拒绝？",
		"Change the length that the server sends. From which number on does the lab's client "+
			"refuse it?"),
	Knob: Knob{t("长度", "the length"), []string{"3000", "-2", "100000000"},
		changeLength},
	Exercise: t("让你的客户端拒绝这些长度，内存也不能猛涨：",
		"Make your client refuse such lengths, with its memory bounded:"),
	Check: "minissh-lab check 15b --client -- python3 my_client.py",
	Hints: [3]Text{
		t("struct.unpack 之后、recv 之前，你检查过 total 吗？",
			"Between struct.unpack and recv, do you look at total?"),
		t("定一个上限，比如 64 MiB；不在 0 和上限之间就断开。",
			"Set a limit, such as 64 MiB, and disconnect unless it is between 0 and that."),
		t("if not 0 <= total_size <= LIMIT: sys.exit(…)。也不要一次 recv(total)：每次最多 1024，"+
			"内存才不会一下子涨上去。",
			"if not 0 <= total_size <= LIMIT: sys.exit(…). And do not recv(total) at once: 1024 "+
				"at a time keeps the memory small."),
	},
}

func playOrder(s *Stage) (int, error) {
	rows := [][]string{{"bytes", "'<i'", "'!i'", "'I'"}}
	for _, b := range [][]byte{{0xb8, 0x0b, 0, 0}, {0, 0, 0x0b, 0xb8}, {255, 255, 255, 255},
		{255, 255, 255, 127}, {0, 0, 0, 128}} {
		little, big := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
		rows = append(rows, []string{fmt.Sprintf("% x", b), fmt.Sprint(int32(little)),
			fmt.Sprint(int32(big)), fmt.Sprint(little)})
	}
	s.Table(rows...)
	s.Out.Raw("\n")
	negative := false
	for _, n := range []int32{-1, 1<<31 - 1, -1 << 31} {
		refused, err := refusedLength(s, n)
		if err != nil {
			return 0, err
		}
		s.Sayf("服务端发来长度 %d：实验室的客户端拒绝（只认 0 到 %d）",
			"the server sends the length %d: the lab's client refuses it (0 to %d only)", refused.N,
			refused.Max)
		negative = negative || refused.N == -1
	}
	said := ""
	if out, ok := python(s.Ctx,
		"import socket,struct\na,b=socket.socketpair()\ntry:\n"+
			"    a.recv(struct.unpack('i', b'\\xff'*4)[0])\nexcept Exception as e:\n"+
			"    print(type(e).__name__ + ': ' + str(e))"); ok {
		said = out
		s.Sayf("这台机器的 Python：recv(-1) → %s", "this machine's Python: recv(-1) → %s",
			oneLine([]byte(out)))
	} else {
		s.Say(t("（没有 python3：这个异常是照文档写的，没有在这里实测）",
			"(no python3: the exception is documented, not measured here)"))
	}
	if negative && (said == "" || said[:min(10, len(said))] == "ValueError") {
		return 0, nil
	}
	return 1, nil
}

// refusedLength has a correct client receive a hostile length.
func refusedLength(s *Stage, n int32) (*dialect.LengthError, error) {
	l, err := dialLink()
	if err != nil {
		return nil, err
	}
	defer l.close()
	if _, err := l.server.Write(dialect.EncodeLength(false, n)); err != nil {
		return nil, err
	}
	_, err = dialect.NewClient(l.client, dialect.Find("simple"),
		dialect.Options{Timeout: waitLimit}).Exchange(s.Ctx, "ls")
	if refused, ok := errors.AsType[*dialect.LengthError](err); ok {
		return refused, nil
	}
	return nil, fmt.Errorf("the length %d was not refused: %v", n, err)
}

// python runs a line of this project's own in the machine's Python, if it has one.
func python(ctx context.Context, code string, args ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", append([]string{"-S", "-c", code}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err == nil && len(out) > 0
}

// changeLength has a correct client receive a length, with the bytes it announces.
func changeLength(s *Stage, value string) error {
	n, err := number(value, -1<<31, 1<<31-1)
	if err != nil {
		return err
	}
	raw := dialect.EncodeLength(false, int32(n))
	s.Table([]string{"bytes", "'<i'", "'!i'", "'I'"},
		[]string{fmt.Sprintf("% x", raw), fmt.Sprint(n),
			fmt.Sprint(int32(binary.BigEndian.Uint32(raw))),
			fmt.Sprint(binary.LittleEndian.Uint32(raw))})
	l, err := dialLink()
	if err != nil {
		return err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		l.server.Write(raw)
		for left := max(n, 0); left > 0 && n <= 1<<20; { // a larger one is not sent
			k, err := l.server.Write(make([]byte, min(left, 64<<10)))
			if left -= k; err != nil {
				return
			}
		}
	}()
	defer func() { l.close(); <-sent }()
	reply, err := dialect.NewClient(l.client, dialect.Find("simple"),
		dialect.Options{Timeout: time.Second}).Exchange(s.Ctx, "ls")
	refused, ok := errors.AsType[*dialect.LengthError](err)
	switch {
	case ok:
		s.Sayf("客户端拒绝：只认 0 到 %d", "the client refuses it: 0 to %d only", refused.Max)
	case err != nil:
		s.Say(t("客户端收下这个长度，然后等那么多字节：等到超时",
			"the client takes it, and waits for so many bytes until its time is over"))
	default:
		s.Sayf("客户端收下：%d 字节", "the client takes it: %d bytes", len(reply.Data))
	}
	return nil
}
