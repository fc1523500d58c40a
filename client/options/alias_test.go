package options

import "testing"

// HostKeyAlias names the host in known_hosts: by itself without a port, or as it is written there
// (ssh takes any text literally).
func TestHostKeyAliasWithPort(t *testing.T) {
	for alias, want := range map[string]struct {
		host string
		port int
	}{
		"": {"box", 7422}, "lab": {"lab", 22}, "[lab]:7422": {"lab", 7422},
		"[2001:db8::1]:7500": {"2001:db8::1", 7500}, "lab:7422": {"lab:7422", 22},
		"[lab]": {"[lab]", 22}, "[lab]:x": {"[lab]:x", 22}, "[lab]:70000": {"[lab]:70000", 22},
	} {
		o := &Options{HostName: "box", Port: 7422, HostKeyAlias: alias}
		if host, port := o.KnownHostsName(); host != want.host || port != want.port {
			t.Errorf("%q: %q %d", alias, host, port)
		}
	}
}
