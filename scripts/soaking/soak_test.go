//go:build linux

package main

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"minissh/scripts/testhost"
	"minissh/scripts/wire"
)

// TestSoak is the short form: a few cuts of a fixed seed.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a minute, and -short was asked for")
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "soaking"), "--bin",
		testhost.Bin, "--cuts", "20", "--seed", "20", "--minutes", "3", "--jobs",
		"8").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// A stream that is whole is found so in whatever pieces it comes; one that is not, never.
func TestChecker(t *testing.T) {
	const seed, size = 7, 10000
	all := make([]byte, size)
	stream(seed, streamOut).Read(all)
	for name, c := range map[string]struct {
		came []byte
		want string
	}{
		"whole":         {all, ""},
		"short":         {all[:size-1], "has 9999 bytes of 10000"},
		"empty":         {nil, "has 0 bytes of 10000"},
		"one more":      {append(bytes.Clone(all), 0), "differs at byte 10000"},
		"a part twice":  {append(bytes.Clone(all[:5000]), all[4000:]...), "belongs at 4000"},
		"a part less":   {append(bytes.Clone(all[:5000]), all[6000:]...), "belongs at 6000"},
		"another byte":  {slices.Concat(all[:5000], []byte{all[5000] + 1}, all[5001:]), "5000"},
		"another start": {append([]byte{all[0] + 1}, all[1:]...), "differs at byte 0"},
	} {
		for _, piece := range []int{1, 999, size + 1} {
			k := newChecker(seed, streamOut, size)
			for at := 0; at < len(c.came); at += piece {
				k.Write(c.came[at:min(at+piece, len(c.came))])
			}
			got := k.whole(seed, streamOut)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%s, by %d: %q instead of %q", name, piece, got, c.want)
			}
			if whole := differs(all, c.came); (whole == "") != (c.want == "") {
				t.Errorf("%s: %q", name, whole)
			}
		}
	}
}

// A stream's pace changes when it comes, and nothing else.
func TestPaced(t *testing.T) {
	for _, size := range []int64{0, 1, 49, 1 << 20} {
		k := newChecker(3, streamIn, size)
		var all bytes.Buffer
		if _, err := all.ReadFrom(newPaced(3, streamIn, size, time.Millisecond)); err != nil {
			t.Error(err)
		}
		k.Write(all.Bytes())
		if wrong := k.whole(3, streamIn); wrong != "" {
			t.Errorf("%d bytes: %s", size, wrong)
		}
	}
}

// The seed decides how links fare; so many are cut as there are cuts, and each way comes.
func TestFates(t *testing.T) {
	all := func(seed uint64) (ways map[string]int, told []string) {
		ways = map[string]int{}
		b := newBudget(500)
		for n := uint64(0); b.left > 0; n++ {
			f := newFates(rand.New(rand.NewPCG(seed, n)), b, 3)
			f.past = func() []wire.Past { return make([]wire.Past, 3) } // all long ago
			for n := range 3 {
				fate := f.next(n)
				if fate.Cut != nil {
					ways[fate.Cut.Way.Name]++
					told = append(told, fate.Cut.Way.Name, fate.Cut.Mute.String(),
						fate.After.String())
				}
			}
		}
		return ways, told
	}
	ways, one := all(1)
	sum := 0
	for _, n := range ways {
		sum += n
	}
	if sum != 500 || len(ways) != 11 {
		t.Errorf("%d cuts in %d ways", sum, len(ways))
	}
	if _, again := all(1); strings.Join(one, " ") != strings.Join(again, " ") {
		t.Error("the same seed gave something else")
	}
	if _, other := all(2); strings.Join(one, " ") == strings.Join(other, " ") {
		t.Error("another seed gave the same")
	}
}

// Jobs begin as long as there are cuts, or cuts may be given back.
func TestBudget(t *testing.T) {
	b := newBudget(2)
	if !b.begin() || !b.take() || !b.take() || b.take() {
		t.Fatal("two cuts are not two")
	}
	go b.done(1) // begin waits for it
	if !b.begin() || !b.take() || b.take() {
		t.Error("what was given back is not there")
	}
	go b.done(0)
	if b.begin() {
		t.Error("a job began though all is used")
	}
	b = newBudget(2)
	b.end()
	if b.take() || b.begin() {
		t.Error("it goes on after its end")
	}
}

// While the network is away, each new link is silent, and costs nothing of the budget.
func TestAway(t *testing.T) {
	f := newFates(rand.New(rand.NewPCG(1, 1)), newBudget(0), 1)
	f.past = func() []wire.Past { return []wire.Past{{N: 0, At: time.Now()}} }
	f.away[0] = time.Hour
	for n := range 5 {
		fate := f.next(n + 1)
		if fate.Cut == nil || fate.Cut.Way.Kind != "silence" || fate.Up != 1 {
			t.Errorf("link %d: %+v", n, fate)
		}
	}
}

// A link gets through while the daemon may have seen the end of one before.
func TestFirm(t *testing.T) {
	silence, reset := wire.OfKind("silence")[0], wire.OfKind("reset")[0]
	for _, c := range []struct {
		what string
		past []wire.Past
		firm bool
	}{
		{"a first link that is not cut", nil, true},
		{"a reset just now", []wire.Past{{At: time.Now(), Cut: wire.Cut{Way: reset}}}, true},
		{"a reset long ago", []wire.Past{{Cut: wire.Cut{Way: reset}}}, false},
		{"a long silence", []wire.Past{{At: time.Now(),
			Cut: wire.Cut{Way: silence, Mute: time.Hour}}}, false},
		{"a short silence", []wire.Past{{At: time.Now(),
			Cut: wire.Cut{Way: silence, Mute: time.Second}}}, true},
	} {
		f := newFates(nil, nil, 1)
		if got := f.firm(1, c.past); got != c.firm {
			t.Errorf("after %s: %v", c.what, got)
		}
	}
}

// Each kind of work has a name of its own and says what it is.
func TestWorks(t *testing.T) {
	seen := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 1))
	for _, w := range works {
		if w.name == "" || seen[w.name] || w.about == "" || w.share <= 0 || w.run == nil {
			t.Errorf("%+v", w)
		}
		seen[w.name] = true
		if got := choose(random, w.name); got.name != w.name {
			t.Errorf("asked for %s, got %s", w.name, got.name)
		}
	}
}
