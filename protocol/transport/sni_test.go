package transport

import (
	"crypto/tls"
	"testing"
)

// A daemon accepts a client that sends SNI, which no client should (CA2): the client gives away its
// own secret.
func TestSNIIsIgnored(t *testing.T) {
	near, far := loopback(t)
	served := make(chan error, 1)
	go func() {
		_, err := Server(far, ServerConfig(envelope(t)), nil)
		served <- err
	}()
	own := envelope(t)
	conn := tls.Client(near, &tls.Config{
		ServerName: "alias.example", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
		NextProtos:   []string{"minissh/1"},
		Certificates: []tls.Certificate{own},
	})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
