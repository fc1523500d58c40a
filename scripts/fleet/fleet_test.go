//go:build linux

// Package fleet_test runs commands on many hosts at once, by minissh as it is installed: the hosts
// are names of one daemon, but for those that a test breaks.
package fleet_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// fleet is a place whose daemon is known as h1, h2 and so on.
type fleet struct {
	*testhost.Place
	t *testing.T
	d *testhost.Daemon
}

func hosts(t *testing.T) *fleet {
	t.Helper()
	p := testhost.New(t)
	d := p.Daemon("--max-per-source", "1000", "--max-startups", "1000")
	f := &fleet{p, t, d}
	f.Write("home/.ssh/known_hosts", "fleet "+f.Read("host_key.pub"))
	f.config("Host h*\n\tHostName 127.0.0.1\n\tPort %s\n\tHostKeyAlias fleet\n", d.Port)
	return f
}

// config adds lines before those that are there, and so wins.
func (f *fleet) config(format string, args ...any) {
	f.t.Helper()
	f.Write("home/.config/minissh/config",
		fmt.Sprintf(format, args...)+f.Read("home/.config/minissh/config"))
}

// on runs minissh on.
func (f *fleet) on(args ...string) testhost.Ran {
	f.t.Helper()
	return f.Run("minissh", append([]string{"on"}, args...)...)
}

// wants compares the lines of a text, in any order.
func wants(t *testing.T, what, got string, lines ...string) {
	t.Helper()
	have := map[string]int{}
	for line := range strings.Lines(got) {
		have[strings.TrimSuffix(line, "\n")]++
	}
	for _, line := range lines {
		if have[line]--; have[line] < 0 {
			t.Errorf("%s: %q is missing in:\n%s", what, line, got)
		}
	}
	for line, n := range have {
		if n > 0 {
			t.Errorf("%s: %q is too much", what, line)
		}
	}
}

// Each line comes after its host's name, standard error apart, and the exit code tells whether all
// went well.
func TestOn(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	r := f.on("h[1-3]", "echo out; echo; printf 'no end'; echo error >&2")
	wants(t, "out", r.Out, "h1: out", "h1: ", "h1: no end", "h2: out", "h2: ", "h2: no end",
		"h3: out", "h3: ", "h3: no end")
	wants(t, "error", r.Err, "h1! error", "h2! error", "h3! error")
	if r.Code != 0 {
		t.Errorf("exit code %d", r.Code)
	}
	f.config("Host bad\n\tHostName 127.0.0.1\n\tPort 1\n")
	for _, c := range []struct {
		args string
		code int
		err  string
	}{
		{"h[1-3] true", 0, ""},
		{"h[1-3] exit 7", 1, "h[1-3] (3): exited with 7"},
		{"--worst h[1-3] exit 7", 7, "h[1-3] (3): exited with 7"},
		{"h1,bad true", 1, "bad (1): connect to host … port …: connection refused"},
		{"--worst h1,bad true", 255, ""},
		{"bad true", 255, "1 of 1 failed"},
		{"-x h[2-3] h[1-4] test -n a", 0, ""},
		{"h1 kill -9 $$", 1, `h1 (1): ended by signal "KILL"`},
		{"--timeout 1 h1 sleep 1000", 1, "h1 (1): stopped at the time limit"},
		{"h1", 255, "needs a command"},
		{"h[1 true", 255, "bracket"},
		{"[::1]:7422 true", 255, "an IPv6 address comes without them"},
		{"-x h1 h1 true", 255, "no host is left"},
		{"@nobody true", 255, "there is no group"},
		{"-t h1 true", 255, "-t does not go together"},
		{"--detach h1 true", 255, "--detach does not go together"},
		{"--fanout 0 h1 true", 255, "--fanout"},
		{"--gather --json h1 true", 255, "leave out"},
		{"--nonsense h1 true", 255, "unknown option"},
		{"", 255, "needs hosts"},
		{"h1 -b echo a", 0, ""}, // options may follow the hosts
		{"-- h1 echo -b", 0, ""},
		{"root@h1:70000,h1 true", 1, "root@h1:70000 (1)"},
	} {
		r := f.on(strings.Fields(c.args)...)
		if r.Code != c.code || !strings.Contains(r.Err, c.err) {
			t.Errorf("on %s: %+v", c.args, r)
		}
	}
}

