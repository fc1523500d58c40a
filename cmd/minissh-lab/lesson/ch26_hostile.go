package lesson

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

var hostileLengths = Lesson{
	Name:  "26",
	Title: t("长度也能当武器", "a length field as a weapon"),
	Run: t("三种攻击，规模都很小，自己会停：把长度写成 2147483647；把 20 MiB 的 0 压缩了发过来；"+
		"一个字节一个字节地慢慢发（slowloris）。",
		"Three attacks, all of them small, which stop by themselves: a length of 2147483647; 20 "+
			"MiB of zeros, compressed; bytes that come one by one, slowly (slowloris)."),
	Code: "bomb = zlib.compress(bytes(20 * 1024 * 1024))\n" +
		"print(len(bomb))                 # ?\n" +
		"phone.sendall(struct.pack('i', len(bomb)) + bomb)",
	Ask: Question{
		t("20 MiB 的 0，压缩以后有多少字节？", "20 MiB of zeros: how many bytes are they when "+
			"compressed?"),
		[]Option{
			wrong(
				"大约一半，10 MiB",
				"about half, 10 MiB",
				"压到一半，那是普通文字。全是 0，一个符号就能说“再来 258 个”：只有千分之一。",
				"Half is what ordinary text gives. With zeros, one symbol says \"258 more\": a "+
					"thousand times smaller."),
			right("大约 20 KiB", "about 20 KiB"),
			wrong(
				"不到 100 字节",
				"less than 100 bytes",
				"没那么小：zlib 的一个符号最多代表 258 个字节，所以最多压到千分之一左右（再压一遍"+
					"还能更小）。",
				"Not quite: one symbol of zlib says 258 bytes at most, so about a thousand times "+
					"is the limit (compressed twice, it is smaller still)."),
		}},
	Play: playHostile,
	Why: t("对方给的每个数，都要先检查再用：长度要有上限；解压以后的大小也要有上限，边解压边数，"+
		"不是解完再看；期限是给整条消息的，不是给每次 recv 的；一个客户端占着位子，别的照样有人服"+
		"务。",
		"Check every number from the peer before you use it: a length has a limit; so does the "+
			"inflated size, counted on the way and not afterwards; the deadline is for the whole "+
			"message, not for each recv; and while one client holds a place, the others are "+
			"still served."),
	Change: t("换炸弹的大小（MiB，最多 50）：压缩以后多大？压缩比变吗？",
		"Change the bomb's size (MiB, at most 50): how large is it compressed? Does the ratio "+
			"change?"),
	Knob: Knob{t("解压以后的 MiB", "MiB when inflated"), []string{"1", "50"},
		func(s *Stage, value string) error {
			n, err := number(value, 1, 50)
			if err == nil {
				_, err = s.showBomb(n << 20)
			}
			return err
		}},
	Quiz: &Quiz{
		t("服务端 settimeout(0.8)，客户端每 0.1 秒发 1 个字节，发 12 个。服务端会遇到几次 "+
			"TimeoutError？",
			"The server has settimeout(0.8), the client sends 1 byte every 0.1 s, 12 of them. "+
				"How many TimeoutErrors does the server get?"), measureDrip,
		t("0 次：每来一个字节，超时就重新计时。settimeout(5) 的话，一天 17280 个字节就能一直占住"+
			"一个线程。管用的是给整条消息一个期限。",
			"None: each byte starts the time-out again. With settimeout(5), 17280 bytes hold a "+
				"thread for a day. What helps is a deadline for the whole message.")},
	Exercise: t("写一个服务端：消息是 4 字节长度（'<i'）加 zlib 压缩的数据，回答是 4 字节长度加解"+
		"压后的大写（不压缩）。压缩的最多 65536 字节，解压以后最多 1 MiB，整条消息 5 秒内到齐；谁"+
		"不守规矩就关掉谁，别的客户端照样服务。",
		"Write a server: a message is a length of 4 bytes ('<i') and data compressed with zlib; "+
			"the answer is a length of 4 bytes and the inflated data in upper case (not "+
			"compressed). At most 65536 bytes compressed, 1 MiB inflated, and 5 s for a whole "+
			"message; close whoever breaks a rule, and serve the others meanwhile."),
	Check: "minissh-lab check 26 -- python3 my_server.py",
	Hints: [3]Text{
		t("每个 recv、每个 decompress 之前问一句：这个数是谁说的？最大能是多少？",
			"Before each recv and each decompress, ask: who says this number? How large can it "+
				"be?"),
		t("zlib.decompressobj().decompress(data, 1024 * 1024 + 1)：最多解这么多，超过了就拒绝。",
			"zlib.decompressobj().decompress(data, 1024 * 1024 + 1) inflates so much at most: "+
				"refuse what has more."),
		t("deadline = time.monotonic() + 5；每次 recv 之前 "+
			"conn.settimeout(max(0.001, deadline - time.monotonic()))。",
			"deadline = time.monotonic() + 5; before each recv, "+
				"conn.settimeout(max(0.001, deadline - time.monotonic()))."),
	},
}

