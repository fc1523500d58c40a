package service

import (
	"testing"

	"minissh/daemon/access"
	"minissh/protocol"
)

// What a channel does, as `minisshd who` shows it.
func TestWords(t *testing.T) {
	free, forced := &access.Grant{}, &access.Grant{Forced: true, Command: "own"}
	for _, c := range []struct {
		open  protocol.Open
		grant *access.Grant
		want  string
	}{
		{protocol.Open{Service: "exec", Command: protocol.Bytes("ls")}, free, "ls"},
		{protocol.Open{Service: "exec", Command: protocol.Bytes("ls")}, forced, "own"},
		{protocol.Open{Service: "exec", Shell: true}, free, ""},
		{protocol.Open{Service: "subsystem", Name: "sftp"}, free, "sftp"},
		{protocol.Open{Service: "subsystem", Name: "sftp"}, forced, "own"},
		{protocol.Open{Service: "lines", Command: protocol.Bytes("cd")}, free, "cd"},
		{protocol.Open{Service: "files"}, free, ""},
	} {
		if got := Words(&c.open, c.grant); got != c.want {
			t.Errorf("%s: %q, not %q", c.open.Service, got, c.want)
		}
	}
}
