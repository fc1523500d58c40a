//go:build linux

package copying_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/scripts/testhost"
)

// size of the one large file; around it are small ones.
const size = 2<<20 + 4321

// again is the most bytes that a cut costs beyond what it kept from arriving: a record, a frame and
// its TLS records that were not whole, and a second login.
const again = 256<<10 + 64<<10 + 32<<10

// undelivered is what a reset drops at most: what the relay has sent and its system has not
// delivered. What the receiver's system holds already, Linux gives to the program also after a
// reset.
const undelivered = 2 * sendBuffer

func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// scene is a place with a daemon, a relay before it that is called "cut", and a tree to copy.
func scene(t *testing.T) (*testhost.Place, *testhost.Daemon, *relay) {
	t.Helper()
	p := testhost.New(t)
	d := p.Daemon()
	r := newRelay(t, "127.0.0.1:"+d.Port)
	knowsCut(p, "cut", r)
	p.Write("src/large", string(noise(size, 1)))
	for i := range 12 {
		p.Write(fmt.Sprintf("src/%d/small", i), string(noise(i*9000, byte(i))))
	}
	p.Write("src/last", "last")
	return p, d, r
}

// knowsCut makes a relay known by a name. A copy through it ends with its link: what is tried here
// is to begin it again.
func knowsCut(p *testhost.Place, name string, r *relay) {
	p.Knows(name, r.port())
	const config = "home/.config/minissh/config"
	p.Write(config, p.Read(config)+"\tResumeFor 0\n")
}

// earlier puts a target in place that a copy replaces part of.
func earlier(p *testhost.Place, dir string) {
	p.Must(os.RemoveAll(p.Path(dir)))
	p.Write(dir+"/src/large", "the old large file")
	p.Write(dir+"/src/last", "the old last file")
	p.Write(dir+"/other", "not touched")
}

// intact says whether what was there is as it was, or as it is to be.
func intact(t *testing.T, p *testhost.Place, dir string) {
	t.Helper()
	if got := p.Read(dir + "/src/large"); got != "the old large file" &&
		got != string(noise(size, 1)) {
		t.Fatalf("the large file is neither the old one nor the new one: %d bytes", len(got))
	}
	if got := p.Read(dir + "/src/last"); got != "the old last file" && got != "last" {
		t.Fatalf("the last file: %q", got)
	}
	if got := p.Read(dir + "/other"); got != "not touched" {
		t.Fatalf("another file: %q", got)
	}
}

// equal compares the trees byte by byte, and finds what is left over.
func equal(t *testing.T, p *testhost.Place, a, b string) {
	t.Helper()
	seen := 0
	p.Must(filepath.WalkDir(p.Path(b), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		want, err := os.ReadFile(p.Path(a) + strings.TrimPrefix(name, p.Path(b)))
		if err != nil {
			t.Errorf("left over: %s", name)
			return nil
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs: %v", name, err)
		}
		return nil
	}))
	if seen != 14 {
		t.Errorf("%d files", seen)
	}
}

// rest waits until the daemon has done with all connections that came through the relay.
func rest(t *testing.T, d *testhost.Daemon, connections int64) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	bound := time.After(testhost.Patience)
	for {
		log := d.Log.String()
		ended := strings.Count(log, `"Transfer ended`) + strings.Count(log, `"Transfer broken off`)
		closed := strings.Count(log, `"Disconnected`) + strings.Count(log, "[preauth]")
		if ended == strings.Count(log, `"Starting transfer`) && int64(closed) >= connections {
			return
		}
		select {
		case <-tick.C:
		case <-bound:
			t.Fatalf("the daemon does not come to rest: %d of %d connections closed\n%s", closed,
				connections, log)
		}
	}
}

