//go:build unix

package daemon

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// records writes TLS 1.3 records by hand (RFC 8446, 5.2 and 7), with the client's traffic secret
// out of the key log: crypto/tls never starts a key update by itself.
type records struct {
	conn   net.Conn
	hash   func() hash.Hash
	seal   func(key []byte) (cipher.AEAD, error)
	key    int // bytes
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	number uint64 // of the next record
}

func newRecords(t *testing.T, conn net.Conn, suite uint16, keyLog string) *records {
	r := &records{conn: conn, hash: sha256.New, key: 16}
	r.seal = func(key []byte) (cipher.AEAD, error) {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCM(block)
	}
	switch suite {
	case tls.TLS_AES_256_GCM_SHA384:
		r.hash, r.key = sha512.New384, 32
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		r.seal, r.key = chacha20poly1305.New, 32
	}
	for line := range strings.Lines(keyLog) {
		if words := strings.Fields(line); words[0] == "CLIENT_TRAFFIC_SECRET_0" {
			r.secret, _ = hex.DecodeString(words[2])
		}
	}
	r.ready(t)
	return r
}

// expand is HKDF-Expand-Label without context (RFC 8446, 7.1).
func (r *records) expand(t *testing.T, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 "+label)))
	info = append(append(info, "tls13 "+label...), 0)
	out, err := hkdf.Expand(r.hash, r.secret, string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ready makes key and nonce of the secret.
func (r *records) ready(t *testing.T) {
	var err error
	if r.aead, err = r.seal(r.expand(t, "key", r.key)); err != nil {
		t.Fatal(err)
	}
	r.iv, r.number = r.expand(t, "iv", 12), 0
}

func (r *records) append(b []byte, kind byte, content []byte) []byte {
	header := []byte{23, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(content)+1+r.aead.Overhead()))
	nonce := bytes.Clone(r.iv)
	for i, c := range binary.BigEndian.AppendUint64(nil, r.number) {
		nonce[4+i] ^= c
	}
	r.number++
	return r.aead.Seal(append(b, header...), nonce, append(bytes.Clone(content), kind), header)
}

// appendUpdate appends a KeyUpdate that asks for another (RFC 8446, 4.6.3), and goes on with the
// next key.
func (r *records) appendUpdate(t *testing.T, b []byte) []byte {
	const handshake = 22
	b = r.append(b, handshake, []byte{24, 0, 0, 1, 1})
	r.secret = r.expand(t, "traffic upd", len(r.secret))
	r.ready(t)
	return b
}

// byHand logs in over TLS whose client side is then written by hand.
func (l *lab) byHand(t *testing.T) (*tls.Conn, *records) {
	t.Helper()
	envelope, err := keys.Certificate(l.guest)
	if err != nil {
		t.Fatal(err)
	}
	var keyLog bytes.Buffer
	raw := l.dial()
	conn := tls.Client(raw, &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{protocol.ALPN},
		Certificates: []tls.Certificate{envelope}, KeyLogWriter: &keyLog,
	})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn, newRecords(t, raw, conn.ConnectionState().CipherSuite, keyLog.String())
}

// A few key updates are harmless: another TLS library may do them.
func TestKeyUpdatesAreTaken(t *testing.T) {
	l := newLab(t, nil)
	conn, r := l.byHand(t)
	defer conn.Close()
	const data = 23
	b := r.append(nil, data, hello(nil))
	for range 16 {
		b = r.appendUpdate(t, b)
	}
	b = r.append(b, data, protocol.AppendNumber(nil, protocol.TypePing, 0, 42))
	if _, err := r.conn.Write(b); err != nil {
		t.Fatal(err)
	}
	in := protocol.NewReader(conn)
	for _, want := range []protocol.Type{protocol.TypeWelcome, protocol.TypePong} {
		if f, err := in.Next(); err != nil || f.Type != want {
			t.Fatalf("%v and %v instead of %v\n%s", f.Type, err, want, l.log)
		}
	}
}

// A key update costs the daemon more than its author. crypto/tls takes 16 with nothing between
// them, and then closes.
func TestFloodOfKeyUpdates(t *testing.T) {
	for _, c := range []struct {
		name  string
		first []byte // data before the flood
		log   string
	}{
		{"before HELLO", nil, "Connection closed from"},
		{"in a session", hello(nil), "Disconnected from"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, nil)
			before := l.warm()
			conn, r := l.byHand(t)
			seen := make(chan error, 1)
			// its answers are read, so that nothing but the flood itself can be the reason
			go func() {
				_, err := io.Copy(io.Discard, conn)
				seen <- err
			}()
			var b []byte
			if c.first != nil {
				b = r.append(b, 23, c.first)
			}
			for range 1000 {
				b = r.appendUpdate(t, b)
			}
			r.conn.Write(b)
			if err := <-seen; err == nil || !strings.Contains(err.Error(), "unexpected message") &&
				!isEnd(err) {
				t.Errorf("the end of the flood is %v", err)
			}
			l.log.want(t, c.log, "too many non-advancing records")
			conn.Close()
			settle(t, before)
		})
	}
}