// What failed can be done again, on those hosts alone.
func TestFailed(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	if r := f.on("--failed"); r.Code != 255 || !strings.Contains(r.Err, "no run before") {
		t.Errorf("%+v", r)
	}
	f.config("Host h3 h5\n\tSetEnv LC_WHO=odd\n")
	r := f.on("--gather", "h[1-6]", "test -z \"$LC_WHO\"")
	if r.Code != 1 || !strings.Contains(r.Err, "2 of 6 failed") ||
		!strings.Contains(r.Err, "h[3,5] (2): exited with 1") ||
		!strings.Contains(r.Err, "hint: on those alone: minissh on --failed") {
		t.Errorf("%+v", r)
	}
	r = f.on("--failed", "echo other")
	wants(t, "other", r.Out, "h3: other", "h5: other")
	if r = f.on("--failed"); r.Code != 255 {
		t.Errorf("none has failed: %+v", r)
	}
	f.on("--gather", "h[1-6]", "test -e "+f.Path("mended")+" || test -z \"$LC_WHO\" || exit 1; "+
		"echo same")
	f.Write("mended", "")
	if r = f.on("--failed"); r.Code != 0 || r.Out != rule("h[3,5] (2)")+"same\n" {
		t.Errorf("%+v", r)
	}
}

func rule(head string) string {
	return strings.Repeat("-", 15) + "\n" + head + "\n" + strings.Repeat("-", 15) + "\n"
}

// Equal outputs are told once, the commonest first; others also as a difference.
func TestGather(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.config("Host h7\n\tSetEnv LC_WHO=odd\n")
	const command = "echo one; echo ${LC_WHO:-two}; echo three; test -z \"$LC_WHO\" || echo no >&2"
	common := rule("h[1-6,8-20] (19)") + "one\ntwo\nthree\n"
	r := f.on("-b", "h[1-20]", command)
	if want := common + rule("h7 (1)") + "one\nodd\nthree\n"; r.Out != want {
		t.Errorf("%s\nnot\n%s", r.Out, want)
	}
	if want := rule("h7 (1) (standard error)") + "no\n"; r.Err != want {
		t.Errorf("%s\nnot\n%s", r.Err, want)
	}
	r = f.on("--diff", "h[1-20]", command)
	if want := common + rule("h7 (1), as it differs from the first") +
		" one\n-two\n+odd\n three\n"; r.Out != want {
		t.Errorf("%s\nnot\n%s", r.Out, want)
	}
	// more than is kept in memory
	r = f.on("-b", "h[1-3]", "seq 100000")
	if lines := strings.Count(r.Out, "\n"); lines != 100003 ||
		!strings.HasPrefix(r.Out, rule("h[1-3] (3)")+"1\n2\n") {
		t.Errorf("%d lines: %.100s", lines, r.Out)
	}
}

