//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
)

// idleMinissh opens count sessions in this process and returns the KiB that the daemon grew by, for
// each. A client process for each would fill the machine's memory long before the daemon's shows.
// The daemon is a fresh one: what another row made it grow by must not hide what the sessions cost.
func (l *lab) idleMinissh(ctx context.Context, count int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	p, err := l.runMinissh(here, "--max-sessions-per-user", strconv.Itoa(count+8))
	if err != nil {
		return 0, err
	}
	// what the first login costs is not a session's
	if _, err := l.timeCommand(ctx, p.argv(p.address, "true")); err != nil {
		return 0, err
	}
	config, err := l.clientTLS()
	if err != nil {
		return 0, err
	}
	before, err := memory(p.pid, "status", "VmRSS:")
	if err != nil {
		return 0, err
	}
	var keepers sync.WaitGroup
	defer keepers.Wait()
	for i := range count {
		conn, err := idleSession(ctx, p.address, l.user.Username, config)
		if err != nil {
			return 0, fmt.Errorf("session %d: %w", i+1, err)
		}
		defer conn.Close()
		keepers.Go(func() { keepAlive(conn) })
	}
	after, err := memory(p.pid, "status", "VmRSS:")
	return float64(after-before) / float64(count), err
}

// clientTLS is the TLS profile of CA1 and CA2 with the lab's client key. The daemon is our own
// child on loopback: its key is not looked at.
func (l *lab) clientTLS() (*tls.Config, error) {
	text, err := os.ReadFile(l.key)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, err
	}
	public := signer.PublicKey().(ssh.CryptoPublicKey).CryptoPublicKey()
	envelope := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, envelope, envelope, public, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol.ALPN}, InsecureSkipVerify: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, nil
}

// mostKept is the resend that minissh announces (client/dial).
const mostKept = 64 << 20

// idleSession logs in as minissh does, for a session that outlives its link, and opens nothing.
func idleSession(ctx context.Context, address, user string, config *tls.Config) (net.Conn, error) {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	var id [32]byte
	rand.Read(id[:])
	hello, err := protocol.AppendMessage(nil, protocol.TypeHello, 0, &protocol.Hello{
		Protocol: protocol.ALPN, Session: hex.EncodeToString(id[:]), Epoch: 1, Create: true,
		User: user, Software: "bench", Resend: mostKept, Hold: 600,
	})
	if err == nil {
		_, err = conn.Write(hello)
	}
	if err == nil {
		err = welcomed(conn)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// welcomed reads the daemon's answer to HELLO.
func welcomed(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	f, err := protocol.NewReader(conn).Next()
	if err != nil {
		return err
	}
	if f.Type != protocol.TypeWelcome {
		var why protocol.Reason
		_ = json.Unmarshal(f.Payload, &why) // for the text alone
		return fmt.Errorf("the daemon answered %v %q %q", f.Type, why.Code, why.Message)
	}
	return conn.SetReadDeadline(time.Time{})
}

// keepAlive answers the daemon's PINGs until the connection ends.
func keepAlive(conn net.Conn) {
	frames := protocol.NewReader(conn)
	for {
		f, err := frames.Next()
		if err != nil {
			return
		}
		if f.Type == protocol.TypePing {
			if _, err := conn.Write(protocol.AppendNumber(nil, protocol.TypePong, 0,
				f.Number())); err != nil {
				return
			}
		}
	}
}
