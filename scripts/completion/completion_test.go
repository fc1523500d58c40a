//go:build linux

// Package completion_test tries the completions in the shells that they are for.
package completion_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// cases are what is typed before the tabulator key, and the line that it makes.
var cases = []struct{ typed, line string }{
	{"minissh ide", "minissh identity "},
	{"minissh identity --p", "minissh identity --pem "},
	{"minissh -oStrictH", "minissh -oStrictHostKeyChecking="},
	{"minissh -o StrictH", "minissh -o StrictHostKeyChecking="},
	{"minissh some-l", "minissh some-lonely-host "},
	{"minissh root@some-l", "minissh root@some-lonely-host "},
	{"minissh -p 22 known-l", "minissh -p 22 known-lonely-host "},
	{"minissh evi", "minissh evi"}, // known_hosts holds evil$(touch evil)
	{"minissh -i home/.ssh/id_ed25519.p", "minissh -i home/.ssh/id_ed25519.pub "},
	{"minisshd --trusted-u", "minisshd --trusted-user-ca "},
	{"minisshd --host-key home/.ssh/id_ed25519.p", "minisshd --host-key home/.ssh/id_ed25519.pub "},
}

func place(t *testing.T) *testhost.Place {
	t.Helper()
	p := testhost.New(t)
	p.Write("home/.ssh/config", "Host some-lonely-host\n")
	key := " " + strings.Join(strings.Fields(p.Read("host_key.pub"))[:2], " ") + "\n"
	p.Write("home/.ssh/known_hosts", "known-lonely-host"+key+"evil$(touch${IFS}evil)"+key)
	return p
}

// scriptsDir is where the completions are.
func scriptsDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBash(t *testing.T) {
	t.Parallel()
	p := place(t)
	interactive(t, p, false, p.Command(testhost.Need(t, "bash"), "--norc", "--noprofile", "-i"),
		"source "+scriptsDir(t)+"/minissh.bash; source "+scriptsDir(t)+"/minisshd.bash")
}

func TestZsh(t *testing.T) {
	t.Parallel()
	p := place(t)
	interactive(t, p, true, p.Command(testhost.Need(t, "zsh"), "-f", "-i"),
		"bindkey -e; fpath=("+scriptsDir(t)+" $fpath); autoload -Uz compinit; compinit -u -d "+
			p.Path("dump"))
}

// interactive types each case, then makes an echo of the line that is there then, so that it can be
// read.
func interactive(t *testing.T, p *testhost.Place, zsh bool, cmd *exec.Cmd, setup string) {
	for _, name := range []string{"minissh.bash", "minisshd.bash", "_minissh", "_minisshd"} {
		os.Stat(name) // looked at, so that a cached result does not outlive a change
	}
	cmd.Env = append(cmd.Env, "TERM=xterm", "PS1=ready> ", "HISTFILE=")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 300})
	p.Must(err)
	defer func() { cmd.Process.Kill(); cmd.Wait(); master.Close() }()
	out := new(testhost.Text)
	go out.ReadFrom(master)
	say := func(text string) {
		t.Helper()
		_, err := master.WriteString(text)
		p.Must(err)
	}
	say("PS1='ready> '; " + setup + "; echo set'' up\r")
	out.Await(t, "set up")
	line := regexp.MustCompile(`(?:\n|\r)LINE:(.*?):END`)
	for i, c := range cases {
		say(c.typed + "\t\x01echo 'LINE:\x05:END'\r")
		testend.Until(t, fmt.Sprintf("something comes back for %q", c.typed),
			func() bool { return len(line.FindAllString(out.String(), -1)) > i })
		// zsh takes the space away again when a quote follows
		if got := line.FindAllStringSubmatch(out.String(), -1)[i][1]; got != c.line &&
			(!zsh || got+" " != c.line) {
			t.Errorf("%q becomes %q, not %q", c.typed, got, c.line)
		}
	}
	if p.Read("evil") != "" {
		t.Error("a name in known_hosts was run")
	}
}

// fish can be asked without a terminal.
func TestFish(t *testing.T) {
	t.Parallel()
	p := place(t)
	fish := testhost.Need(t, "fish")
	for _, c := range cases {
		os.Stat("minissh.fish")
		os.Stat("minisshd.fish")
		r := p.Run(fish, "--no-config", "-c", "source "+scriptsDir(t)+"/minissh.fish; source "+
			scriptsDir(t)+"/minisshd.fish; complete -C $argv", c.typed)
		var got []string
		start := c.typed[:strings.LastIndex(c.typed, " ")+1]
		for line := range strings.Lines(r.Out) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, start+word)
		}
		want := strings.TrimSuffix(c.line, " ")
		if want == c.typed {
			want = ""
		}
		if strings.Join(got, "|") != want || r.Code != 0 {
			t.Errorf("%q: %q, not %q; %s", c.typed, got, want, r.Err)
		}
	}
}
