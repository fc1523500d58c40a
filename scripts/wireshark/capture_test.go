//go:build unix

package wireshark_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// dumpcap captures what goes over a port of loopback until stop is called, and gives the file.
func dumpcap(t *testing.T, p *testhost.Place, port string) (file string, stop func()) {
	t.Helper()
	path := testhost.Need(t, "dumpcap")
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root, who may capture packets")
	}
	// not in p.Dir, which may be nobody's: dumpcap gives away root's right to write there
	file = filepath.Join(t.TempDir(), "capture.pcapng")
	said := new(testhost.Text)
	cmd := p.Command(path, "-i", loopback(t), "-f", "tcp port "+port, "-w", file)
	d := p.StartWith(cmd, said, said)
	said.Await(t, "File: ") // it captures from here on
	return file, func() {
		cmd.Process.Signal(syscall.SIGINT)
		<-d.Done
	}
}

func loopback(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/sys/class/net/lo"); err != nil {
		t.Skip("not run: needs the interface lo")
	}
	return "lo"
}

// daemon starts minisshd as somebody else than root, who would not get a key log.
func daemon(t *testing.T, p *testhost.Place, args ...string) *testhost.Daemon {
	t.Helper()
	cmd := p.Command("minisshd",
		append([]string{"--control", "none", "--listen", "127.0.0.1:0", "--host-key",
			p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys")}, args...)...)
	if os.Geteuid() == 0 {
		if err := os.Chmod(testhost.Bin, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, cmd, p.Dir)
	d := p.Start(cmd)
	d.Out.Await(t, "\n")
	found := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(d.Out.String())
	if found == nil {
		t.Fatalf("%s%s", d.Out, d.Log)
	}
	d.Port = found[1]
	p.Knows("box", d.Port)
	return d
}

// traced are the frames that `minissh trace` told of: direction and name, those of the client
// first.
func traced(text string) (client, daemon []string) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || words[1] != "ms" {
			continue
		}
		switch words[2] {
		case "→":
			client = append(client, words[3])
		case "←":
			daemon = append(daemon, words[3])
		}
	}
	return client, daemon
}

// A real run, captured on loopback, decrypted with the key log of either end: what tshark shows is
// what `minissh trace` told.
func TestRealRun(t *testing.T) {
	t.Parallel()
	p := testhost.New(t)
	d := daemon(t, p, "--keylog", p.Path("daemon.keys"))
	d.Log.Await(t, "Keys are logged: the TLS secrets are written to "+p.Path("daemon.keys")+
		": whoever reads that file can read all that is sent")
	file, stop := dumpcap(t, p, d.Port)
	// nobody has no shell of its own
	cmd := p.Command("minissh", "trace", "--keylog", p.Path("client.keys"), "-l", account(t),
		"--exec", "box", "sh", "-c", "echo 你好; echo no >&2; cat; exit 3")
	cmd.Stdin = strings.NewReader(strings.Repeat("0123456789", 20_000))
	r := p.RunCmd(cmd)
	if r.Code != 3 || !strings.HasPrefix(r.Out, "你好\n0123") {
		t.Fatalf("%d %.100s %.1000s", r.Code, r.Out, r.Err)
	}
	asNobody(t, new(exec.Cmd), p.Dir) // tshark reads the client's key log as nobody
	awaitGoodbye(t, file, p.Path("client.keys"), d.Port)
	stop()
	fromClient, fromDaemon := traced(r.Err)
	if len(fromClient) < 5 || len(fromDaemon) < 6 {
		t.Fatalf("%s", r.Err)
	}
	for _, keys := range []string{"client.keys", "daemon.keys"} {
		packets := fields(t, file, append(frameFields, "minissh.violation", "minissh.from",
			"minissh.exit_code", "minissh.stdin"), "-o", "tls.keylog_file:"+p.Path(keys))
		got := seen(packets, atoi(d.Port))
		for _, side := range []struct {
			client bool
			want   []string
		}{{true, fromClient}, {false, fromDaemon}} {
			var names []string
			for _, text := range got[way{0, side.client}] {
				names = append(names, strings.Fields(text)[0])
			}
			// the daemon may acknowledge once more when the client, which has said goodbye, reads
			// nothing any more
			if n := len(side.want); !side.client && len(names) == n+1 && names[n] == "ACK" {
				names = names[:n]
			}
			same(t, keys, names, side.want)
		}
		if codes := faults(packets); len(codes[0]) > 0 {
			t.Errorf("%s: violations %q in a sound conversation", keys, codes[0])
		}
		last := func(name string) string {
			var all []string
			for _, packet := range packets {
				all = append(all, packet[name]...)
			}
			if len(all) == 0 {
				return ""
			}
			return all[len(all)-1]
		}
		if last("minissh.exit_code") != "3" || last("minissh.stdin") != "200000" ||
			last("minissh.from") != "client" {
			t.Errorf("%s: exit code %s, %s bytes of stdin, the last frame from %s", keys,
				last("minissh.exit_code"), last("minissh.stdin"), last("minissh.from"))
		}
	}
}

// awaitGoodbye waits until the client's last frame is in the file that dumpcap writes.
func awaitGoodbye(t *testing.T, file, keys, port string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testhost.Patience)
	defer cancel()
	for ctx.Err() == nil { // a foreign process writes it
		cut := filepath.Join(t.TempDir(), "capture.pcapng")
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(cut, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		out, _ := tryTshark(t, cut, "-o", "tls.keylog_file:"+keys, "-Y",
			"minissh.type == 0x86 && tcp.dstport == "+port)
		if strings.Contains(out, "GOODBYE") {
			return
		}
	}
	t.Fatal("the capture does not hold the whole run")
}

// account is the one that the daemon serves and runs as.
func account(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("id", "-un")
	asNobody(t, cmd, t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