// A result is data: a line for each host, or files.
func TestData(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.config("Host bad\n\tHostName 127.0.0.1\n\tPort 1\n")
	r := f.on("--json", "h1,bad", `printf 'a\0\377'; echo error >&2; exit 3`)
	seen := 0
	for line := range strings.Lines(r.Out) {
		var got struct {
			Host, Failure, Stderr string
			Code                  *int
			Stdout                any
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch seen++; {
		case got.Host == "h1" && got.Code != nil && *got.Code == 3 && got.Stderr == "error\n" &&
			got.Failure == "" && fmt.Sprint(got.Stdout) == "map[b64:YQD/]":
		case got.Host == "bad" && got.Code == nil && got.Failure == "unreachable":
		default:
			t.Error(line)
		}
	}
	if seen != 2 || r.Code != 1 {
		t.Errorf("%+v", r)
	}
	r = f.on("--dir", f.Path("results"), "h[1-2],bad,../evil", "echo out; echo error >&2")
	if r.Out != "" || r.Code != 1 {
		t.Errorf("%+v", r)
	}
	for name, want := range map[string]string{"h1.out": "out\n", "h1.err": "error\n",
		"h2.out": "out\n", "bad.out": "", "bad.err": ""} {
		if got := f.Read("results/" + name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if text := f.Read("results/%2E.%2Fevil.json"); !strings.Contains(text, `"host":"../evil"`) {
		t.Errorf("a name that leads elsewhere: %q", text)
	}
	if !strings.Contains(f.Read("results/bad.json"), `"failure":"unreachable"`) {
		t.Error("bad.json")
	}
}

// Batches, and what stops them.
func TestRolling(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.config("Host h3\n\tSetEnv LC_WHO=odd\n")
	command := "echo x >>" + f.Path("began") + "; test -z \"$LC_WHO\""
	for _, c := range []struct {
		args  string
		began int
		says  string
	}{
		{"--rolling 2", 4, "h[5-6] (2): not begun: a host of the batch before failed"},
		{"--rolling 34%", 4, "h[5-6] (2): not begun"},
		{"--fanout 1 --max-fail 0", 3, "h[4-6] (3): not begun: too many have failed"},
		{"--fanout 1 --max-fail 1", 6, "h3 (1): exited with 1"},
		{"--fanout 1 --max-fail 50%", 6, "h3 (1): exited with 1"},
	} {
		f.Write("began", "")
		r := f.on(append(strings.Fields(c.args), "h[1-6]", command)...)
		if began := strings.Count(f.Read("began"), "x"); began != c.began || r.Code != 1 ||
			!strings.Contains(r.Err, c.says) {
			t.Errorf("%s: %d began: %+v", c.args, began, r)
		}
	}
}

// One input for all: from a file for each that begins, from a pipe for all at the same time.
func TestStdin(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	text := strings.Repeat("a line of the input\n", 200_000) // more than all windows together
	sum := fmt.Sprintf("%x  -", sha256.Sum256([]byte(text)))
	file, err := os.Open(f.Write("input", text))
	f.Must(err)
	defer file.Close()
	cmd := f.Command("minissh", "on", "--stdin", "--fanout", "1", "h[1-3]", "sha256sum")
	cmd.Stdin = file
	wants(t, "a file", f.RunCmd(cmd).Out, "h1: "+sum, "h2: "+sum, "h3: "+sum)
	f.config("Host bad\n\tHostName 127.0.0.1\n\tPort 1\nHost h3\n\tSetEnv LC_WHO=deaf\n")
	cmd = f.Command("minissh", "on", "--stdin", "h[1-4],bad",
		"test -z \"$LC_WHO\" && sha256sum") // h3 reads nothing, and ends
	cmd.Stdin = strings.NewReader(text)
	wants(t, "a pipe", f.RunCmd(cmd).Out, "h1: "+sum, "h2: "+sum, "h4: "+sum)
	cmd = f.Command("minissh", "on", "--stdin", "--fanout", "1", "h[1-3]", "cat")
	cmd.Stdin = strings.NewReader(text)
	if r := f.RunCmd(cmd); r.Code != 255 || !strings.Contains(r.Err, "2 of 3 would wait") {
		t.Errorf("%+v", r)
	}
	if r := f.on("h1", "cat; echo end"); r.Out != "h1: end\n" { // closed unless asked for
		t.Errorf("%+v", r)
	}
	cmd = f.Command("minissh", "on", "-", "echo of $LC_WHO.")
	cmd.Stdin = strings.NewReader("h1 # the first\n\nh[3-4]\n")
	wants(t, "hosts", f.RunCmd(cmd).Out, "h1: of .",
		"h3: of deaf.", "h4: of .")
	wants(t, "hosts", f.on("--hosts", f.Write("hosts", "h1\nh2"), "echo hi").Out, "h1: hi",
		"h2: hi")
}

// No line is torn or lost, however much comes from how many.
func TestWholeLines(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	size := 20 << 20
	if testing.Short() {
		size = 200 << 10
	}
	chance := rand.New(rand.NewPCG(20, 20))
	var text strings.Builder
	for text.Len() < size {
		for range chance.IntN(300) {
			text.WriteByte(byte('a' + chance.IntN(26)))
		}
		text.WriteByte('\n')
	}
	want := sha256.Sum256([]byte(text.String()))
	f.Write("text", text.String())
	sums := newLineSums()
	cmd := f.Command("minissh", "on", "h[1-50]", "cat "+f.Path("text"))
	cmd.Stdout = sums
	if r := f.RunCmd(cmd); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	if len(sums.of) != 50 {
		t.Errorf("%d hosts", len(sums.of))
	}
	for host, sum := range sums.of {
		if [32]byte(sum.Sum(nil)) != want {
			t.Errorf("%s: other lines", host)
		}
	}
}

// Files go to many hosts, and come from many, each into a folder of its own.
func TestCopies(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.Write("one", strings.Repeat("x", 1<<20))
	f.Write("two", "2\n")
	f.on("h[1-5]", "mkdir -p "+f.Path("at"))
	r := f.Run("minissh", "cp", "--on", "h[1-5]", "one", "two", ":"+f.Path("at"))
	if r.Code != 0 || f.Read("at/one") != f.Read("one") || f.Read("at/two") != "2\n" {
		t.Errorf("%+v", r)
	}
	r = f.Run("minissh", "cp", "--on", "h[1-5]", ":"+f.Path("at/*"), "came")
	for n := 1; n <= 5; n++ {
		if f.Read(fmt.Sprintf("came/h%d/one", n)) != f.Read("one") ||
			f.Read(fmt.Sprintf("came/h%d/two", n)) != "2\n" {
			t.Errorf("h%d: %+v", n, r)
		}
	}
	f.config("Host bad\n\tHostName 127.0.0.1\n\tPort 1\n")
	r = f.Run("minissh", "cp", "--on", "h1,bad", "two", ":"+f.Path("at"))
	if r.Code != 1 || !strings.Contains(r.Err, "bad (1): connect to host") {
		t.Errorf("%+v", r)
	}
	r = f.Run("minissh", "cp", "--on", "h[1-2]", "nothing", ":"+f.Path("at"))
	if r.Code != 1 || !strings.Contains(r.Err, "h[1-2] (2): not everything was copied") {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"two", "h1:at"}, {"two", "three"}, {":a", ":b"}} {
		r := f.Run("minissh", append([]string{"cp", "--on", "h1"}, args...)...)
		if r.Code != 255 || !strings.Contains(r.Err, "colon") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// A prompt's lines run on all hosts, each in a shell of its own, and @ narrows.
func TestPrompt(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.Write("home/.config/minissh/groups", "front: 'h[1-2]'\n")
	cmd := f.Command("minissh", "prompt", "on", "h[1-4]")
	cmd.Stdin = strings.NewReader("cd /\n@h3 cd /tmp\npwd\n@front\necho two; exit_code() { " +
		"return 3; }\n@\n@front exit_code\n@nobody ls\n@h4 exit 4\necho rest\nexit 7\n")
	r := f.RunCmd(cmd)
	want := rule("h[1-2,4] (3)") + "/\n" + rule("h3 (1)") + "/tmp\n" + rule("h[1-2] (2)") +
		"two\n" + rule("h[1-3] (3)") + "rest\n"
	if r.Out != want || r.Code != 7 {
		t.Errorf("exit code %d, %s\nnot\n%s", r.Code, r.Out, want)
	}
	for _, says := range []string{"no host here is meant by nobody",
		"h4 (1): its shell has ended; it is not among the hosts any more"} {
		if !strings.Contains(r.Err, says) {
			t.Errorf("%q is missing in %s", says, r.Err)
		}
	}
	p := f.types("prompt", "on", "h[1-3]")
	p.does("@h[1-3] (3):~", "echo x >>"+f.Path("began")+"; sleep 1000\r")
	testend.Until(t, "all run", func() bool { return strings.Count(f.Read("began"), "x") == 3 })
	p.does("", "\x03")
	p.does("h[1-3] (3):~", "@h1\r")
	p.does("@h1 (1):~", "\x04")
	p.end()
}

// A banner that many hosts have is shown once.
func TestBannerOnce(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	d := f.Daemon("--banner", f.Write("banner", "Only for those who may.\n"))
	f.config("Host h1? h20\n\tPort %s\n", d.Port)
	r := f.on("h[10-20]", "echo in")
	if r.Err != "Only for those who may.\n" || strings.Count(r.Out, "in\n") != 11 {
		t.Errorf("%+v", r)
	}
}
