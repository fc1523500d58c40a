package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
)

// Lesson 24: an HTTP/1.1 server, whose POST /upper answers the body in upper case.

// post is a request with a body of known length.
func post(body string) string {
	return fmt.Sprintf("POST /upper HTTP/1.1\r\nHost: lab\r\nContent-Length: "+
		"%d\r\n\r\n%s", len(body),
		body)
}

// bareLF finds a line end without its carriage return.
var bareLF = regexp.MustCompile(`(^|[^\r])\n`)

// says finds the header that announces the end of the connection.
var says = regexp.MustCompile(`(?im)^connection:[ \t]*close`)

// answer200 is the first answer in b and what follows it; whole is false while more must come.
func answer200(b []byte) (r *http.Response, body, rest []byte, whole bool, err error) {
	if !bytes.Contains(b, []byte("\n\r\n")) && !bytes.Contains(b, []byte("\n\n")) {
		return nil, nil, nil, false, nil
	}
	in := bytes.NewReader(b)
	buffered := bufio.NewReader(in)
	r, err = http.ReadResponse(buffered, &http.Request{Method: "POST"})
	if err != nil {
		return nil, nil, nil, true, err
	}
	body, err = io.ReadAll(r.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return r, body, nil, false, nil
	}
	rest, _ = io.ReadAll(buffered) // of memory: cannot fail
	return r, body, rest, true, err
}

// httpAnswer wants an answer with a body, and returns what came after it.
func (a *attack) httpAnswer(conn *tape, already []byte, want string, fail *Failure) ([]byte,
	error) {
	fail.Want = tx("200，内容 %s（%d 字节）", "200 with the body %s (%d "+
		"bytes)", quote([]byte(want)),
		len(want))
	came, err := a.read(conn, Text{}, func(b []byte) bool {
		_, _, _, whole, _ := answer200(append(already[:len(already):len(already)], b...))
		return whole
	})
	came = append(already[:len(already):len(already)], came...)
	r, body, rest, whole, parsed := answer200(came)
	head, _, _ := bytes.Cut(came, []byte("\r\n\r\n"))
	switch {
	case err != nil && (r == nil || !whole):
		fail.Got = err.(*Failure).Got
	case parsed != nil:
		fail.Got = tx("读不懂的回答 %s", "an answer that cannot be read: %s", quote(came))
	case bareLF.Match(head):
		fail.Got = text("%s", quote(came))
		fail.proves(cause.BareLF)
	case r.ContentLength < 0 && len(r.TransferEncoding) == 0 && says.Match(head):
		conn.came = came // its end is that of the connection, which is allowed here
		a.readToEnd(conn, a.o.Limit)
		if _, body, _, _, _ = answer200(conn.came); string(body) == want {
			return nil, nil
		}
		fail.Got = tx("内容 %s（%d 字节）", "the body %s (%d bytes)", quote(body), len(body))
	case r.ContentLength < 0 && len(r.TransferEncoding) == 0:
		fail.Got = tx("没有长度的回答 %s", "an answer without a length: %s", quote(came))
		fail.proves(cause.NoContentLength)
	case r.StatusCode != http.StatusOK:
		fail.Got = text("%s", quote([]byte(r.Status)))
	case string(body) == want:
		return rest, nil
	default:
		fail.Got = tx("内容 %s（%d 字节）", "the body %s (%d bytes)", quote(body), len(body))
		if r.ContentLength == int64(utf8.RuneCountInString(want)) && len(want) > len(body) &&
			strings.HasPrefix(want, string(body)) {
			fail.proves(cause.CharsNotBytes)
		}
	}
	return nil, fail
}

// httpExchange sends one request in pieces and wants its answer.
func (a *attack) httpExchange(conn *tape, want string, what Text, pieces ...string) error {
	var each [][]byte
	for _, p := range pieces {
		each = append(each, []byte(p))
	}
	fail := &Failure{Sent: what}
	if _, err := chaos.Send(a.ctx, conn.Conn, each); err != nil && a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	conn.rewind()
	rest, err := a.httpAnswer(conn, nil, want, fail)
	if err == nil && len(rest) > 0 {
		fail.Got = tx("后面又来了 %s", "more came: %s", quote(rest))
		return fail
	}
	return err
}

