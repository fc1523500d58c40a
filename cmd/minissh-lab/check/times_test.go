package check

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// timesVariable says how often TestEveryCaseHasOneVerdict runs each case, of all checks:
//
//	MINISSH_LAB_TIMES=20 go test -timeout 1h -run EveryCase ./cmd/minissh-lab/check
//
// That takes far longer than a run of everything may; without it a few checks are run twice.
const timesVariable = "MINISSH_LAB_TIMES"

// silent are programs that every case fails: a server that reads and never answers, and a client
// that shows nothing.
var silent = map[Side]string{
	Server: `import socket, threading
def serve(conn):
    while conn.recv(1024):
        pass
phone = socket.socket()
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
phone.bind(('127.0.0.1', 8080))
phone.listen(16)
while True:
    threading.Thread(target=serve, args=(phone.accept()[0],), daemon=True).start()
`,
	Client: `import socket
phone = socket.create_connection(('127.0.0.1', 8080))
while True:
    phone.send(input('>>: ').encode())
    phone.recv(1 << 20)
`}

// judgedCase is one case with a program that is right, or one that fails it.
type judgedCase struct {
	check *Check
	side  Side
	name  string
	right bool
	quiet bool // the program is silent, which may be right
	// program gives the program's text in place of the course's port
	program func(t *testing.T, address string) []string
}

func (c judgedCase) String() string {
	side, kind := "server", "wrong"
	if c.side == Client {
		side = "client"
	}
	if c.right {
		kind = "right"
	}
	return c.check.Lesson + " " + side + " " + c.name + " " + kind
}

// judgedCases are all cases of all checks, each with a right program and a wrong one: a student's
// whose bug shows first there, or silent.
func judgedCases(t *testing.T) (all []judgedCase) {
	corpus := students(t)
	student := func(file string) func(*testing.T, string) []string {
		return func(t *testing.T, address string) []string {
			return python(t, portOf(t, file, address), "")[:4]
		}
	}
	for _, c := range All() {
		if c.Lesson == "own" { // its own test runs a daemon for each
			continue
		}
		for _, side := range []Side{Server, Client} {
			var right func(*testing.T, string) []string
			same := map[string]string{"1-5": "8", "6": "8", "7": "8", "9": "8", "15b": "15a"}
			for _, p := range rightPrograms {
				if (p.lesson == c.Lesson || p.lesson == same[c.Lesson]) && p.side == side {
					right = func(t *testing.T, address string) []string {
						return python(t, "testdata/"+p.file, address)
					}
				}
			}
			for _, s := range corpus {
				if right == nil && s.lesson == c.Lesson && s.side == side && !s.fails {
					right = student(s.file)
				}
			}
			for _, cs := range c.Cases(side) {
				if c.Datagram && cs.Bonus {
					continue // a remark
				}
				wrong := func(t *testing.T, address string) []string {
					return python(t, moved(t, script(t, silent[side]), address), "")[:4]
				}
				quiet := true
				for _, s := range corpus {
					if s.lesson == c.Lesson && s.side == side && s.fails && len(s.cases) == 1 &&
						s.cases[0] == cs.Name {
						wrong, quiet = student(s.file), false
						break
					}
				}
				if right == nil {
					t.Fatalf("no right program for %s %s", c.Lesson, cs.Name)
				}
				all = append(all, judgedCase{c, side, cs.Name, true, false, right},
					judgedCase{c, side, cs.Name, false, quiet, wrong})
			}
		}
	}
	return all
}

// verdict runs one case once: "pass", "skip", or "fail" and the bug's name.
func (c judgedCase) verdict(t *testing.T) (verdict, name string) {
	t.Helper()
	o := Options{Network: "tcp", Only: c.name}
	if c.right {
		o.Limit = 20 * time.Second // a slow machine is not its fault
	}
	if c.check.Datagram {
		o.Network = "udp"
	}
	o.Address = free(t, o.Network)
	o.Program = c.program(t, o.Address)
	verdict = "none"
	o.Report = func(r Result) {
		switch f := r.Failed(); {
		case f != nil:
			verdict, name = "fail", called(f)
		case r.Err != nil:
			verdict = "skip"
		default:
			verdict = "pass"
		}
	}
	if _, err := Run(t.Context(), c.check, c.side, o); err != nil {
		t.Fatal(err)
	}
	return verdict, name
}

// Every case has one verdict on a program, however often it is run. In a quick run that is shown of
// a few cases, twice.
func TestEveryCaseHasOneVerdict(t *testing.T) {
	times, err := strconv.Atoi(os.Getenv(timesVariable))
	if err != nil {
		times = 0
	}
	var mu sync.Mutex
	runs, flips, names := 0, 0, 0
	t.Run("each", func(t *testing.T) {
		for _, c := range judgedCases(t) {
			if times == 0 && (!slices.Contains([]string{"7", "8", "12"}, c.check.Lesson) ||
				testing.Short() && c.check.Lesson != "7") {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				want, called := c.verdict(t)
				for range max(times, 2) - 1 {
					got, name := c.verdict(t)
					mu.Lock()
					runs++
					if got != want {
						flips++
						t.Errorf("%s (%s), and then %s (%s)", want, called, got, name)
					} else if name != called {
						names++
						t.Logf("named %s, and then %s", called, name)
					}
					mu.Unlock()
				}
				if (want == "fail") == c.right && want != "skip" && !c.quiet {
					t.Errorf("%s (%s)", want, called)
				}
			})
		}
	})
	t.Logf("%d runs: %d verdicts changed, %d names", runs, flips, names)
}
