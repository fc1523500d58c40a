// Package names finds the addresses of hosts. Go's own resolver knows /etc/hosts and the DNS; the C
// library's also knows what else nsswitch.conf(5) names, like mDNS, LDAP and this machine's name.
// Our programs are static and have no C library, so for what Go does not know they ask getent(1),
// as the daemon does for accounts.
package names

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	getentTime = 5 * time.Second
	getentMost = 64 << 10 // bytes of an answer
	most       = 16       // addresses of a name
)

// nsswitch is where the C library's sources of names are listed; tests have their own.
var nsswitch = "/etc/nsswitch.conf"

// Lookup is the addresses of a host, for "tcp", "tcp4" or "tcp6". The error is the resolver's.
func Lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, strings.Replace(network, "tcp", "ip", 1),
		host)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && ctx.Err() == nil {
		if others := fromSystem(ctx, network, host); len(others) > 0 {
			return others, nil
		}
		return nil, dns
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found, err
}

// Dial is d.DialContext, which also knows the names of nsswitch.conf(5).
func Dial(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	conn, err := d.DialContext(ctx, network, address)
	if _, unknown := errors.AsType[*net.DNSError](err); !unknown || ctx.Err() != nil {
		return conn, err
	}
	host, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, err
	}
	found := fromSystem(ctx, network, host)
	if len(found) == 0 {
		return nil, err
	}
	for i, addr := range found {
		conn, err = dialShare(ctx, d, network, net.JoinHostPort(addr.String(), port),
			len(found)-i)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return conn, err
}

// dialShare dials with an equal share of the time that is left for so many addresses.
func dialShare(ctx context.Context, d *net.Dialer, network, address string, addresses int) (
	net.Conn, error) {
	if end, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(addresses))
		defer cancel()
	}
	return d.DialContext(ctx, network, address)
}

// fromSystem asks getent(1), with the name as an argument and a limit on time and answer. It does
// not, if the sources are those that Go has asked.
func fromSystem(ctx context.Context, network, host string) []netip.Addr {
	if host == "" || strings.HasPrefix(host, "-") || strings.IndexByte(host, 0) >= 0 ||
		!otherSources() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, getentTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "getent", "ahosts", host)
	cmd.Env, cmd.WaitDelay = append(os.Environ(), "LC_ALL=C"), time.Second
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	answer, err := io.ReadAll(io.LimitReader(out, getentMost))
	if err != nil || len(answer) == getentMost {
		cancel()
	}
	if cmd.Wait() != nil {
		return nil
	}
	return addresses(answer, network)
}

// addresses reads getent's answer: an address, a kind of socket and perhaps a name in each line.
func addresses(answer []byte, network string) (found []netip.Addr) {
	lines := bufio.NewScanner(bytes.NewReader(answer))
	for lines.Scan() && len(found) < most {
		text, _, _ := strings.Cut(lines.Text(), " ")
		addr, err := netip.ParseAddr(text)
		addr = addr.Unmap()
		if err != nil || network == "tcp4" && !addr.Is4() || network == "tcp6" && !addr.Is6() ||
			slices.Contains(found, addr) {
			continue
		}
		found = append(found, addr)
	}
	return found
}

// otherSources says whether nsswitch.conf(5) names sources of hosts besides files and the DNS.
func otherSources() bool {
	text, err := os.ReadFile(nsswitch)
	if err != nil {
		return false // musl knows files and the DNS only; glibc's default is these too
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		name, sources, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "hosts" {
			continue
		}
		for _, source := range strings.Fields(sources) {
			if source != "files" && source != "dns" && !strings.HasPrefix(source, "[") {
				return true
			}
		}
	}
	return false
}

// Alias is what a name is an alias of in the DNS; "": of nothing, or nobody knows.
func Alias(ctx context.Context, host string) string {
	alias, err := net.DefaultResolver.LookupCNAME(ctx, host)
	if err != nil || strings.EqualFold(alias, cmp.Or(strings.TrimSuffix(host, "."), host)+".") {
		return ""
	}
	return strings.TrimSuffix(alias, ".")
}
