//go:build unix

package daemon

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A daemon on an IPv4 address accepts only IPv4 and on an IPv6 address only IPv6, so that both may
// be given; a port alone accepts both.
func TestListenFamilies(t *testing.T) {
	free, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("not run: needs IPv6 on loopback")
	}
	port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	free.Close()
	reached := func(host string) bool {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	for _, c := range []struct {
		addresses []string
		v4, v6    bool
	}{
		{[]string{"0.0.0.0:" + port}, true, false},
		{[]string{"[::]:" + port}, false, true},
		{[]string{"0.0.0.0:" + port, "[::]:" + port}, true, true},
		{[]string{"[::]:" + port, "0.0.0.0:" + port}, true, true},
		{[]string{":" + port}, true, true},
		{[]string{"127.0.0.1:" + port, "[::1]:" + port}, true, true},
		{[]string{"[::ffff:127.0.0.1]:" + port}, true, false},
	} {
		var all []net.Listener
		for _, address := range c.addresses {
			opened, err := (&Server{}).listen(address)
			if err != nil {
				t.Fatalf("%q: %v", c.addresses, err)
			}
			all = append(all, opened...)
		}
		if v4, v6 := reached("127.0.0.1"), reached("::1"); v4 != c.v4 || v6 != c.v6 {
			t.Errorf("%q: reached by IPv4 %v, by IPv6 %v", c.addresses, v4, v6)
		}
		l := newLab(t, nil)
		l.ListenOn(all...)
		for _, at := range l.place().Reachable {
			if at.Addr().Is4() && !c.v4 || at.Addr().Is6() && !c.v6 {
				t.Errorf("%q: others are sent to %v", c.addresses, at)
			}
		}
		closeAll(all)
	}
}

// An address is shown as it will be listened on, with zones of IPv6.
func TestResolveForms(t *testing.T) {
	for text, want := range map[string]struct {
		list   []string
		beyond bool
	}{
		"[fe80::1%lo]:7": {[]string{"[fe80::1%lo]:7"}, true},
		"fe80::1%lo":     {[]string{"[fe80::1%lo]:7422"}, true},
		"[::1]":          {[]string{"[::1]:7422"}, false},
		"0.0.0.0:7":      {[]string{"0.0.0.0:7"}, true},
		":7":             {[]string{":7"}, true},
		"127.9.9.9":      {[]string{"127.9.9.9:7422"}, false},
	} {
		if list, beyond, err := Resolve(text); err != nil || !slices.Equal(list, want.list) ||
			beyond != want.beyond {
			t.Errorf("%s: %q, %v, %v", text, list, beyond, err)
		}
	}
	for text, hint := range map[string]string{
		"7422":  "--listen 127.0.0.1:7422 for this machine alone, or :7422 for every interface",
		"99999": "--listen 127.0.0.1:7422 for this machine alone, or :7422 for every interface",
	} {
		_, _, err := Resolve(text)
		if refused, ok := err.(*ListenError); !ok || refused.Hint() != hint {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An address that the machine does not have is named. One of IPv6 that ends like a port was hardly
// meant as it is.
func TestListenOnNoAddressOfOurs(t *testing.T) {
	for host, hint := range map[string]string{
		"::1:7422":    "--listen [::1]:7422, if",
		"2001:db8::1": "lists this machine's addresses",
		"192.0.2.1":   "lists this machine's addresses",
	} {
		err := listenFailed(host, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL))
		refused, ok := err.(*ListenError)
		if !ok || !strings.Contains(refused.Hint(), hint) || !strings.Contains(err.Error(), host) ||
			!noSuchFamily(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
}
