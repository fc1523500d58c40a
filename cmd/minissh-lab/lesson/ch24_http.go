package lesson

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

var httpAndWebSocket = Lesson{
	Name:  "24",
	Title: t("HTTP 和 WebSocket 也要给流加边界", "HTTP and WebSocket are framing, too"),
	Run: t("一次 send 里放两个 HTTP/1.1 请求，第二个用分块编码（chunked）。服务端一个一个地拆出"+
		"来。然后是一个 WebSocket 帧。",
		"Two HTTP/1.1 requests in one send, the second one chunked. The server takes them apart. "+
			"Then a WebSocket frame."),
	Code: "phone.sendall(b'POST /upper HTTP/1.1\\r\\nHost: lab\\r\\nContent-Length: " +
		"5\\r\\n\\r\\nhello'\n" +
		"              b'POST /upper HTTP/1.1\\r\\nHost: lab\\r\\nTransfer-Encoding: " +
		"chunked\\r\\n\\r\\n'\n" +
		"              b'3\\r\\nwor\\r\\n2\\r\\nld\\r\\n0\\r\\n\\r\\n')",
	Ask: Question{
		t("第一个请求的内容（body）是什么？", "what is the body of the first request?"), []Option{
			right("hello：长度由 Content-Length 说了算", "hello: Content-Length says how long it "+
				"is"),
			wrong(
				"空行后面的全是：helloPOST /upper…",
				"all after the empty line: helloPOST /upper…",
				"TCP 里没有“这一次 send 的全部”。空行只表示头部完了；内容有几个字节，要看 "+
					"Content-Length。",
				"TCP does not know what \"all of this send\" is. The empty line only ends the "+
					"headers; Content-Length says how many bytes follow."),
			wrong(
				"到下一个换行为止",
				"everything up to the next line end",
				"换行是给头部用的。内容里可以有换行，所以要用长度：头部用分隔符，内容用长度，一个"+
					"协议里两种都有。",
				"Line ends are for the headers. A body may contain line ends, so it has a "+
					"length: one protocol has both, delimiters for the head and a length for the "+
					"body."),
		}},
	Play: playHTTP,
	Why: t("HTTP 的头部用分隔符（每行以 \\r\\n 结尾，空行结束），内容用长度：Content-Length 是十"+
		"进制的总长度；事先不知道总长度就分块，每块前面写一个十六进制的长度，长度 0 表示结束。"+
		"WebSocket 只用长度：帧头 2 到 14 字节。都是 14a 学过的办法。",
		"The head of HTTP has delimiters (\\r\\n, and an empty line at the end); its body has a "+
			"length: Content-Length, in decimal. If the total is not known, the body comes in "+
			"chunks, each with its length in hex, and a length of 0 ends it. WebSocket has only "+
			"lengths: a header of 2 to 14 bytes. All of these ways are in lesson 14a."),
	Change: t("换 WebSocket 消息的长度：125 以下、65535 以下、再大，帧头各有几个字节？",
		"Change the length of the WebSocket message: up to 125, up to 65535, more. How long is "+
			"the header?"),
	Knob: Knob{t("WebSocket 消息的字节数", "the WebSocket message's size in bytes"),
		[]string{"125", "126", "70000"},
		func(s *Stage, value string) error {
			n, err := number(value, 0, 1<<20)
			if err == nil {
				_, err = s.showWebSocket(n)
			}
			return err
		}},
	Quiz: &Quiz{
		t("客户端发一条 200 字节的 WebSocket 消息。帧头有几个字节？（客户端要带 4 字节的掩码）",
			"A client sends a WebSocket message of 200 bytes. How many bytes are in the frame's "+
				"header? (A client's has a mask of 4 bytes.)"),
		func(s *Stage) (string, error) {
			n, err := s.showWebSocket(200)
			return strconv.Itoa(n), err
		},
		t("2 + 2 + 4 = 8：第二个字节里写 126，意思是“长度在后面 2 个字节里”，最后才是掩码。",
			"2 + 2 + 4 = 8: the second byte holds 126, which says \"the length is in the next two "+
				"bytes\"; the mask comes last.")},
	Exercise: t("写一个小的 HTTP/1.1 服务端：POST /upper 把内容变成大写发回去，别的路径回 404。一"+
		"条连接上可以来很多请求（keep-alive），带 Connection: close 的答完就关。内容有 "+
		"Content-Length，也可能是分块的；头部字段名不分大小写。",
		"Write a small HTTP/1.1 server: POST /upper sends the body back in upper case, and any "+
			"other path gets a 404. A connection may carry many requests (keep-alive), and is "+
			"closed after one with Connection: close. A body has a Content-Length or comes in "+
			"chunks; header names may be in upper or lower case."),
	Check: "minissh-lab check 24 -- python3 my_server.py",
	Hints: [3]Text{
		t("头部到哪里为止？内容到哪里为止？多收的字节是谁的？",
			"Where does the head end? Where does the body? Whose are the bytes beyond it?"),
		t("用一个缓冲区：还没有 \\r\\n\\r\\n 就接着收。取走头部，再收满 Content-Length 个字节，多"+
			"的留给下一个请求。",
			"One buffer: receive until it holds \\r\\n\\r\\n. Take the head off, receive until "+
				"Content-Length bytes are there, and keep the rest for the next request."),
		t("f = conn.makefile('rb')：readline() 读头，read(n) 读内容；分块就是 readline() 得到长"+
			"度（分号后面的不算）、read(n)、再 readline()。",
			"f = conn.makefile('rb'): readline() for the head, read(n) for the body; a chunk is "+
				"readline() for its length (what follows a ; does not count), read(n), and one "+
				"readline() more."),
	},
}

