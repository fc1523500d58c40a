package process

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const statTail = " S 7 4711 4710 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 99 1000 20 " +
	"18446744073709551615\n"

func TestParseStat(t *testing.T) {
	for _, comm := range []string{"sh", ") (", "a) S 1 1 1 (b", "\n", "", "))))", "\xff\x1b[2J",
		"(x"} {
		s, err := parseStat([]byte("4711 (" + comm + ")" + statTail))
		if want := (procStat{4711, comm, 'S', 7, 4711, 4710, 1}); err != nil || s != want {
			t.Errorf("%q: %+v, %v", comm, s, err)
		}
	}
	good := "4711 (sh)" + statTail
	for cut := range len("4711 (sh) S 7 4711 4710 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 ") {
		if s, err := parseStat([]byte(good[:cut])); err == nil {
			t.Errorf("%q: %+v", good[:cut], s)
		}
	}
	for _, bad := range []string{"x (sh)" + statTail, "(sh)" + statTail,
		strings.Replace(good, "4710", "x", 1), strings.Replace(good, " S ", " SS ", 1)} {
		if s, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, s)
		}
	}
}

func TestAlive(t *testing.T) {
	for _, c := range []struct {
		state   byte
		threads int
		want    bool
	}{{'S', 1, true}, {'D', 1, true}, {'T', 1, true}, {'Z', 1, false}, {'Z', 0, false},
		{'Z', 2, true}, {'X', 0, false}} {
		if got := (procStat{state: c.state, threads: c.threads}).alive(); got != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestOwnStat(t *testing.T) {
	s, err := readStat(os.Getpid())
	if err != nil || s.pid != os.Getpid() || s.ppid != os.Getppid() || s.threads < 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("4711 (sh)" + statTail))
	f.Add([]byte("1 (a) (b) Z 0 0 0"))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := parseStat(line)
		if err == nil && !strings.Contains(string(line), fmt.Sprintf("(%s)", s.comm)) {
			t.Errorf("%q: %+v", line, s)
		}
	})
}