// helloHTTP is one exchange.
func helloHTTP(a *attack, conn net.Conn) error {
	return a.httpExchange(conn.(*tape), "HELLO", tx("POST /upper，内容 hello", "POST /upper with "+
		"hello"),
		post("hello"))
}

// helloOnceHTTP is one exchange on a connection of its own.
func helloOnceHTTP(a *attack, conn net.Conn) error {
	defer conn.Close()
	return helloHTTP(a, conn)
}

// httpPost sends one request.
func httpPost(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	return helloHTTP(a, conn)
}

// httpTwo sends two requests in one write, and a third.
func httpTwo(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	conn.Write([]byte(post("first") + post("second")))
	fail := &Failure{Sent: tx("两个请求，一次 send：first 和 second", "two requests in one send: "+
		"first, second")}
	rest, err := a.httpAnswer(conn, nil, "FIRST", fail)
	if err != nil {
		if bytes.Contains(conn.came, []byte("FIRSTPOST")) {
			fail.proves(cause.BodyIsAll)
		}
		return err
	}
	_, err = a.httpAnswer(conn, rest, "SECOND", fail)
	if err != nil && !fail.Proven && !a.prog.gone() {
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, gone := conn.Read(make([]byte, 1))
		conn.rewind()
		if errors.Is(gone, io.EOF) {
			if other, e := a.dial(); e == nil && helloHTTP(a, other) == nil {
				fail.proves(cause.OneMessage)
			}
		} else if helloHTTP(a, conn) == nil {
			fail.proves(cause.DropsRest)
		}
	}
	if err != nil {
		return err
	}
	return a.httpExchange(conn, "THIRD", tx("同一条连接，第三个请求", "the third request of the "+
		"connection"),
		post("third"))
}

