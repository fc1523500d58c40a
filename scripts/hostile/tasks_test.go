//go:build linux

package hostile_test

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// A daemon of an account that has used its processes up (ulimit -u) cannot start a command, and
// says why; it goes on with those that run, and starts others when there is room again.
func TestDaemonAtItsProcessLimit(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	prlimit := testhost.Need(t, "prlimit")
	const uid = 65529
	p := testhost.New(t)
	p.Must(os.Chmod(testhost.Bin, 0o755))
	p.Must(os.Chmod(filepath.Dir(p.Dir), 0o755))
	p.Must(filepath.WalkDir(p.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	}))
	cmd := p.Command(prlimit, "--nproc=80:80", filepath.Join(testhost.Bin, "minisshd"), "--control",
		"none", "--listen", "127.0.0.1:0",
		"--host-key", p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	d := p.Start(cmd)
	d.Out.Await(t, "\n")
	_, port, _ := strings.Cut(d.Out.String(), "127.0.0.1:")
	port, _, _ = strings.Cut(port, " ")
	p.Knows("box", port)

	filler := p.Command("minissh", "-l", "65529", "box",
		"trap : TERM; (while :; do sleep 300 >/dev/null & done) 2>/dev/null; sleep 300 "+
			">/dev/null & echo full; read x; echo $x; read x; kill 0")
	in, err := filler.StdinPipe()
	p.Must(err)
	out, err := filler.StdoutPipe()
	p.Must(err)
	p.Must(filler.Start())
	words := bufio.NewReader(out)
	if line, err := words.ReadString('\n'); line != "full\n" {
		t.Fatalf("%q, %v\n%s", line, err, d.Log)
	}
	var all sync.WaitGroup
	for range 20 { // at once, so that the daemon wants threads
		all.Go(func() {
			if r := p.Run("minissh", "-l", "65529", "box", "true"); r.Code != 255 ||
				!strings.Contains(r.Err, "as many processes as it may") {
				t.Errorf("%d, %q", r.Code, r.Err)
			}
		})
	}
	all.Wait()
	in.Write([]byte("still here\n"))
	if line, err := words.ReadString('\n'); line != "still here\n" {
		t.Fatalf("%q, %v\n%s", line, err, d.Log)
	}
	in.Close()
	filler.Wait()
	if r := p.Run("minissh", "-l", "65529", "box", "echo room"); r.Out != "room\n" {
		t.Errorf("%d, %q\n%s", r.Code, r.Err, d.Log)
	}
}
