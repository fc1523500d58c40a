package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

// clientOfHTTP asks twice on one connection, the second time with a chunked body.
const clientOfHTTP = `
import http.client, sys
c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
for body in (b'one', iter([b't', b'wo'])):
    c.request('POST', '/upper', body)
    r = c.getresponse()
    print(r.status, r.read().decode())
`

// The mended program of lesson 24 serves curl and Python's own client.
func TestMendedHTTPServesRealClients(t *testing.T) {
	python := interpreter(t)
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("not run: needs curl")
	}
	address, err := freeAddress("tcp")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	server := exec.CommandContext(t.Context(), python, "-S", "-B", program(t, "24", "--mended"),
		port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Wait()
	defer server.Process.Kill()
	testend.Until(t, "it listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	url := "http://" + address + "/upper"
	for _, c := range []struct{ args, want string }{
		{"-d hello " + url + " -d again " + url, "HELLO&AGAINHELLO&AGAIN"}, // keep-alive
		{"-H Transfer-Encoding:chunked -d chunks " + url, "CHUNKS"},
		{"-o /dev/null -w %{http_code} http://" + address + "/nothing", "404"},
	} {
		out, err := exec.CommandContext(t.Context(), curl, append([]string{"-sS", "--noproxy", "*",
			"-m", "20"}, strings.Fields(c.args)...)...).CombinedOutput()
		if err != nil || string(out) != c.want {
			t.Errorf("curl %s: %v, %q, want %q", c.args, err, out, c.want)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", clientOfHTTP, port).CombinedOutput()
	if want := "200 ONE 200 TWO"; err != nil ||
		strings.Join(strings.Fields(string(out)), " ") != want {
		t.Errorf("http.client: %v, %q", err, out)
	}
}
