//go:build linux

package service_test

import (
	"testing"

	"minissh/scripts/testhost"
)

func TestBootedTry(t *testing.T) {
	p := testhost.New(t)
	b := boot(t, p, "--host-key "+p.Path("host_key")+" --authorized-keys "+p.Path("authorized_keys"))
	p.Knows("box", "7422")
	b.must("systemctl", "start", "minisshd.socket")
	t.Log(b.run("minissh", "box", "echo served; cat /proc/self/cgroup; id"))
	t.Log(b.run("systemctl", "status", "minisshd.service"))
	t.Log(b.journal())
	t.Log(b.run("systemctl", "list-units", "--all", "--no-pager").Out)
	t.Log(b.shell("systemd-cgls --no-pager; ps ax"))
}
