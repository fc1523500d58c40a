package stage

import (
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var order = Order{
	UID: 1000, GID: 4294967294, Groups: []uint32{4, 24}, Keyring: true, Terminal: 6, PWD: true,
	Limits: []Limit{{7, 1024, 1<<64 - 1}, {9, 1 << 33, 0}},
	Root:   "/srv", Helper: true, Cgroup: "/c", Search: true,
	Dir: "/home/a\xff", DirElse: "/", Path: "ls", Args: []string{"ls", "", "-l"},
	Env: []string{"A=b\nc"}, LoginUID: true,
	Arrival: Arrival{Home: "/h", Greets: true, Greeting: "hello\r\n", Motd: "/m", UserRC: true,
		Shell: "/s", RC: "/rc", EnvFile: true, EnvAfter: []string{"A=b"}},
}

func TestOrder(t *testing.T) {
	for _, o := range []Order{order, {}, {Unspare: true, Args: []string{""}}} {
		b := o.Bytes()
		if n := get32(b); int(n) != len(b)-4 {
			t.Errorf("a length of %d before %d bytes", n, len(b)-4)
		}
		got, ok := ParseOrder(b[4:])
		if !ok || !reflect.DeepEqual(*got, o) {
			t.Errorf("%+v became %+v", o, got)
		}
	}
}

// A part of an order is not one, and neither is an order with something after it.
func TestOrderCutShort(t *testing.T) {
	b := order.Bytes()[4:]
	for n := range b {
		if _, ok := ParseOrder(b[:n:n]); ok {
			t.Errorf("%d of %d bytes are an order", n, len(b))
		}
	}
	if _, ok := ParseOrder(append(slices.Clip(b), 0)); ok {
		t.Error("a byte too many")
	}
	huge := slices.Clone(b)
	copy(huge[8:], []byte{0xff, 0xff, 0xff, 0xff}) // the number of groups
	if _, ok := ParseOrder(huge); ok {
		t.Error("more groups than there are bytes")
	}
}

func TestStatus(t *testing.T) {
	s := Status{Step: StepExec, Errno: 13, PeakKB: 4000, CPU: [2]int64{1 << 40, 5}}
	b := s.Bytes()
	if len(b) != 28 || SizeOfStatus != 28 {
		t.Fatalf("%d bytes", len(b))
	}
	if got := ParseStatus(b); got != s {
		t.Errorf("%+v", got)
	}
}

// What the package imports decides how early it runs: none of these may be among it, since they,
// and all that needs them, would be initialized first.
func TestImportsLittle(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, late := range []string{"unicode", "strings", "strconv", "bytes", "reflect", "fmt", "net",
		"golang.org/x/sys/unix"} {
		if slices.Contains(strings.Fields(string(out)), late) {
			t.Errorf("it needs %s", late)
		}
	}
}