// httpCut sends requests that are cut where it hurts.
func httpCut(a *attack) error {
	request := post("cut in pieces")
	head := strings.Index(request, "\r\n\r\n")
	for _, at := range []int{3, strings.Index(request, "Length") + 2, head + 1, head + 2, head + 3,
		head + 4,
		head + 9} {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		what := tx("同一个请求，切成两块：%s", "the request in two pieces: "+
			"%s", quote([]byte(request[:at])))
		err = a.httpExchange(conn, "CUT IN PIECES", what, request[:at], request[at:])
		if f, ok := err.(*Failure); ok && !f.Proven && a.prog != nil {
			a.explain(f)
			if a.prog.ended() {
				a.endProgram()
			}
			other, dialed := a.dial()
			if dialed == nil && a.httpExchange(other, "CUT IN PIECES", what, request) == nil {
				f.Belief, f.Proven = cause.PieceIsRequest, true // whole, they are answered
			}
		}
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

// chunkedBody is "chunked hello" in three chunks, one of them with an extension.
const chunkedBody = "7\r\nchunked\r\n1;x=y\r\n \r\n5\r\nhello\r\n0\r\n\r\n"

// httpChunked sends a chunked body, whole and in pieces, and a request after it.
func httpChunked(a *attack) error {
	head := "POST /upper HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, pieces := range [][]string{{head + chunkedBody},
		{head, "7", "\r\nchun", "ked\r\n1;x=y\r\n ", "\r\n5\r\nhello\r", "\n0\r\n\r", "\n"}} {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		err = a.httpExchange(conn, "CHUNKED HELLO", tx("分块的内容（send %d 次）",
			"a chunked body (sends: %d)", len(pieces)), pieces...)
		if f, ok := err.(*Failure); ok && !f.Proven {
			came := conn.came
			_, body, _, whole, _ := answer200(came)
			if bytes.Contains(bytes.ToUpper(came), []byte("7\r\nCHUNKED")) ||
				whole && len(body) == 0 && bytes.Contains(came, []byte(" 200 ")) {
				f.proves(cause.ChunksAsBody)
			}
		}
		if err != nil {
			return err
		}
		if err := helloHTTP(a, conn); err != nil {
			return err
		}
		conn.Close() // a server may serve one connection at a time
	}
	return nil
}

// httpChinese sends a body whose bytes are more than its characters.
func httpChinese(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	body := strings.Repeat("中", 300)
	return a.httpExchange(conn, body, tx("内容是 300 个 中（900 字节）", "a body of 300 x 中 (900 "+
		"bytes)"),
		post(body))
}

// httpNames spells the names of headers otherwise.
func httpNames(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	request := strings.NewReplacer("Content-Length: ", "content-length:", "Host: ", "HOST:  ").
		Replace(post("names"))
	err = a.httpExchange(conn, "NAMES", tx("头部字段名小写，冒号后面没有空格",
		"names in lower case, no blank after the colon"), request)
	if f, ok := err.(*Failure); ok && !f.Proven && a.prog != nil {
		a.explain(f)
		if a.prog.ended() {
			a.endProgram()
		}
		if other, e := a.dial(); e == nil && helloHTTP(a, other) == nil {
			f.Belief, f.Proven = cause.HeaderCase, true
		}
	}
	return err
}

// httpClose asks for the end of the connection, and for a path that is not there.
func httpClose(a *attack) error {
	for _, request := range []string{"GET /nothing HTTP/1.1\r\nHost: lab\r\n\r\n",
		strings.Replace(post(""), "/upper", "/nothing", 1)} {
		if err := a.httpNotFound(request); err != nil {
			return err
		}
	}
	request := strings.Replace(post("bye"), "Host", "Connection: close\r\nHost", 1)
	conn, err := a.dial() // an error may have ended the other connection
	if err != nil {
		return err
	}
	err = a.httpExchange(conn, "BYE", tx("Connection: close", "Connection: close"), request)
	if err != nil {
		return err
	}
	f, _ := a.readToEnd(conn, a.o.Limit)
	if f != hangs && f != spins {
		return nil
	}
	fail := &Failure{Sent: text("Connection: close"), Want: tx("答完就关", "answered, then closed"),
		Got: fateText(f, a.o.Limit)}
	if f == hangs {
		fail.proves(cause.KeepsOpen)
	}
	return fail
}

// httpNotFound wants a 404 for a request with a path that is not there.
func (a *attack) httpNotFound(request string) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Write([]byte(request))
	first, _, _ := strings.Cut(request, " HTTP")
	fail := &Failure{Sent: text("%s", first), Want: text("404")}
	came, err := a.read(conn, fail.Want, func(b []byte) bool {
		_, _, _, whole, _ := answer200(b)
		return whole
	})
	if r, _, _, _, _ := answer200(came); r != nil && r.StatusCode == http.StatusNotFound {
		return nil
	}
	fail.Got = text("%s", quote(came))
	if f, ok := err.(*Failure); ok && len(came) == 0 {
		fail.Got = f.Got
	}
	return fail
}

// httpEndsInside ends a connection inside a chunk, and inside a body of known length.
func httpEndsInside(a *attack) error {
	for _, part := range []string{"POST /upper HTTP/1.1\r\nHost: lab\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n7\r\nchu",
		strings.TrimSuffix(post("cut off"), " off")} {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		fail := &Failure{Sent: text("%s", quote([]byte(part))).Plus(tx("，然后 FIN", ", then FIN")),
			Want: tx("关闭，接着服务下一个", "closed, and the next is served")}
		if _, err := conn.Write([]byte(part)); err != nil {
			fail.Got = a.why(err)
			return fail
		}
		if err := closeWrite(conn); err != nil {
			return err
		}
		f, _ := a.readToEnd(conn,
			a.o.Limit) // whatever it answers: Python's own http.server says 200
		if f == spins || f == hangs {
			fail.Got = gotText(conn.came, fateText(f, a.o.Limit))
			if f == spins {
				fail.proves(cause.NoEndTest)
			}
			return fail
		}
		if err := a.servesNext(helloOnceHTTP, fail); err != nil {
			return err
		}
	}
	return nil
}
