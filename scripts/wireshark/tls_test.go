//go:build unix

package wireshark_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// turn is what one side wrote before the other wrote again.
type turn struct {
	side int
	data []byte
}

// recorder is one end of a connection whose writes are kept, in order with those of the other end.
type recorder struct {
	net.Conn
	side int
	log  *turns
}

type turns struct {
	mu  sync.Mutex // guards all
	all []turn
}

func (r *recorder) Write(p []byte) (int, error) {
	r.log.mu.Lock()
	if n := len(r.log.all); n > 0 && r.log.all[n-1].side == r.side {
		r.log.all[n-1].data = append(r.log.all[n-1].data, p...)
	} else {
		r.log.all = append(r.log.all, turn{r.side, slices.Clone(p)})
	}
	r.log.mu.Unlock()
	return r.Conn.Write(p)
}

func envelope(t *testing.T) tls.Certificate {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := keys.Certificate(id)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// encrypted has a conversation over this project's own TLS, one record for each of the parts, and
// gives what went over the wire. The secrets are appended to keyLog.
func encrypted(t *testing.T, keyLog io.Writer, fromClient, fromServer [][]byte) []turn {
	t.Helper()
	log := new(turns)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	host, own := envelope(t), envelope(t)
	said := func(to net.Conn, parts [][]byte) error {
		for _, part := range parts {
			if _, err := to.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
	heard := func(from net.Conn, parts [][]byte) error {
		_, err := io.ReadFull(from, make([]byte, len(slices.Concat(parts...))))
		return err
	}
	served := make(chan error, 1)
	go func() {
		conn, err := transport.Server(&recorder{far, server, log}, transport.ServerConfig(host),
			nil)
		if err == nil {
			conn.Authorized()
			err = heard(conn, fromClient)
		}
		if err == nil {
			err = said(conn.Conn, fromServer)
		}
		served <- err
	}()
	conn, err := transport.Client(&recorder{near, client, log}, keyLog, own,
		func(*x509.Certificate) error { return nil })
	if err == nil {
		err = said(conn.Conn, fromClient)
	}
	if err == nil {
		err = heard(conn, fromServer)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return log.all
}

// play puts turns into a capture, one segment each, but the side's bytes cut at one place; 0:
// nowhere.
func (s *stream) play(all []turn, cut [2]int) {
	var sent [2]int
	for _, t := range all {
		at := cut[t.side] - sent[t.side]
		sent[t.side] += len(t.data)
		if at > 0 && at < len(t.data) {
			s.send(t.side, t.data[:at], t.data[at:])
		} else {
			s.send(t.side, t.data)
		}
	}
	s.end()
}

// However frames lie in TLS records, and records in segments: N are shown as N, by the ALPN name
// alone, for the port is nobody's.
func TestInsideTLS(t *testing.T) {
	t.Parallel()
	fromClient, fromServer := talk()
	keyFile := filepath.Join(t.TempDir(), "keys")
	keyLog, err := transport.OpenKeyLog(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	defer keyLog.Close()
	c, names := newCapture(), map[int]string{}
	add := func(name string, all []turn, cut [2]int) {
		s := c.connect(tlsPort)
		names[s.id] = fmt.Sprintf("%s, cut at %v", name, cut)
		s.play(all, cut)
	}
	whole := func(b []byte) [][]byte { return [][]byte{b} }
	glued := encrypted(t, keyLog, whole(fromClient), whole(fromServer))
	for _, size := range []int{1, 7, 12, 13, 100} {
		all := encrypted(t, keyLog, slices.Collect(slices.Chunk(fromClient, size)),
			slices.Collect(slices.Chunk(fromServer, size)))
		add(fmt.Sprintf("records of %d", size), all, [2]int{})
	}
	var total [2]int
	for _, turn := range glued {
		total[turn.side] += len(turn.data)
	}
	// All frames in one record each way, the record cut at each place.
	for cut := 0; cut < max(len(fromClient), len(fromServer))+30; cut++ {
		add("all in one record", glued,
			[2]int{max(0, total[client]-cut), max(0, total[server]-cut)})
	}
	compare(t, c, names, tlsPort, "-o", "tls.keylog_file:"+readable(t, keyFile))
	// Wireshark knows TLS by its first bytes, or by its port: if every byte is a segment, by the
	// port alone.
	bytewise := newCapture()
	s := bytewise.connect(protocol.DefaultPort)
	for _, turn := range glued {
		s.send(turn.side, each(turn.data)...)
	}
	s.end()
	compare(t, bytewise, map[int]string{0: "one byte a segment"}, protocol.DefaultPort, "-o",
		"tls.keylog_file:"+readable(t, keyFile))
	// Without the key log there is nothing to see.
	for w := range seen(fields(t, bytewise.write(t), frameFields), protocol.DefaultPort) {
		t.Errorf("%v can be read without keys", w)
	}
}

// readable lets tshark read a file of the test's, although it runs as nobody.
func readable(t *testing.T, file string) string {
	t.Helper()
	asNobody(t, new(exec.Cmd), filepath.Dir(file))
	return file
}
