package report

import (
	"testing"

	"minissh/client/options"
	"minissh/protocol"
)

// What the user is told to type reaches the same account at the same port.
func TestTarget(t *testing.T) {
	for want, o := range map[string]options.Options{
		"alice@host": {User: "alice", Alias: "host", HostName: "192.0.2.1",
			Port: protocol.DefaultPort},
		"-p 7500 alice@host": {User: "alice", Alias: "host", Port: 7500},
		"unix:/run/minissh": {User: "alice", Alias: "unix:/run/minissh", Socket: "/run/minissh",
			Port: 7500},
	} {
		if got := Target(&o); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
