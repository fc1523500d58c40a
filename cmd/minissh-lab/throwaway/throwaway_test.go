package throwaway

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// Whoever was handed the certificate trusts it for this machine; nobody else does.
func TestTrust(t *testing.T) {
	cert, file, err := New()
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	if !trusting.AppendCertsFromPEM(file) {
		t.Fatal("not a certificate in PEM")
	}
	_, other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	stranger := x509.NewCertPool()
	stranger.AppendCertsFromPEM(other)
	for _, c := range []struct {
		pool *x509.CertPool
		name string
		want bool
	}{{trusting, "127.0.0.1", true}, {trusting, "localhost", true}, {trusting, "example.com",
		false},
		{stranger, "127.0.0.1", false}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if b, err := l.Accept(); err == nil {
				tls.Server(b, Config(cert)).Handshake() // its end is the client's to judge
				b.Close()
			}
		}()
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		err = tls.Client(a, &tls.Config{RootCAs: c.pool, ServerName: c.name}).Handshake()
		a.Close()
		testend.Next(t, "the handshake ends", done)
		l.Close() // not before: that resets a connection that nobody has accepted yet
		if (err == nil) != c.want {
			t.Errorf("%s: %v, want trust: %v", c.name, err, c.want)
		}
	}
}