func playHostile(s *Stage) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	if _, err := l.client.Write(dialect.EncodeLength(false, 1<<31-1)); err != nil {
		return 0, err
	}
	raw, err := readExactly(l.server, dialect.LengthSize)
	if err != nil {
		return 0, err
	}
	s.Fields(Field{raw, "2^31-1", t("4 个字节，就要服务端准备 2 GiB。先比上限：拒绝",
		"4 bytes that ask the server for 2 GiB. It checks the limit first: refused"), 5})
	s.Out.Raw("\n")
	size, err := s.showBomb(20 << 20)
	if err != nil {
		return 0, err
	}
	s.Out.Raw("\n")
	if err := s.showDrip(); err != nil {
		return 0, err
	}
	switch {
	case size < 100:
		return 2, nil
	case size < 1<<20:
		return 1, nil
	}
	return 0, nil
}

// inflateLimit is where the lesson's server stops inflating, in bytes.
const inflateLimit = 64 << 10

// showBomb sends n zero bytes, compressed, to a server that inflates up to its limit and no more.
// It returns how many bytes travelled.
func (s *Stage) showBomb(n int) (int, error) {
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	block := make([]byte, 64<<10)
	for left := n; left > 0; left -= len(block) {
		w.Write(block[:min(left, len(block))]) // to memory
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	size := bomb.Len()
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	wrote := make(chan error, 1)
	go func() {
		_, err := l.client.Write(bomb.Bytes())
		l.client.CloseWrite()
		wrote <- err
	}()
	r, err := zlib.NewReader(l.server)
	if err != nil {
		return 0, err
	}
	inflated, err := io.Copy(io.Discard, io.LimitReader(r, inflateLimit+1))
	if err != nil {
		return 0, err
	}
	io.Copy(io.Discard, l.server) // so that the sender is done
	if err := <-wrote; err != nil {
		return 0, err
	}
	s.Table(
		[]string{s.pick(t("网络上走的", "on the wire")), fmt.Sprint(size), s.pick(t("字节",
			"bytes"))},
		[]string{s.pick(t("解压以后", "inflated")), fmt.Sprint(n), fmt.Sprintf("x %d", n/size)},
		[]string{s.pick(t("有上限的服务端解压了", "a server with a limit inflated")),
			fmt.Sprint(inflated), s.pick(t("就拒绝了", "and refused"))})
	return size, nil
}

// showDrip lets a client send a byte every 0.1 s to two servers: one with a time-out for each recv,
// one with a deadline.
func (s *Stage) showDrip() error {
	for _, deadline := range []bool{false, true} {
		came, gaveUp, err := s.drip(12, 800*time.Millisecond, deadline)
		if err != nil {
			return err
		}
		how := t("每次 recv 各有超时", "a time-out for each recv")
		if deadline {
			how = t("整条消息有期限", "a deadline for the message")
		}
		end := t("还占着", "still held")
		if gaveUp {
			end = t("放弃了", "gave up")
		}
		s.Table([]string{pad(s.pick(how), 50), s.pick(f("收了 %d 个字节", "%d bytes received",
			came)),
			s.pick(end)})
	}
	return nil
}

// drip sends n bytes, one every 0.1 s. The server has a time-out for each recv, or for all; it
// returns how many came and whether the server gave up before the last.
func (s *Stage) drip(n int, patience time.Duration, inAll bool) (came int, gaveUp bool, err error) {
	l, err := dialLink()
	if err != nil {
		return 0, false, err
	}
	defer l.close()
	sent := make(chan error, 1)
	go func() {
		for range n {
			if _, err := l.client.Write([]byte(".")); err != nil {
				break // the server has given up
			}
			if err := s.wait(100 * time.Millisecond); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	deadline := time.Now().Add(patience)
	for came < n {
		if !inAll {
			deadline = time.Now().Add(patience)
		}
		l.server.SetReadDeadline(deadline)
		if _, err := l.server.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			gaveUp = true
			break
		} else if err != nil {
			return came, false, errors.Join(err, <-sent)
		}
		came++
	}
	l.server.Close()
	return came, gaveUp, <-sent
}

// measureDrip counts the time-outs that a slow client causes.
func measureDrip(s *Stage) (string, error) {
	_, gaveUp, err := s.drip(12, 800*time.Millisecond, false)
	if gaveUp {
		return "1", err
	}
	return strconv.Itoa(0), err
}
