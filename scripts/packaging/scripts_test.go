//go:build linux

package packaging_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// besides runs a line of sh beside a real daemon, whose pid is in $daemon, on a machine whose /run
// and /var/log are empty, and /etc nearly so. Arguments: the daemon's program, its host key, the
// line, and a directory for what /etc has.
const besides = `set -e
mount --make-rprivate /
cp /etc/passwd /etc/group /etc/nsswitch.conf "$4"
for top in /etc /run /var/log; do mount -t tmpfs none $top; done
cp "$4"/* /etc
mkdir -m 711 /run/minissh
mkfifo /run/says
"$1" --config none --control /run/minissh/control --listen 127.0.0.1:0 --host-key "$2" \
	>/run/says 2>/dev/null &
daemon=$!
trap 'kill -CONT $daemon; kill $daemon; true' EXIT 2>/dev/null
read -r line </run/says
eval "$3"
`

// A package's scripts end, and say what is so, whatever a daemon does that runs, or ran once.
func TestScripts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	p := testhost.New(t)
	testhost.Need(t, "unshare")
	text, err := os.ReadFile("postinst")
	p.Must(err)
	if !strings.Contains(string(text), "timeout 60 ") {
		t.Fatal("an upgrade may last for ever")
	}
	hurried := strings.NewReplacer("timeout 60 ", "timeout 1 ", "timeout 10 ", "timeout 1 ")
	postinst := p.Write("postinst", hurried.Replace(string(text)))
	postrm, err := filepath.Abs("postrm")
	p.Must(err)
	run := func(line string) testhost.Ran {
		dir, err := os.MkdirTemp(p.Dir, "few")
		p.Must(err)
		return p.Run("unshare", "--mount", "--net", "sh", "-c", besides, "sh",
			filepath.Join(testhost.Bin, "minisshd"), p.Path("host_key"), line, dir)
	}
	const none = "minisshd: no daemon answers, so none was replaced\n"
	for line, want := range map[string]string{
		"kill -STOP $daemon": none,
		"kill -KILL $daemon; wait $daemon || test -S /run/minissh/control": none,
		"true": "minisshd: the old daemon serves on\n", // it has no supervisor
	} {
		r := run(line + "; sh " + postinst + " configure 1; echo ended")
		if r.Out != "ended\n" || !strings.Contains(r.Err, want) {
			t.Errorf("%s: %+v", line, r)
		}
	}
	// what a daemon that was replaced waits at; its sessions go on without it
	testhost.Need(t, "python3")
	const old = `mkdir -p /run/minissh/control.daemons; mkfifo /run/bound; python3 -c '
import signal, socket
s = socket.socket(socket.AF_UNIX)
s.bind("/run/minissh/control.daemons/0123.desk")
s.listen()
print("bound", flush=True)
signal.pause()' >/run/bound & trap "kill $!" EXIT; read -r line </run/bound`
	for line, want := range map[string]string{"true": "control", "kill -KILL $daemon; wait": "",
		"mkdir -p /run/systemd/system":       "control", // it is not systemd's
		"kill $daemon; wait $daemon; " + old: "",
		"kill $daemon; wait":                 ""} {
		r := run("mkdir /etc/minisshd; " + line + " || :; sh " + postrm +
			" purge; ls /etc/minisshd /run/minissh 2>/dev/null || :")
		if !strings.Contains(r.Out, want) || want == "" && r.Out != "" {
			t.Errorf("a purge after %s: %+v", line, r)
		}
	}
}
