package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// playDaemon is what TestPrepare starts: a daemon that runs one command and
// shows what the command inherited.
func playDaemon() {
	if os.Getenv("PROCESS_TEST_PREPARE") == "yes" {
		if err := Prepare(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	p, err := Start(Spec{Path: "/bin/sh", Args: []string{"sh", "-c",
		`umask; grep SigIgn /proc/$$/status; echo; read x; kill -INT $$; echo deaf`}, Env: os.Environ()})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// At its empty line the command has nothing open that it was not given.
	out := bufio.NewReader(p.Stdout)
	for line := "-"; line != "\n"; {
		line, _ = out.ReadString('\n')
		fmt.Print(line)
	}
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID))
	fmt.Println(len(names))
	p.Stdin.Close()
	tail, _ := io.ReadAll(out)
	fmt.Printf("%s%s\n", tail, p.Result().Signal)
	p.Close()
}

// TestPrepare: a daemon started in the background by the real sh, under nohup,
// with open descriptors and an odd umask, starts commands that know nothing of
// all that (RULES A11).
func TestPrepare(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(prepare string) []string {
		cmd := exec.Command("/bin/sh", "-c", `umask 077; exec 7</dev/null; trap '' PIPE TSTP TTIN TTOU HUP USR1; "$0" & wait`, self)
		cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=daemon", "PROCESS_TEST_PREPARE="+prepare)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.Fields(string(out))
	}
	if got, want := strings.Join(run("yes"), " "), "0022 SigIgn: 0000000000000000 3 INT"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	// The test is worth something only if the trouble is there without it.
	if got := run("no"); got[0] != "0077" || got[2] == "0000000000000000" || got[3] != "4" || got[4] != "deaf" {
		t.Errorf("without Prepare: %q", got)
	}
}
