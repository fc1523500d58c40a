//go:build linux

package lan_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// recipe is the one in cmd/minisshd/README.md: its first block is for the administrator's machine,
// its second one for each of the new ones.
func recipe(t *testing.T) (admin, each string) {
	t.Helper()
	text, err := os.ReadFile("../../cmd/minisshd/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- thirty: begin -->")
	rest, _, found := strings.Cut(rest, "<!-- thirty: end -->")
	blocks := regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(rest, -1)
	if !found || len(blocks) < 2 {
		t.Fatalf("the recipe is not found: %q", blocks)
	}
	return blocks[0], blocks[1]
}

var aCode = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]`)

// The recipe for many new machines, with its own commands: in one sitting the administrator's
// machine and the new ones know each other, and nobody was asked to believe a fingerprint.
func TestThirtyMachines(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	testhost.Need(t, "ssh-keygen")
	onAdmin, onEach := recipe(t)
	admin := n.machines[0]
	if r := n.RunCmd(admin.AsRoot("mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -f " +
		".ssh/id_ed25519")); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	// of root's daemon, which would change what is root's on this machine, only what it must
	pair := n.Start(admin.AsRoot(strings.Replace(onAdmin, "minisshd pair", "exec minisshd pair "+
		"--cgroup none --control "+n.Path("control")+" --pair-by-users no", 1)))
	pair.Out.Await(t, "Host key here")
	codes := aCode.FindAllString(pair.Out.String(), -1)
	if len(codes) != 30 {
		t.Fatalf("%d codes: %s%s", len(codes), pair.Out, pair.Log)
	}
	for i, m := range n.machines[1:] {
		testend.Until(t, "the administrator's machine is found, with the key that it shows",
			func() bool {
				rows := m.hosts()
				return len(rows) > 0 && rows[0].Name == "web1" && rows[0].Addresses[0] ==
					"192.0.2.1" && strings.Contains(pair.Out.String(), rows[0].Fingerprint)
			})
		script := strings.NewReplacer("alice@", "root@", "minissh pair ", "echo "+codes[i]+
			" | minissh pair ", "minisshd ", "exec minisshd --cgroup none --control none ").
			Replace("set -e\n" + onEach)
		d := n.Start(m.AsRoot(script))
		testend.Until(t, "the new machine serves: "+d.Log.String(), func() bool {
			return strings.Contains(d.Out.String(), "listening on")
		})
	}
	var out testhost.Ran
	testend.Until(t, "the administrator's machine knows both", func() bool {
		out = n.RunCmd(admin.AsRoot("minissh hosts --ansible"))
		return strings.Contains(out.Out, "\nweb2 ansible_host=192.0.2.2 ") &&
			strings.Contains(out.Out, "\nweb3 ansible_host=192.0.2.3 ")
	})
	for _, m := range n.machines[1:] {
		r := n.RunCmd(admin.AsRoot("minissh -o BatchMode=yes -o HostKeyAlias=[" + m.Name +
			"]:7422 " + m.Address + " hostname"))
		if r.Out != m.Name+"\n" {
			t.Errorf("%+v", r)
		}
		// the other way, there is nothing but that one command
		r = n.RunCmd(m.AsRoot("minissh root@192.0.2.1 id </dev/null"))
		if !strings.HasPrefix(r.Out, "ssh-ed25519 ") {
			t.Errorf("%+v", r)
		}
	}
}
