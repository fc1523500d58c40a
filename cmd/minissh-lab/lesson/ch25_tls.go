package lesson

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/throwaway"
)

var tlsRecords = Lesson{
	Name:  "25",
	Title: t("TLS 的记录也不是消息", "a TLS record is not a message"),
	Run: t("套接字外面包一层 TLS（证书是临时的，用完就扔）。客户端一次 write 20000 字节；服务端 "+
		"recv(65536)。实验室在下面的 TCP 上看，记下每个记录的头：5 个字节，不加密。",
		"A socket is wrapped in TLS (with a throw-away certificate). The client writes 20000 "+
			"bytes at once, and the server calls recv(65536). The lab watches the TCP below, and "+
			"notes the header of each record: 5 bytes, not encrypted."),
	Code: "tls.sendall(bytes(20000))\n" +
		"data = conn.recv(65536)        # conn = context.wrap_socket(…)\nprint(len(data))        " +
		"       # ?",
	Ask: Question{
		t("recv(65536) 返回多少字节？", "how many bytes does recv(65536) return?"), []Option{
			wrong(
				"20000：TLS 一条消息一条消息地加密",
				"20000: TLS encrypts message by message",
				"TLS 加密的是记录，不是你的消息。一个记录最多装 16384 字节，所以这里有两个。",
				"TLS encrypts records, not your messages. A record holds 16384 bytes at most, so "+
					"here there are two."),
			wrong(
				"1460 的倍数：TCP 段到多少给多少",
				"a multiple of 1460: what the TCP segments brought",
				"一个记录没到齐，就没法验证，一个字节也不给：给多少，看的是记录，不是段。",
				"A record that is not complete cannot be verified, and recv gives none of its "+
					"bytes: records decide, not segments."),
			right("16384：一个记录", "16384: one record"),
		}},
	Play: playTLS,
	Why: t("一次 write 可以是几个记录，几次 write 也可以放进一个记录；recv 一次最多给一个记录里的"+
		"字节。记录是 TLS 自己的边界，不是你的：消息还是要自己写长度。用 select 要小心：套接字可"+
		"读，记录可能还没到齐；套接字里没东西了，TLS 里可能还有（pending()）。",
		"One write may be several records, and several writes may go into one; recv gives at "+
			"most one record's bytes. Records are the boundaries of TLS, not yours: a message "+
			"still needs its length. Be careful with select: the socket may be readable before "+
			"the record is complete, and empty while TLS still has bytes (pending())."),
	Change: t("换 write 的字节数：从多少起变成两个、三个、四个记录？",
		"Change how many bytes are written: where does it become two, three, four records?"),
	Knob: Knob{t("一次 write 的字节数", "bytes in one "+
		"write"), []string{"1", "16384", "16385", "50000"},
		func(s *Stage, value string) error {
			n, err := number(value, 1, 1<<20)
			if err == nil {
				_, err = s.showRecords(n)
			}
			return err
		}},
	Quiz: &Quiz{
		t("TLS 1.3 里 write 1 个字节，TCP 上走了几个字节？",
			"1 byte written with TLS 1.3: how many bytes go over TCP?"), measureRecord,
		t("23：记录头 5，内容 1，真正的类型 1，认证标签 16。一个字节一个字节地发，就成了 23 倍。",
			"23: a header of 5, the byte itself, 1 for the real type, and a tag of 16. Sent byte "+
				"by byte, everything is 23 times as large.")},
	Exercise: t("把 15a 的客户端改成 TLS 的：问命令，发出去，先收长度（'<i'），再收那么多字节，打"+
		"印出来。只信任当前目录里的 cert.pem；服务端的证书对不上，就说一声，然后退出。检查的时"+
		"候，cert.pem 由实验室放好。",
		"Make the client of 15a use TLS: it asks for a command, sends it, receives a length "+
			"('<i') and that many bytes, and prints them. It trusts only the cert.pem in its "+
			"folder; if the server has another certificate, it says so and ends. The check puts "+
			"cert.pem there."),
	Check: "minissh-lab check 25 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("recv(4) 一定有 4 个字节吗？包了 TLS 以后呢？",
			"Does recv(4) always give 4 bytes? And over TLS?"),
		t("recv_exact 照样能用：TLS 套接字也有 recv，b'' 也表示断开。",
			"recv_exact works as before: a TLS socket has recv, too, and b'' is the end."),
		t("context = ssl.create_default_context(cafile='cert.pem')；phone = "+
			"context.wrap_socket(phone, server_hostname='127.0.0.1')；except ssl.SSLError。不要用"+
			" CERT_NONE。",
			"context = ssl.create_default_context(cafile='cert.pem'); phone = "+
				"context.wrap_socket(phone, server_hostname='127.0.0.1'); except ssl.SSLError. "+
				"Never CERT_NONE."),
	},
}

// recordHead is the size of a TLS record's header: type, version, length (RFC 8446, section 5.1).
const recordHead = 5

// holding is a TCP connection that keeps what is written, while it holds, instead of sending it.
type holding struct {
	*net.TCPConn
	mu   sync.Mutex // owns the rest
	hold bool
	kept []byte
}

func (h *holding) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.hold {
		return h.TCPConn.Write(b)
	}
	h.kept = append(h.kept, b...)
	return len(b), nil
}

