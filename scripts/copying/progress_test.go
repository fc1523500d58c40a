//go:build linux

package copying_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"minissh/client/terminal"
	"minissh/scripts/testhost"
)

// drawing begins every drawing of the line of progress.
const drawing = "\r\x1b[K"

// slow makes a relay carry 32 KiB in each tick of a clock, so that there is something to see, until
// the function that it returns is called.
func (r *relay) slow() (quick func()) {
	tick := time.NewTicker(25 * time.Millisecond)
	stop := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pace = func() {
		select {
		case <-tick.C:
		case <-stop:
		}
	}
	return func() { tick.Stop(); close(stop) }
}

// watched is a copy on a terminal.
type watched struct {
	got    *testhost.Text
	master *os.File
	cmd    *exec.Cmd
	read   chan struct{}
}

func watch(t *testing.T, p *testhost.Place, columns uint16, args ...string) *watched {
	t.Helper()
	w := &watched{got: new(testhost.Text), cmd: p.Command("minissh", args...),
		read: make(chan struct{})}
	master, err := pty.StartWithSize(w.cmd, &pty.Winsize{Rows: 10, Cols: columns})
	p.Must(err)
	w.master = master
	go func() { defer close(w.read); w.got.ReadFrom(master) }()
	return w
}

// end waits for the copy, and gives all drawings; what comes after the last one is the summary.
func (w *watched) end(t *testing.T) []string {
	t.Helper()
	err := w.cmd.Wait()
	<-w.read
	w.master.Close()
	drawings := strings.Split(w.got.String(), drawing)
	if err != nil || len(drawings) < 3 || drawings[0] != "" ||
		!strings.HasPrefix(drawings[len(drawings)-1], "2 copied, 0 there already, 0 failed; ") {
		t.Fatalf("%v %q", err, drawings)
	}
	return drawings[1 : len(drawings)-1]
}

// What a person sees on a terminal: the file, bytes, rate and time left, of all files together; on
// one line however narrow it is, also when it becomes so meanwhile, and whatever names there are. A
// program that reads it through a pipe gets nothing.
func TestProgress(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	r := newRelay(t, "127.0.0.1:"+d.Port)
	p.Knows("slow", r.port())
	p.Write("src/1/\x1b[31mevil\x1b]0;title\x07", string(noise(100_000, 1)))
	p.Write("src/2/一个很长很长很长的中文名字.txt", string(noise(8<<20, 2)))
	for _, c := range []struct {
		put     bool
		columns uint16
	}{{true, 80}, {false, 80}, {true, 20}, {false, 0}} {
		args := []string{"cp", "-r", "src/1", "src/2", "slow:" + p.Path("dst")}
		if !c.put {
			args = []string{"cp", "-r", "slow:" + p.Path("src/1"), "slow:" + p.Path("src/2"),
				p.Path("dst")}
		}
		p.Must(os.RemoveAll(p.Path("dst")))
		p.Must(os.Mkdir(p.Path("dst"), 0o755))
		quick := r.slow()
		w := watch(t, p, c.columns, args...)
		if c.columns == 20 {
			w.got.Await(t, "…字.txt")
			quick()
		} else {
			w.got.Await(t, "s left")
			p.Must(pty.Setsize(w.master, &pty.Winsize{Rows: 10, Cols: 30}))
			// the time left comes directly after the percentage: it has noticed
			w.got.Await(t, "%, ")
			quick()
		}
		drawings := w.end(t)
		all, most := strings.Join(drawings, "\n"), 79
		for _, line := range drawings {
			if c.columns == 20 {
				most = 19
			} else if strings.Contains(line, "%, ") {
				most = 29
			}
			if n := terminal.Columns(line); n > most || strings.ContainsAny(line, "\x1b\r\n") {
				t.Errorf("%d columns, of %d: %q", n, most, line)
			}
		}
		for _, want := range map[bool][]string{
			true: {`"`, "%"}, false: {`"1/\x1b[3`, "…", "% |", " of 8.1 MiB, ", "/s, ",
				"s left"}}[c.columns == 20] {
			if !strings.Contains(all, want) {
				t.Errorf("no %q in %q", want, all)
			}
		}
	}
	p.Must(os.RemoveAll(p.Path("dst")))
	if ran := p.Run("minissh", "cp", "-r", "src", "slow:"+p.Path("dst")); ran.Code != 0 ||
		ran.Out+ran.Err != "" {
		t.Errorf("piped: %+v", ran)
	}
	p.Must(os.RemoveAll(p.Path("dst")))
	w := watch(t, p, 80, "cp", "-q", "-r", "src", "slow:"+p.Path("dst"))
	if err := w.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if <-w.read; w.got.String() != "" {
		t.Errorf("-q on a terminal: %q", w.got)
	}
}

// The prompt's put and get show the same.
func TestProgressInPrompt(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	r := newRelay(t, "127.0.0.1:"+d.Port)
	p.Knows("slow", r.port())
	p.Write("large", string(noise(8<<20, 2)))
	p.Must(os.Rename(p.Path("large"), filepath.Join(p.Home, "large")))
	p.Must(os.Link(filepath.Join(p.Home, "large"), p.Path("large")))
	p.Must(os.Mkdir(p.Path("there"), 0o755))
	quick := r.slow()
	w := watch(t, p, 80, "prompt", "slow")
	w.got.Await(t, "help says")
	w.master.WriteString("cd " + p.Path("there") + "\rput large\r")
	w.got.Await(t, drawing+"large ")
	w.got.Await(t, " of 8.0 MiB")
	// Ctrl-C ends the copy and not the prompt, and says what became of it
	w.master.WriteString("\x03")
	w.got.Await(t, "interrupted: 0 copied; ")
	w.got.Await(t, "put --resume")
	w.master.WriteString("put ~/large\r") // ~ is the home directory here
	quick()
	w.got.Await(t, "1 copied, 0 there already, 0 failed; 8.0 MiB in ")
	w.master.WriteString("exit\r")
	if err := w.cmd.Wait(); err != nil {
		t.Error(err)
	}
	<-w.read
	w.master.Close()
	if err := sameBytes(p.Path("large"), p.Path("there/large")); err != nil {
		t.Error(err)
	}
}
