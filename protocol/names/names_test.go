package names

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// sources has the system's names come from somewhere.
func sources(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nsswitch.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := nsswitch
	t.Cleanup(func() { nsswitch = before })
	nsswitch = file
}

// getent puts a program of that name first in the path.
func getent(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no getent on Windows")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "getent"), []byte("#!/bin/sh\n"+script),
		0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// A name of the domain .invalid is nobody's (RFC 2606).
const nobody = "printer.invalid"

func TestAnswers(t *testing.T) {
	for network, want := range map[string]string{
		"tcp": "[192.0.2.7 fe80::1%eth0 2001:db8::7]", "tcp4": "[192.0.2.7]",
		"tcp6": "[fe80::1%eth0 2001:db8::7]"} {
		if got := fmt.Sprint(addresses([]byte("192.0.2.7       STREAM printer.local\n"+
			"192.0.2.7       DGRAM  \n::ffff:192.0.2.7 RAW\nfe80::1%eth0 STREAM\n\n"+
			"nonsense\n2001:db8::7     STREAM \n"), network)); got != want {
			t.Errorf("%s: %s, want %s", network, got, want)
		}
	}
}

func TestSources(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "hosts: files dns": false, "passwd: ldap\nhosts:files dns # mdns": false,
		"hosts: files [NOTFOUND=return] dns": false, "hosts: files mymachines dns": true,
		" hosts : files mdns4_minimal [NOTFOUND=return] dns": true,
	} {
		sources(t, text)
		if otherSources() != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// What Go does not know is asked of the system, with the name as one argument.
func TestSystemsNames(t *testing.T) {
	sources(t, "hosts: files mdns dns")
	getent(t, `[ "$#-$1-$2" = '2-ahosts-`+nobody+`' ] || exit 2
echo '127.0.0.1 STREAM x'; echo '::1 STREAM'`)
	found, err := Lookup(t.Context(), "tcp", nobody)
	if want := fmt.Sprint([]string{"127.0.0.1", "::1"}); err != nil || fmt.Sprint(found) != want {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := Lookup(t.Context(), "tcp", "other.invalid"); err == nil {
		t.Error("another name is known")
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	conn, err := Dial(t.Context(), new(net.Dialer), "tcp4", net.JoinHostPort(nobody, port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	sources(t, "hosts: files dns")
	if _, err := Dial(t.Context(), new(net.Dialer), "tcp4",
		net.JoinHostPort(nobody, port)); err == nil {
		t.Error("getent is asked though it knows no more than Go")
	}
}

// A getent that hangs, or says too much, is given up.
func TestGetentIsBounded(t *testing.T) {
	sources(t, "hosts: mdns")
	getent(t, "while :; do echo 192.0.2.7 STREAM; done")
	if found := fromSystem(t.Context(), "tcp", nobody); found != nil {
		t.Errorf("an endless answer is believed: %v", found)
	}
	getent(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if found := fromSystem(ctx, "tcp", nobody); found != nil || ctx.Err() == nil {
		t.Errorf("%v, %v", found, ctx.Err())
	}
}

// The real getent knows forms of addresses that Go does not.
func TestRealGetent(t *testing.T) {
	if _, err := exec.LookPath("getent"); err != nil {
		t.Skip("not run: needs getent")
	}
	sources(t, "hosts: files myhostname")
	found, err := Lookup(t.Context(), "tcp", "127.1")
	if err != nil || len(found) != 1 || found[0] != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%v, %v", found, err)
	}
}
