package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
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
		`umask; grep SigIgn /proc/$$/status; echo; read x; kill -INT $$; echo deaf`},
		Env: os.Environ()})
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
		cmd := exec.Command("/bin/sh", "-c",
			`umask 077; exec 7</dev/null; trap '' PIPE TSTP TTIN TTOU HUP USR1; "$0" & wait`, self)
		cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=daemon", "PROCESS_TEST_PREPARE="+prepare)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.Fields(string(out))
	}
	if got, want := strings.Join(run("yes"),
		" "), "0022 SigIgn: 0000000000000000 3 INT"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	// The test proves something only if the trouble exists without it.
	if got := run("no"); got[0] != "0077" || got[2] == "0000000000000000" || got[3] != "4" ||
		got[4] != "deaf" {
		t.Errorf("without Prepare: %q", got)
	}
}

// playMasked is what TestPrepareClearsTheMask starts: it becomes a daemon that was started with
// signals blocked.
func playMasked() {
	runtime.LockOSThread()
	blocked := unix.Sigset_t{}
	for _, sig := range []syscall.Signal{unix.SIGUSR1, unix.SIGTSTP, unix.SIGTERM} {
		blocked.Val[0] |= 1 << (sig - 1)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &blocked, nil); err != nil {
		panic(err)
	}
	os.Setenv("PROCESS_TEST_ROLE", "unmasking")
	os.Setenv("PROCESS_TEST_PID", strconv.Itoa(os.Getpid()))
	panic(syscall.Exec("/proc/self/exe", []string{"daemon", "an argument"}, os.Environ()))
}

// playUnmasking prepares if it is told to, and shows what its command inherited and what it has
// kept itself.
func playUnmasking() {
	if os.Getenv("PROCESS_TEST_PREPARE") == "yes" {
		Prepare()
	}
	p, err := Start(Spec{Path: "/bin/grep", Args: []string{"grep", "SigBlk", "/proc/self/status"},
		Env: os.Environ()})
	if err != nil {
		panic(err)
	}
	out, _ := io.ReadAll(p.Stdout)
	p.Close()
	fmt.Printf("%s%q %v\n", out, os.Args,
		strconv.Itoa(os.Getpid()) == os.Getenv("PROCESS_TEST_PID"))
}

// A daemon that was started with signals blocked starts commands that hear them, and is still the
// same process.
func TestPrepareClearsTheMask(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for prepare, want := range map[string]string{
		"yes": "SigBlk:\t0000000000000000\n[\"daemon\" \"an argument\"] true\n",
		// the test proves something only if so
		"no": "SigBlk:\t0000000000080200\n[\"daemon\" \"an argument\"] true\n",
	} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=masked", "PROCESS_TEST_PREPARE="+prepare)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("Prepare %s: %q, %v", prepare, out, err)
		}
	}
}
