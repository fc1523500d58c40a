package check

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/throwaway"
)

// Lesson 25: the client of 15a, over TLS. The lab serves with a certificate that it has put into
// the client's folder; every piece that it sends is a record, or several.

// trusted is the file with the lab's certificate.
const trusted = "cert.pem"

// secure makes the case's certificate and leaves it where the client looks.
func (a *attack) secure() error {
	cert, file, err := throwaway.New()
	if err != nil {
		return err
	}
	a.cert = &cert
	return os.WriteFile(filepath.Join(a.work.dir, trusted), file, 0o644)
}

// encrypt is the server's side of TLS on a new connection.
func (a *attack) encrypt(conn net.Conn) (net.Conn, error) {
	a.conns = append(a.conns, conn)
	secure := tls.Server(conn, throwaway.Config(*a.cert))
	conn.SetDeadline(time.Now().Add(a.o.Limit))
	err := secure.HandshakeContext(a.ctx)
	conn.SetDeadline(time.Time{})
	if err == nil {
		return secure, nil
	}
	fail := &Failure{NotUp: true, Sent: tx("TLS，证书在 %s 里", "TLS, with the certificate in "+
		"%s", trusted),
		Want: tx("握手成功", "a handshake")}
	if wrong, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		fail.Got = tx("开头是 %s，不是 TLS", "it begins with %s, which is not "+
			"TLS", quote(wrong.RecordHeader[:]))
		fail.proves(cause.PlainText)
		return nil, fail
	}
	fail.Got = tx("握手没有成功：", "no handshake: ").Plus(a.why(err))
	if fail.wentOn = isTimeout(err); fail.wentOn { // it did not refuse: does it wait at its prompt?
		a.prog.typeLine("pwd")
		plain := make([]byte, shown)
		conn.SetReadDeadline(time.Now().Add(a.o.Limit))
		const handshake = 22 // the type of TLS's first record (RFC 8446, section 5.1)
		if n, _ := conn.Read(plain); n > 0 && plain[0] != handshake {
			fail.Got = tx("来了 %s，不是 TLS", "%s came, which is not TLS", quote(plain[:n]))
			fail.proves(cause.PlainText)
		}
		return nil, fail
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		fail.Got = tx("客户端拒绝了：%s", "the client refused: %s", alert.Error())
	} else if strings.Contains(err.Error(), "remote error: tls:") {
		fail.Got = tx("客户端拒绝了这张证书", "the client refused the certificate")
	}
	return nil, fail
}

// strangerServes has a certificate that the client was never handed: it must refuse.
func strangerServes(a *attack) error {
	other, _, err := throwaway.New()
	if err != nil {
		return err
	}
	a.cert = &other
	p, err := a.startClient()
	if f, ok := err.(*Failure); ok {
		if !a.served || f.wentOn || f.Belief == cause.PlainText {
			return f
		}
		return a.endsRefusing()
	}
	if err != nil {
		return err
	}
	p.prog.typeLine("secret")
	p.conn.SetReadDeadline(time.Now().Add(a.o.Limit))
	n, _ := p.conn.Read(make([]byte, 1024))
	if n == 0 {
		// In TLS 1.3 the client's refusal may come after the server has finished.
		return a.endsRefusing()
	}
	fail := &Failure{Sent: tx("另一张证书，不是 %s 里的", "a certificate other than the one in %s",
		trusted),
		Want: tx("拒绝，什么也不发", "it refuses, and sends nothing"),
		Got:  tx("它发来了 %s", "it sent %s", quote(p.conn.came))}
	fail.proves(cause.TrustsAnybody)
	return fail
}

// endsRefusing wants the client to end, now that it has refused.
func (a *attack) endsRefusing() error {
	f, _ := a.fateLong(a.o.Limit)
	a.endProgram()
	if f != ended {
		return &Failure{Sent: tx("另一张证书，不是 %s 里的",
			"another certificate than the one in %s", trusted),
			Want: tx("说一声，退出", "it says so, and ends"),
			Got:  tx("%v 以后还没有结束", "it had not ended after %v", a.o.Limit)}
	}
	return nil
}

// recordsOf runs a case of 15a's client; one recv taken for a message is one record taken for it
// here.
func recordsOf(run func(*attack) error) func(*attack) error {
	return func(a *attack) error {
		err := run(a)
		f, ok := err.(*Failure)
		if ok && (f.Belief == cause.OneRecv || f.Belief == cause.BiggerBuffer) {
			f.Belief = cause.RecordIsMessage
		}
		return err
	}
}
