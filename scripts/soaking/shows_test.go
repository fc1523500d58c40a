//go:build linux

package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minissh/scripts/testhost"
	"minissh/scripts/wire"
)

var big = flag.Bool("big", false, "copy 1 GiB over cuts, not 256 MiB")

func TestMain(m *testing.M) { testhost.Main(m) }

// through is a place with a daemon, called box, and a relay to it, called cut.
func through(t *testing.T, fate func(n int) wire.Fate) (*testhost.Place, *wire.Relay) {
	t.Helper()
	p := testhost.New(t)
	d := p.Daemon()
	r, err := wire.Listen("127.0.0.1:"+d.Port, fate)
	p.Must(err)
	t.Cleanup(r.Close)
	p.Knows("cut", r.Port())
	return p, r
}

// watched calls see with how many bytes have been written in all.
type watched struct {
	text bytes.Buffer
	see  func(all int)
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.text.Write(p)
	w.see(w.text.Len())
	return n, err
}

// runs runs a prepared process and wants it to end with 0.
func runs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said testhost.Text
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v\n%s", cmd.Args, err, said.String())
	}
}

// A command that counts to a thousand ends with a thousand lines and 0, though its link is cut five
// times, in each of the ways. Links are reset a second after the cut; of the last one the client
// learns by itself, except where the daemon alone sees an end: see fates.cut.
func TestThousandLines(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a minute, and -short was asked for")
	}
	p := testhost.New(t)
	d := p.Daemon()
	var all sync.WaitGroup
	relays := make([]*wire.Relay, len(wire.Ways))
	for i := range relays {
		r, err := wire.Listen("127.0.0.1:"+d.Port, nil)
		p.Must(err)
		t.Cleanup(r.Close)
		p.Knows(fmt.Sprint("cut", i), r.Port())
		relays[i] = r
	}
	for i, way := range wire.Ways {
		all.Go(func() { thousandLines(t, p, relays[i], fmt.Sprint("cut", i), way) })
	}
	all.Wait()
}

func thousandLines(t *testing.T, p *testhost.Place, r *wire.Relay, name string, way wire.Way) {
	var want bytes.Buffer
	var at []int // bytes after which a cut comes
	for i := 1; i <= 1000; i++ {
		fmt.Fprintln(&want, i)
		if i%200 == 100 {
			at = append(at, want.Len())
		}
	}
	out := &watched{}
	out.see = func(all int) {
		mute := time.Second
		if len(at) == 1 && way.Far == wire.Nothing {
			mute = 10 * time.Minute
		}
		if len(at) > 0 && all >= at[0] && r.Cut(wire.Cut{Way: way, Mute: mute}) == 1 {
			at = at[1:]
		}
	}
	cmd := p.Command("minissh", name, "echo started >>"+p.Path(name)+
		"; for i in $(seq 1000); do echo $i; case $i in *0) sleep 0.1; esac; done")
	cmd.Stdout = out
	runs(t, cmd)
	if wrong := differs(want.Bytes(), out.text.Bytes()); wrong != "" {
		t.Errorf("%s: the output %s", way.Name, wrong)
	}
	if starts := p.Read(name); len(at) > 0 || starts != started {
		t.Errorf("%s: %d cuts are left; %q", way.Name, len(at), starts)
	}
}

// cutTwice is a fate with a cut after so many bytes up and one after so many down; what follows
// passes.
func cutTwice(after int64) func(n int) wire.Fate {
	return func(n int) wire.Fate {
		switch n {
		case 0:
			return wire.Fate{Cut: &wire.Cut{Way: wire.OfKind("reset")[0]}, Up: after, Down: after}
		case 1:
			return wire.Fate{Cut: &wire.Cut{Way: wire.OfKind("silence")[0], Mute: 10 * time.Minute},
				Up: 2 * after, Down: 2 * after}
		}
		return wire.Fate{}
	}
}

func TestRsync(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "rsync")
	p, r := through(t, cutTwice(1<<20))
	sow(t, p, "from", 16<<20)
	runs(t, p.Command("rsync", "-a", "-e", "minissh -q", "from/", "cut:"+p.Path("to")+"/"))
	p.Same("from", "to")
	if n := len(r.Past()); n != 2 {
		t.Errorf("%d cuts", n)
	}
}

func TestGitPush(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "git")
	p, r := through(t, cutTwice(1<<20))
	sow(t, p, "work", 16<<20)
	git := func(args ...string) {
		t.Helper()
		cmd := p.Command("git", args...)
		cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND=minissh -q", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b")
		runs(t, cmd)
	}
	git("init", "-q", "--bare", "-b", "main", "there.git")
	git("init", "-q", "-b", "main", "work")
	git("-C", "work", "add", ".")
	git("-C", "work", "commit", "-q", "-m", "a message")
	// The probe for ssh's variant would be a connection of its own.
	git("-C", "work", "-c", "ssh.variant=ssh", "push", "-q", "cut:"+p.Path("there.git"), "main")
	if n := len(r.Past()); n != 2 {
		t.Errorf("%d cuts", n)
	}
	git("-C", "there.git", "fsck", "--full", "--strict")
	git("-C", "there.git", "fetch", "-q", p.Path("work"), "main:theirs") // a copy past the relay
	git("-C", "there.git", "diff", "--exit-code", "main", "theirs")
}

// A large tree is copied whole over twenty cuts of all ways, without --resume.
func TestBigCopy(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a minute, and -short was asked for")
	}
	size := int64(256 << 20)
	if *big {
		size = 1 << 30
	}
	var cuts atomic.Int32
	p, _ := through(t, func(n int) wire.Fate {
		if n >= 20 {
			return wire.Fate{}
		}
		cuts.Add(1)
		return wire.Fate{Cut: &wire.Cut{Way: wire.Ways[n%len(wire.Ways)], Mute: 5 * time.Second},
			Up: size / 25}
	})
	sow(t, p, "from", size)
	runs(t, p.Command("minissh", "cp", "-q", "-r", "from", "cut:"+p.Path("to")))
	p.Same("from", "to")
	if n := cuts.Load(); n != 20 {
		t.Errorf("%d cuts", n)
	}
}

// sow makes a tree of random files.
func sow(t *testing.T, p *testhost.Place, name string, size int64) {
	t.Helper()
	content := stream(1, streamTree)
	for n := range 8 {
		p.Write(fmt.Sprintf("%s/d%d/small", name, n), fmt.Sprint(n))
		f, err := os.Create(p.Path(fmt.Sprintf("%s/d%d/large", name, n)))
		p.Must(err)
		_, err = io.CopyN(f, content, size/8)
		p.Must(err)
		p.Must(f.Close())
	}
}
