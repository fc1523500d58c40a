package dialect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"unicode"

	"minissh/cmd/minissh-lab/folder"
	"minissh/cmd/minissh-lab/speak"
)

// Errors of an exchange.
var (
	ErrEmpty   = errors.New("an empty line is not sent")
	ErrLong    = errors.New("a command of more than 1024 bytes is not sent")
	ErrSilent  = errors.New("no answer in time")
	ErrBrowser = errors.New("an HTTP request: this is not a web server")
	ErrRefused = errors.New("the server refused")         // wrapped, with the server's words
	ErrLocal   = errors.New("cannot be done at this end") // wrapped: no such file here, wrong line
	ErrShape   = errors.New("the answer fits no dialect") // auto: keep --dialect
)

// ending turns the natural ends of a served connection into nil.
func (w *wire) ending(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return w.failed(err)
}

// failed prefers ctx's error to the failure that it caused.
func (w *wire) failed(err error) error {
	if err != nil && w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	return err
}

// refuseBrowser fails as soon as the first bytes of a served connection look like
// an HTTP request. A web page may POST to any port of the reader's machine; the
// body's `put x` or `big` must not be taken for a command.
func (w *wire) refuseBrowser(b []byte) error {
	if !w.server || w.first == nil && len(b) == 0 {
		return nil
	}
	const enough = 16
	if len(w.first) >= enough {
		return nil
	}
	w.first = append(w.first, b[:min(len(b), enough-len(w.first))]...)
	method, rest, found := bytes.Cut(w.first, []byte(" "))
	if !found || len(method) < 3 ||
		bytes.ContainsFunc(method, func(r rune) bool { return !unicode.IsUpper(r) }) {
		return nil
	}
	if bytes.HasPrefix(rest, []byte("/")) || bytes.HasPrefix(rest, []byte("* ")) ||
		bytes.HasPrefix(rest, []byte("http")) ||
		string(method) == "CONNECT" {
		return ErrBrowser
	}
	return nil
}

// Explain says an error of this package to people: what went wrong, and what can
// be done about it. The texts are safe for a terminal.
func Explain(err error) (zh, en, hintZh, hintEn string) {
	var length *LengthError
	var header *HeaderError
	var name *net.DNSError
	var address *net.AddrError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "已中断", "interrupted", "", ""
	case errors.Is(err, ErrEmpty):
		return "空行不发送：send(b'') 什么也不会发",
			"an empty line is not sent: send(b'') sends nothing", "", ""
	case errors.Is(err, ErrLong):
		return "命令超过 1024 字节，服务端一次 recv(1024) 收不下",
			"more than 1024 bytes: the server's one recv(1024) would cut it", "", ""
	case errors.Is(err, ErrSilent):
		return "对方一直没有回答", "no answer in time",
			"可能：命令没有输出（send(b'') 什么也不发），或者对方还在等更多字节（试试别的 " +
				"--dialect）",
			"perhaps the command printed nothing (send(b'') sends nothing), or the peer waits " +
				"for more bytes (try another --dialect)"
	case errors.Is(err, ErrBrowser):
		return "来的是 HTTP 请求，这里不是网站，已断开",
			"an HTTP request came; this is not a web server; disconnected", "", ""
	case errors.As(err, &length):
		return "不可信的长度：" + speak.Clean(length.Error()), "a length that is not believed: " +
				speak.Clean(length.Error()),
			"可能上一个回答没有收完（粘包），或者 --byte-order、--dialect 不对",
			"perhaps the last answer was not read to its end, or --byte-order or --dialect is wrong"
	case errors.As(err, &header):
		return "看不懂的报头：" + speak.Clean(header.Error()),
			"an unusable header: " + speak.Clean(header.Error()),
			"报头应是 JSON 字典，里面有大小", "a header is a JSON dict with a size in it"
	case errors.Is(err, ErrRefused):
		return "对方拒绝了：" + speak.Clean(err.Error()), speak.Clean(err.Error()), "", ""
	case errors.Is(err, folder.ErrName):
		return "文件名不行：只要 a.txt 这样的名字，不带目录", folder.ErrName.Error(), "", ""
	case errors.Is(err, folder.ErrLimit):
		return "文件太大或太多", folder.ErrLimit.Error(), "", ""
	case errors.Is(err, errFileUsage):
		return "这里只有 get 和 put", "only get and put here", "get a.txt，put a.txt",
			"get a.txt, put a.txt"
	case errors.Is(err, errPutToGuess):
		return "put 没有回答，猜不出方言", "a put has no answer to guess the dialect from",
			"先 get，或者用 --dialect file、--dialect oo",
			"get first, or say --dialect file or --dialect oo"
	case errors.Is(err, fs.ErrNotExist):
		return "没有这个文件", "no such file", "", ""
	case errors.Is(err, ErrShape):
		return "认不出这是哪种方言", "this fits no dialect", "用 --dialect 指定",
			"say which with --dialect"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "说好的字节没发完，对方就断开了",
			"the peer left in the middle of what it had announced", "", ""
	case errors.Is(err, io.EOF):
		return "对方断开了连接（recv 返回空）",
			"the peer closed the connection (recv returned nothing)", "", ""
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "连接被对方重置（ConnectionResetError）",
			"the peer reset the connection (ConnectionResetError)", "", ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return "那个端口上没有服务端", "nobody listens there", "先启动服务端",
			"start the server first"
	case errors.As(err, &name):
		return "找不到 " + speak.Clean(name.Name) + " 这个名字",
			"the name " + speak.Clean(name.Name) + " cannot be found", "", ""
	case errors.As(err, &address):
		return "地址 " + speak.Clean(address.Addr) + " 不对，要写成 主机:端口",
			"the address " + speak.Clean(address.Addr) + " is not host:port", "", ""
	case errors.As(err, &network) && network.Timeout():
		return "对方一直没有回应", "no answer in time", "", ""
	}
	text := speak.Clean(fmt.Sprint(err))
	if errors.Is(err, ErrLocal) {
		return "这一端做不了：" + text, text, "", ""
	}
	return text, text, "", ""
}
