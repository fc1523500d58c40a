//go:build linux

package fleet_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// silent is a daemon's address, where what the daemon says after its handshake does not arrive, and
// the connection ends once cut is closed.
func (f *fleet) silent(cut <-chan struct{}) (port string) {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	f.Must(err)
	f.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", "127.0.0.1:"+f.d.Port)
				if err != nil {
					return
				}
				defer far.Close()
				go io.Copy(far, near)
				go firstRecords(near, far)
				<-cut
			}()
		}
	}()
	return port0(l)
}

func port0(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// firstRecords passes on the daemon's part of the handshake, which ends before it knows the client:
// the first bytes that come at once. What comes after the client's own part is withheld.
func firstRecords(to io.Writer, from io.Reader) {
	in := bufio.NewReaderSize(from, 64<<10)
	if _, err := in.Peek(1); err == nil {
		hello := make([]byte, in.Buffered())
		io.ReadFull(in, hello)
		to.Write(hello)
	}
	io.Copy(io.Discard, in)
}

// began counts how often a command has written to the file.
func (f *fleet) began() int { return strings.Count(f.Read("began"), "x") }

// A command whose request has gone out is never asked for again, and never said not to run, though
// nobody has heard that it began (RE5).
func TestNothingRunsTwice(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	cut := make(chan struct{})
	f.config("Host h1\n\tPort %s\n\tResumeFor 0\n", f.silent(cut))
	d := f.Start(f.Command("minissh", "on", "--retries", "3", "h1", "echo x >>"+f.Path("began")))
	testend.Until(t, "it has begun", func() bool { return f.began() == 1 })
	close(cut)
	<-d.Done
	if f.began() != 1 || !strings.Contains(d.Log.String(),
		"nobody knows whether the command was started") {
		t.Errorf("it began %d times: %s", f.began(), d.Log)
	}
}

// Whoever does not read the output does not keep the commands from being stopped.
func TestStalledOutput(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	r, w, err := os.Pipe()
	f.Must(err)
	defer r.Close()
	cmd := f.Command("minissh", "on", "h[1-3]", "echo x >>"+f.Path("began")+"; exec yes stalled")
	errs, err := cmd.StderrPipe()
	f.Must(err)
	cmd.Stdout = w
	f.Must(cmd.Start())
	w.Close()
	testend.Until(t, "all run", func() bool { return f.began() == 3 })
	full := make([]byte, 1)
	io.ReadFull(r, full) // it writes; then nobody reads
	cmd.Process.Signal(syscall.SIGTERM)
	said, _ := io.ReadAll(errs)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d: %s", code, said)
	}
	f.none("yes stalled")
}

// none waits until none of a daemon's commands of this name runs.
func (f *fleet) none(name string) {
	f.t.Helper()
	pgrep, err := exec.LookPath("pgrep")
	if err != nil {
		f.t.Skip("not run: needs pgrep")
	}
	testend.Until(f.t, "no "+name+" runs", func() bool {
		return f.Run(pgrep, "-x", "-f", name).Out == ""
	})
}

// When nobody reads the output any more, or the terminal is gone, all is stopped.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	r, w, err := os.Pipe()
	f.Must(err)
	cmd := f.Command("minissh", "on", "--fanout", "3", "h[1-9]",
		"echo x >>"+f.Path("began")+"; exec yes for nobody")
	cmd.Stdout = w
	f.Must(cmd.Start())
	w.Close()
	testend.Until(t, "some run", func() bool { return f.began() == 3 })
	r.Close()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 141 || f.began() != 3 {
		t.Errorf("exit code %d, %d began", code, f.began())
	}
	f.none("yes for nobody")
	f.Write("began", "")
	d := f.Start(f.Command("minissh", "on", "h[1-3]", "echo x >>"+f.Path("began")+
		"; exec sleep 1001"))
	testend.Until(t, "all run", func() bool { return f.began() == 3 })
	d.Cmd.Process.Signal(syscall.SIGHUP)
	<-d.Done
	if code := d.Cmd.ProcessState.ExitCode(); code != 129 {
		t.Errorf("exit code %d: %s", code, d.Log)
	}
	f.none("sleep 1001")
}

// Ctrl-C at a question ends what runs already.
func TestCtrlCAtAQuestion(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.config("Host h9\n\tHostKeyAlias nobody\n")
	p := f.types("on", "h[1-3],h9", "echo x >>"+f.Path("began")+"; exec sleep 1002")
	testend.Until(t, "three run", func() bool { return f.began() == 3 })
	p.does("Which are right?", "\x03")
	if code := p.end(); code != 130 {
		t.Errorf("exit code %d: %s", code, p.shown)
	}
	f.none("sleep 1002")
}

// What cannot be written or read is never told as success.
func TestFullAndBroken(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("not run: needs /dev/full")
	}
	defer full.Close()
	for _, flag := range []string{"--json", "--gather", "--worst"} {
		cmd := f.Command("minissh", "on", flag, "h[1-3]", "echo hi")
		cmd.Stdout = full
		if r := f.RunCmd(cmd); r.Code != 255 || !strings.Contains(r.Err, "no space left") {
			t.Errorf("%s: %+v", flag, r)
		}
	}
	folder, err := os.Open(f.Dir)
	f.Must(err)
	defer folder.Close()
	cmd := f.Command("minissh", "on", "--stdin", "h[1-3]", "cat >"+f.Path("half"))
	cmd.Stdin = folder
	if r := f.RunCmd(cmd); r.Code == 0 ||
		!strings.Contains(r.Err, "h[1-3] (3): standard input cannot be read") {
		t.Errorf("%+v", r)
	}
	// files of --dir
	f.Write("precious", "precious")
	f.Must(os.Mkdir(f.Path("out"), 0o700))
	f.Must(os.Symlink(f.Path("precious"), f.Path("out/h1.out")))
	if r := f.on("--dir", f.Path("out"), "h1", "echo new"); r.Code != 0 ||
		f.Read("precious") != "precious" || f.Read("out/h1.out") != "new\n" {
		t.Errorf("%+v, %q", r, f.Read("precious"))
	}
	if r := f.on("--dir", f.Path("out"), "h1,H1", "true"); r.Code != 255 ||
		!strings.Contains(r.Err, "one file") {
		t.Errorf("%+v", r)
	}
}

// What chooses hosts is never dropped in silence.
func TestChoosing(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.on("h[1-2]", "exit 1")
	for _, c := range []struct{ args, says string }{
		{"h3 --failed", "in place of HOSTS"},
		{"-x h9 h1 true", "-x h9 leaves nothing out"},
		{"-qb h1 h2 true", "-b is another option here"},
		{"-N h1 true", "-N does not go together with many hosts"},
		{"-L 1:a:2 h1 true", "-L does not go together with many hosts"},
		{"-G h1", "needs a command"},
		{"-G h1 true", "-G does not go together with many hosts"},
		{"--stdin -n h1 true", "-n does not read it"},
	} {
		if r := f.on(strings.Fields(c.args)...); !strings.Contains(r.Err, c.says) {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
	wants(t, "a user is the same host", f.on("-x", "h2", "h1,root@h2", "echo hi").Out, "h1: hi")
	r := f.on("h[1-2]", `printf '%s' 'caf`+"\xe9"+`'; exit 1`)
	again := f.on("--failed")
	wants(t, "the same bytes", again.Out, strings.Split(strings.TrimSpace(r.Out), "\n")...)
	if !strings.Contains(again.Err, "on h[1-2]: printf") {
		t.Errorf("%+v", again)
	}
}