// The link is cut at 200 places, evenly over all bytes of a copy in either direction. What was
// there is as it was, or whole and new; --resume finishes, with the right bytes, leaves nothing
// over, and sends no more again than stated (FI10).
func TestCuts(t *testing.T) {
	cuts := int64(100)
	if testing.Short() {
		cuts = 10
	}
	for _, put := range []bool{true, false} {
		name := map[bool]string{true: "put", false: "get"}[put]
		t.Run(name, func(t *testing.T) {
			place, d, r := scene(t)
			dir := func(options ...string) []string {
				words := append([]string{"cp", "-r"}, options...)
				if put {
					return append(words, place.Path("src"), "cut:"+place.Path("dst"))
				}
				return append(words, "cut:"+place.Path("src"), place.Path("dst"))
			}
			gone := func() int64 { return r.up.Load() + r.down.Load() }
			earlier(place, "dst")
			if ran := place.Run("minissh", dir()...); ran.Code != 0 {
				t.Fatalf("%+v", ran)
			}
			equal(t, place, "src", "dst/src")
			whole, up, down := gone(), r.up.Load(), r.down.Load()
			worst, kept := map[bool]int64{}, 0
			for i := range cuts {
				reset := i%2 == 1
				earlier(place, "dst")
				at := 1 + i*(up-1)/cuts
				if put {
					r.set(at, 0, reset, nil)
				} else {
					at = 1 + i*(down-1)/cuts
					r.set(0, at, reset, nil)
				}
				ran := place.Run("minissh", dir()...)
				if ran.Code != 255 {
					t.Fatalf("cut after %d bytes: %+v", at, ran)
				}
				rest(t, d, r.conns.Load())
				intact(t, place, "dst")
				if left, _ := filepath.Glob(place.Path("dst/src/.minissh-*.part")); len(left) > 0 {
					kept++
				}
				first := gone()
				r.set(0, 0, false, nil)
				if ran = place.Run("minissh", dir("--resume")...); ran.Code != 0 {
					t.Fatalf("resumed after %d bytes: %+v\n%s", at, ran, d.Log)
				}
				rest(t, d, r.conns.Load())
				equal(t, place, "src", "dst/src")
				worst[reset] = max(worst[reset], first+gone()-whole)
				if t.Failed() {
					t.Fatalf("cut after %d bytes of %d", at, whole)
				}
			}
			t.Logf("%d cuts, %d of them left a partial file; of %d bytes went again at most %d, "+
				"after a reset %d", cuts, kept, whole, worst[false], worst[true])
			if worst[false] > again || worst[true] > again+undelivered {
				t.Errorf("%d bytes went again, after a reset %d; stated are %d and %d",
					worst[false], worst[true], again, again+undelivered)
			}
			if kept < int(cuts)/2 {
				t.Errorf("only %d of %d cuts left something to go on with", kept, cuts)
			}
		})
	}
}

// The client or the daemon is killed in the middle; the next run finishes.
func TestKilled(t *testing.T) {
	for _, who := range []string{"client", "daemon"} {
		t.Run(who, func(t *testing.T) {
			p, d, r := scene(t)
			earlier(p, "dst")
			cmd := p.Command("minissh", "cp", "-r", p.Path("src"), "cut:"+p.Path("dst"))
			started := make(chan struct{})
			r.set(size/2, 0, false, func() {
				<-started
				if who == "client" {
					cmd.Process.Signal(syscall.SIGKILL)
				} else {
					d.Cmd.Process.Signal(syscall.SIGKILL)
				}
			})
			copying := p.Start(cmd)
			close(started)
			<-copying.Done
			if cmd.ProcessState.ExitCode() == 0 {
				t.Fatal("it ended as if all was well")
			}
			if who == "client" {
				rest(t, d, r.conns.Load())
			} else {
				<-d.Done
				second := p.Start(p.Command("minisshd", "--listen", "127.0.0.1:"+d.Port,
					"--host-key", p.Path("host_key"), "--authorized-keys",
					p.Path("authorized_keys")))
				second.Out.Await(t, "\n")
			}
			intact(t, p, "dst")
			r.set(0, 0, false, nil)
			if ran := p.Run("minissh", "cp", "--resume", "-r", p.Path("src"),
				"cut:"+p.Path("dst")); ran.Code != 0 {
				t.Fatalf("%+v", ran)
			}
			equal(t, p, "src", "dst/src")
		})
	}
}

// A disk that is full: what was there is there, the rest goes on, and the next run, with room,
// finishes.
func TestFullDisk(t *testing.T) {
	p, _, _ := scene(t)
	disk := p.Path("disk")
	p.Must(os.Mkdir(disk, 0o755))
	mount := testhost.Need(t, "mount")
	if os.Getuid() != 0 || p.Run(mount, "-t", "tmpfs", "-o", "size=1m", "none", disk).Code != 0 {
		t.Skip("not run: needs root and the right to mount")
	}
	t.Cleanup(func() { p.Run("umount", disk) })
	p.Write("disk/src/large", "the old large file")
	ran := p.Run("minissh", "cp", "-r", p.Path("src"), "box:"+disk)
	if ran.Code != 1 || !strings.Contains(ran.Err, `"src/large": no space left on device`) {
		t.Errorf("%+v", ran)
	}
	if got := p.Read("disk/src/large"); got != "the old large file" {
		t.Errorf("%q", got)
	}
	if left, _ := filepath.Glob(disk + "/src/.minissh-*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if got := p.Read("disk/src/last"); got != "last" {
		t.Errorf("the rest did not go on: %q", got)
	}
	if p.Run(mount, "-o", "remount,size=16m", disk).Code != 0 {
		t.Skip("not run: needs the right to mount")
	}
	if ran := p.Run("minissh", "cp", "-r", "--resume", p.Path("src"), "box:"+disk); ran.Code != 0 {
		t.Errorf("%+v", ran)
	}
	equal(t, p, "src", "disk/src")
}