// twoRequests are the lesson's bytes.
const (
	firstRequest  = "POST /upper HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nhello"
	secondRequest = "POST /upper HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"3\r\nwor\r\n2\r\nld\r\n0\r\n\r\n"
)

func playHTTP(s *Stage) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	if _, err := l.client.Write([]byte(firstRequest + secondRequest)); err != nil {
		return 0, err
	}
	if err := s.arrived(l.server, len(firstRequest)+len(secondRequest)); err != nil {
		return 0, err
	}
	r := bufio.NewReader(l.server)
	var bodies []string
	for range 2 {
		request, err := http.ReadRequest(r)
		if err != nil {
			return 0, err
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return 0, err
		}
		bodies = append(bodies, string(body))
	}
	head, body, _ := bytes.Cut([]byte(firstRequest), []byte("\r\n\r\n"))
	s.Fields(
		Field{head, "", t("请求行和头部，每行以 \\r\\n 结尾",
			"the request line and headers, each ends in \\r\\n"), 0},
		Field{[]byte("\r\n\r\n"), "", t("空行：头部结束", "an empty line: the end of the head"), 1},
		Field{body, strconv.Itoa(len(body)), t("内容：Content-Length 个字节",
			"the body: Content-Length bytes"), 2},
	)
	s.Out.Raw("\n")
	head, _, _ = bytes.Cut([]byte(secondRequest), []byte("\r\n\r\n"))
	s.Fields(
		Field{head, "", t("第二个请求的头部", "the head of the second request"), 0},
		Field{[]byte("\r\n\r\n"), "", t("空行", "an empty line"), 1},
		Field{[]byte("3\r\n"), "3", t("块的长度，十六进制", "a chunk's length, in hex"), 3},
		Field{[]byte("wor\r\n"), "wor", t("3 个字节，再 \\r\\n", "3 bytes, then \\r\\n"), 2},
		Field{[]byte("2\r\n"), "2", t("下一块", "the next chunk"), 3},
		Field{[]byte("ld\r\n"), "ld", t("2 个字节", "2 bytes"), 2},
		Field{[]byte("0\r\n\r\n"), "0", t("0：结束", "0: the end"), 3},
	)
	s.Sayf("服务端拆出来：%q，%q", "the server has taken out: %q, %q", bodies[0], bodies[1])
	s.Out.Raw("\n")
	if _, err := s.showWebSocket(5); err != nil {
		return 0, err
	}
	if bodies[0] == "hello" && bodies[1] == "world" {
		return 0, nil
	}
	return 1, nil
}