// sealed writes n bytes with TLS, and returns the records that they became, unsent.
func (h *holding) sealed(conn *tls.Conn, n int) ([][]byte, error) {
	h.mu.Lock()
	h.hold, h.kept = true, nil
	h.mu.Unlock()
	_, err := conn.Write(make([]byte, n))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold = false
	var records [][]byte
	for rest := h.kept; len(rest) > 0; {
		size := len(rest)
		if len(rest) >= recordHead {
			size = min(size, recordHead+int(binary.BigEndian.Uint16(rest[3:])))
		}
		records, rest = append(records, rest[:size]), rest[size:]
	}
	return records, err
}

// secureLink is a link with TLS 1.3 around it.
type secureLink struct {
	*link
	below          *holding // the client's TCP
	client, server *tls.Conn
}

func dialSecure() (*secureLink, error) {
	cert, file, err := throwaway.New()
	if err != nil {
		return nil, err
	}
	l, err := dialLink()
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(file)
	below := &holding{TCPConn: l.client}
	v := &secureLink{link: l, below: below, server: tls.Server(l.server, throwaway.Config(cert)),
		client: tls.Client(below, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1",
			MinVersion: tls.VersionTLS13, DynamicRecordSizingDisabled: true})}
	shaken := make(chan error, 1)
	go func() { shaken <- v.server.Handshake() }()
	err = v.client.Handshake()
	if err != nil {
		l.close()
	}
	if err = errors.Join(err, <-shaken); err != nil {
		l.close()
		return nil, err
	}
	return v, nil
}

func playTLS(s *Stage) (int, error) {
	first, err := s.showRecords(20000)
	if err != nil {
		return 0, err
	}
	s.Out.Raw("\n")
	if err := s.showHalfRecord(); err != nil {
		return 0, err
	}
	switch {
	case first == 20000:
		return 0, nil
	case first == 16384:
		return 2, nil
	}
	return 1, nil
}

// showRecords writes n bytes at once, and shows the records and what each recv gives. It returns
// what the first gave.
func (s *Stage) showRecords(n int) (first int, err error) {
	l, err := dialSecure()
	if err != nil {
		return 0, err
	}
	defer l.close()
	records, err := l.below.sealed(l.client, n)
	if err != nil {
		return 0, err
	}
	if len(records) > 1 {
		s.Sayf("一次 write %d 字节，%d 个记录：", "one write of %d bytes, %d "+
			"records:", n, len(records))
	} else {
		s.Sayf("一次 write %d 字节，1 个记录：", "one write of %d bytes, 1 record:", n)
	}
	wrote := make(chan error, 1)
	go func() {
		for _, r := range records {
			if _, err := l.below.Write(r); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	rows := [][]string{{s.pick(t("记录头", "header")), s.pick(t("类型", "type")),
		s.pick(t("长度", "length")), s.pick(t("TCP 上的字节", "bytes over TCP")), "recv(65536)"}}
	buf := make([]byte, 65536)
	for i, r := range records {
		l.server.SetReadDeadline(time.Now().Add(waitLimit))
		got, err := l.server.Read(buf)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			first = got
		}
		if i < 6 {
			rows = append(rows, []string{fmt.Sprintf("% x", r[:recordHead]),
				strconv.Itoa(int(r[0])),
				strconv.Itoa(int(binary.BigEndian.Uint16(r[3:]))), strconv.Itoa(len(r)),
				strconv.Itoa(got)})
		}
	}
	s.Table(rows...)
	s.Say(t("类型 23 是应用数据。长度里多出来的 17 个字节：真正的类型 1，认证标签 16。",
		"Type 23 is application data. Each length has 17 bytes more: 1 for the real type, 16 for "+
			"the tag."))
	return first, <-wrote
}

// showHalfRecord lets half of a record arrive, then the rest.
func (s *Stage) showHalfRecord() error {
	l, err := dialSecure()
	if err != nil {
		return err
	}
	defer l.close()
	records, err := l.below.sealed(l.client, 16000)
	if err != nil {
		return err
	}
	record := records[0]
	half := len(record) / 2
	if _, err := l.below.Write(record[:half]); err != nil {
		return err
	}
	if err := s.arrived(l.link.server, half); err != nil {
		return err
	}
	buf := make([]byte, 65536)
	l.server.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := l.server.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("half a record gave %d bytes: %w", n, err)
	}
	s.Sayf("只到了半个记录，%d 字节：recv 什么也不给", "half a record has come, %d bytes: recv "+
		"gives nothing", half)
	if _, err := l.below.Write(record[half:]); err != nil {
		return err
	}
	l.server.SetReadDeadline(time.Now().Add(waitLimit))
	n, err := l.server.Read(buf)
	s.Sayf("另一半也到了：recv 一次给了 %d 字节", "the other half has come: one recv gives %d "+
		"bytes", n)
	return err
}

// measureRecord counts the bytes of one byte's record.
func measureRecord(*Stage) (string, error) {
	l, err := dialSecure()
	if err != nil {
		return "", err
	}
	defer l.close()
	records, err := l.below.sealed(l.client, 1)
	if err != nil {
		return "", err
	}
	n := 0
	for _, r := range records {
		n += len(r)
	}
	return strconv.Itoa(n), nil
}
