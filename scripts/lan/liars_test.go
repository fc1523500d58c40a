//go:build linux

package lan_test

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"minissh/protocol/mdns"
	"minissh/protocol/testend"
)

// onMachine opens sockets in the machine's network, where they stay.
func (m *machine) onMachine(open func()) {
	m.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		file, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.Keeper.Process.Pid))
		if err == nil {
			defer file.Close()
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			open()
		}
		done <- err
	}()
	m.Must(<-done)
}

// lie has the machine answer each question about daemons with packets of its own.
func (m *machine) lie(packets func(id uint16) [][]byte) {
	m.t.Helper()
	var socket *mdns.Socket
	m.onMachine(func() {
		interfaces, err := mdns.Interfaces()
		if err == nil {
			socket, err = mdns.Open(true, true, interfaces)
		}
		if err != nil {
			m.t.Error(err)
		}
	})
	if socket == nil {
		m.t.FailNow()
	}
	ended := make(chan struct{})
	m.t.Cleanup(func() { socket.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			p, err := socket.Receive()
			if err != nil {
				return
			}
			var q dnsmessage.Parser
			head, err := q.Start(p.Bytes)
			if err != nil || head.Response {
				continue
			}
			for _, bytes := range packets(head.ID) {
				socket.Unicast(p.From, bytes)
				if p.From.Port() == mdns.Port {
					socket.Multicast(p.On, bytes)
				}
			}
		}
	}()
}

// claim is a daemon that a liar makes up, in a packet.
func claim(id uint16, label string, text []string, address string) []byte {
	name := func(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }
	head := func(s string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name(s), Class: dnsmessage.ClassINET, TTL: 120}
	}
	instance := label + "." + mdns.Type
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, Response: true, Authoritative: true})
	b.EnableCompression()
	b.StartAnswers()
	b.PTRResource(head(mdns.Type), dnsmessage.PTRResource{PTR: name(instance)})
	b.SRVResource(head(instance), dnsmessage.SRVResource{Port: 7422, Target: name("liar.local.")})
	b.TXTResource(head(instance), dnsmessage.TXTResource{TXT: text})
	b.AResource(head("liar.local."), dnsmessage.AResource{A: netip.MustParseAddr(address).As4()})
	bytes, err := b.Finish()
	if err != nil {
		panic(err)
	}
	return bytes
}

var stranger = []string{"hostkey=SHA256:" + strings.Repeat("B", 42) + "A"}

// A liar has another machine's name with a key of its own, names that would command a terminal or
// an inventory, texts without end, and answers by the thousand. The honest machine is found and
// judged as ever, the lie about it is shouted, and nothing reaches a terminal as it is.
func TestLiar(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	client, honest, liar := n.machines[0], n.machines[1], n.machines[2]
	n.Write("home/.ssh/known_hosts", "[web2]:7422 "+honest.key()+"\n")
	honest.daemon()
	client.sees("web2")
	huge := slices.Repeat([]string{strings.Repeat("\x1b[2J", 60)}, 30)
	flood := true
	liar.lie(func(id uint16) (packets [][]byte) {
		packets = append(packets, claim(id, "web2", stranger, liar.Address),
			claim(id, "\x1b[31mred\x07", stranger, liar.Address),
			claim(id, "a,b\nweb9 ansible_connection=local", stranger, liar.Address),
			claim(id, "huge", huge, liar.Address),
			claim(id, "short", []string{"hostkey=SHA256:\x1b[31m"}, liar.Address))
		for i := range 10_000 {
			if !flood {
				break
			}
			packets = append(packets, claim(id, fmt.Sprint("flood", i), stranger, liar.Address))
		}
		flood = false
		return packets
	})
	testend.Until(t, "the liar and the honest one are found", func() bool {
		lied, told := false, false
		for _, r := range client.hosts() {
			lied = lied || r.String() == "web2 7422 192.0.2.3 different web2"
			// as web2, or as web2-2 when it hears the lie
			told = told || strings.HasSuffix(r.String(), " 7422 192.0.2.2 known web2")
		}
		return lied && told
	})
	rows := client.hosts()
	if len(rows) > 40 {
		t.Errorf("%d rows", len(rows))
	}
	table := n.RunCmd(client.Do("minissh", "hosts"))
	for _, text := range []string{table.Out, table.Err} {
		if strings.ContainsAny(text, "\x1b\x07") {
			t.Errorf("raw bytes of a stranger: %q", text)
		}
	}
	for _, want := range []string{`"\x1b[31mred\a"`, `"a,b\nweb9 ansible_connection=local"`} {
		if !strings.Contains(table.Out, want) {
			t.Errorf("%s is not in %s", want, table.Out)
		}
	}
	if !strings.Contains(table.Err, "WARNING: web2 at 192.0.2.3 announces ANOTHER HOST KEY") ||
		strings.Contains(table.Err, "web2 at 192.0.2.2") {
		t.Errorf("%s", table.Err)
	}
	inventory := n.RunCmd(client.Do("minissh", "hosts", "--ansible"))
	for line := range strings.Lines(inventory.Out) {
		if !strings.HasPrefix(line, "#") && line != "[minissh]\n" &&
			!strings.HasPrefix(line, "web2 ansible_host=192.0.2.2 ") {
			t.Errorf("the inventory has %q", line)
		}
	}
	on := n.RunCmd(client.Do("minissh", "on", "@lan", "hostname"))
	if on.Out != "web2: web2\n" || strings.ContainsAny(on.Err, "\x1b\x07") {
		t.Errorf("@lan: %+v", on)
	}
	// the honest daemon has kept its name, whatever was claimed
	if r := n.RunCmd(client.Do("minissh", "-o", "HostKeyAlias=[web2]:7422", "192.0.2.2",
		"hostname")); r.Out != "web2\n" {
		t.Errorf("%+v", r)
	}
}