// maskSize is the mask of a client's WebSocket frame, in bytes (RFC 6455, section 5.3).
const maskSize = 4

// webSocketHeader is that of a client's text frame of n bytes (RFC 6455, section 5.2).
func webSocketHeader(n int, mask [maskSize]byte) []byte {
	header := []byte{0x81} // FIN, text
	switch {
	case n <= 125:
		header = append(header, 0x80|byte(n))
	case n <= 0xffff:
		header = binary.BigEndian.AppendUint16(append(header, 0x80|126), uint16(n))
	default:
		header = binary.BigEndian.AppendUint64(append(header, 0x80|127), uint64(n))
	}
	return append(header, mask[:]...)
}

// showWebSocket sends a text message of n bytes in a frame, reads it as a server does, and names
// the frame's parts. It returns the size of the header.
func (s *Stage) showWebSocket(n int) (int, error) {
	payload := bytes.Repeat([]byte("hello"), n/5+1)[:n]
	mask := [maskSize]byte{0x37, 0xfa, 0x21, 0x3d} // RFC 6455's example; a real one is random
	frame := webSocketHeader(n, mask)
	for i, b := range payload {
		frame = append(frame, b^mask[i%maskSize])
	}
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	wrote := make(chan error, 1)
	go func() {
		_, err := l.client.Write(frame)
		wrote <- err
	}()
	fields, size, got, err := readWebSocket(l.server)
	if err == nil {
		err = <-wrote
	}
	if err != nil {
		return 0, err
	}
	s.Fields(fields...)
	s.Sayf("WebSocket 帧：帧头 %d 字节，内容 %d 字节，去掉掩码以后一样：%v",
		"A WebSocket frame: a header of %d bytes and %d of payload; unmasked it is the same: %v",
		size, n, bytes.Equal(got, payload))
	return size, nil
}

// readWebSocket reads one masked frame, whose length it believes: it is the lesson's own.
func readWebSocket(conn net.Conn) (fields []Field, size int, payload []byte, err error) {
	take := func(n int) (b []byte) {
		if err == nil {
			b, err = readExactly(conn, n)
		}
		return b
	}
	first := take(1)
	second := take(1)
	if err != nil {
		return nil, 0, nil, err
	}
	fields = append(fields, Field{first, "0x81", t("最后一个分片，文本",
		"the last fragment, text"), 0})
	n, extended := uint64(second[0]&0x7f), []byte(nil)
	what := t("有掩码，长度", "masked, and the length")
	switch n {
	case 126:
		extended = take(2)
		what = t("有掩码，长度在后面 2 个字节里", "masked, the length is in the next 2 bytes")
	case 127:
		extended = take(8)
		what = t("有掩码，长度在后面 8 个字节里", "masked, the length is in the next 8 bytes")
	}
	fields = append(fields, Field{second, fmt.Sprint(n), what, 1})
	if len(extended) > 0 && err == nil {
		n = binary.BigEndian.Uint64(append(make([]byte, 8-len(extended)), extended...))
		fields = append(fields, Field{extended, fmt.Sprint(n), t("长度，大端",
			"length, big-endian"), 2})
	}
	mask := take(maskSize)
	masked := take(int(n))
	if err != nil {
		return nil, 0, nil, err
	}
	fields = append(fields, Field{mask, "", t("掩码：和内容异或", "the mask: XORed with the "+
		"payload"), 4},
		Field{masked[:min(len(masked), 12)], "", t("内容，异或以后的", "the payload, masked"), 3})
	for i, b := range masked {
		payload = append(payload, b^mask[i%maskSize])
	}
	return fields, 2 + len(extended) + maskSize, payload, nil
}
