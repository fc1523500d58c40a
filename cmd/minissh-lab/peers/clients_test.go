package peers

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/playshell"
)

// shell is the played shell of shell.py, so that both directions say the same.
func shell(line string) ([]byte, []byte) {
	switch word, rest, _ := strings.Cut(line, " "); word {
	case "both":
		return []byte("out\n"), []byte("err\n")
	case "echo":
		return []byte(rest + "\n"), nil
	}
	return playshell.Run(line)
}

// sized is what the Python clients print for an answer.
func sized(text string) string { return fmt.Sprintf("[%d]\n%s\n", len(text), text) }

func TestPythonClientsOfGoServers(t *testing.T) {
	gbk, err := dialect.ParseEncoding("gbk")
	if err != nil {
		t.Fatal(err)
	}
	big := playshell.Big(3000)
	both := sized("out\nerr\n")
	chinese := sized("你好\n")
	for _, c := range []struct {
		dialect, script string
		args            []string
		o               dialect.Options
		lines           []string
		want            string
	}{
		{"echo", "echo_client.py", nil, dialect.Options{}, []string{"hello", "", "你好 abc"}, "HELLO\n你好 ABC\n"},
		{"naive", "naive_client.py", nil, dialect.Options{}, []string{"both", "echo 你好"}, both + chinese},
		{"naive", "naive_client.py", []string{"gbk"}, dialect.Options{Encoding: gbk}, []string{"echo 你好"}, "[5]\n你好\n\n"},
		{"ack", "ack_client.py", nil, dialect.Options{}, []string{"both", "big", "true", "echo 你好"}, both + sized(big) + sized("") + chinese},
		{"ack", "ack_client.py", []string{"Start"}, dialect.Options{}, []string{"both", "big"}, both + sized(big)},
		{"ack", "ack_client.py", []string{"none"}, dialect.Options{}, []string{"both"}, both},
		{"simple", "simple_client.py", nil, dialect.Options{}, []string{"both", "big", "true"},
			"length 8\n" + both + "length 3000\n" + sized(big) + "length 0\n" + sized("")},
		{"simple", "simple_client.py", []string{"!i"}, dialect.Options{BigEndian: true}, []string{"both"}, "length 8\n" + both},
		{"ultimate", "ultimate_client.py", nil, dialect.Options{}, []string{"both", "big", "true", "echo 你好"}, both + sized(big) + sized("") + chinese},
		{"ultimate", "ultimate_client.py", []string{"i", "data_size"}, dialect.Options{}, []string{"both"}, both},
		{"ultimate", "ultimate_client.py", []string{"!i", "file_size"}, dialect.Options{BigEndian: true}, []string{"both"}, both},
		{"udp", "udp_client.py", nil, dialect.Options{}, []string{"hello", "", "你好 abc"}, "[5] HELLO\n[0] \n[10] 你好 ABC\n"},
		{"udp-exec", "udp_exec_client.py", nil, dialect.Options{}, []string{"both"}, "[8]\nout\nerr\n"},
		{"udp-exec", "udp_exec_client.py", []string{"two"}, dialect.Options{TwoParts: true}, []string{"both", "true"},
			"[4]\nerr\n[4]\nout\n[0]\n[0]\n"},
	} {
		t.Run(c.dialect+strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			c.o.Shell = shell
			at := goServer(t, dialect.Find(c.dialect), "127.0.0.1:0", c.o)
			if got := runClient(t, append([]string{c.script, at}, c.args...),
				c.lines...); got != c.want {
				t.Errorf("printed %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestPythonClientsOverOtherAddressFamilies(t *testing.T) {
	for _, place := range otherPlaces(t) {
		at := goServer(t, dialect.Find("ultimate"), place, dialect.Options{Shell: shell})
		if got := runClient(t, []string{"ultimate_client.py", at},
			"both"); got != sized("out\nerr\n") {
			t.Errorf("%s: %q", place, got)
		}
	}
}

// otherPlaces are IPv6 and a Unix socket, as far as this machine and its Python
// have them.
func otherPlaces(t *testing.T) []string {
	t.Helper()
	var places []string
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		places = append(places, "[::1]:0")
	} else {
		t.Log("not run: needs IPv6 on loopback")
	}
	if runtime.GOOS != "windows" { // Python has no AF_UNIX there
		dir, err := os.MkdirTemp("", "lab")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		places = append(places, "unix:"+filepath.Join(dir, "s"))
	}
	return places
}

func TestPythonReadyCopyOfUltimate(t *testing.T) {
	// A copy that kept chapter 14's ack sends it when the data is already on its way;
	// it may reach the server alone or stuck to the next command.
	at := goServer(t, dialect.Find("ultimate"), "127.0.0.1:0", dialect.Options{Shell: shell})
	got := runClient(t, []string{"ultimate_client.py", at, "i", "data_size", "ready"}, "both",
		"echo 你好", "both")
	if both := sized("out\nerr\n"); got != both+sized("你好\n")+both {
		t.Errorf("printed %q", got)
	}
}

func TestNaivePythonClientSeesTheLeftover(t *testing.T) {
	at := goServer(t, dialect.Find("naive"), "127.0.0.1:0", dialect.Options{})
	big := playshell.Big(3000)
	got := runClient(t, []string{"naive_client.py", at}, "big", "pwd")
	if want := sized(big[:1024]) + sized(big[1024:2048]); got != want {
		t.Errorf("printed %q\nwant %q", got, want)
	}
}

func TestPublishedOverCountingStillSticks(t *testing.T) {
	at := goServer(t, dialect.Find("simple"), "127.0.0.1:0", dialect.Options{})
	big := playshell.Big(3000)
	got := runClient(t, []string{"simple_client.py", at, "i", "overcount"}, "big", "pwd")
	// COURSE 3.1: 2048 of 3000 bytes, and text for the next length.
	want := "length 3000\n" + sized(big[:2048]) + "length 1701734764\n" // "line"
	if got != want {
		t.Errorf("printed %q\nwant %q", got, want)
	}
}

func TestPythonFileClients(t *testing.T) {
	data := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, args := range [][]string{
		{"file_client.py"}, {"file_client.py", "file_name", "total_size"}, {"oo_client.py"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			store := folderWith(t, map[string]string{"a.txt": data, "empty.txt": "",
				"one.txt": "1"})
			dir := folderWith(t, map[string]string{"你好.txt": "中文", "big.bin": data}).Path()
			d, prefix := dialect.Find("file"), ""
			if args[0] == "oo_client.py" {
				d, prefix = dialect.Find("oo"), "got-"
			}
			at := goServer(t, d, "127.0.0.1:0", dialect.Options{Folder: store})
			got := runClient(t, append([]string{args[0], at, dir}, args[1:]...),
				"put 你好.txt", "get a.txt", "put big.bin", "get one.txt", "get empty.txt",
				"get none.txt", "get ../secret")
			for _, want := range []string{"got a.txt 1048576", "got one.txt 1 ", "got empty.txt 0 ",
				"no such file", "refused file name"} {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			wantFile(t, store.Path(), "你好.txt", "中文")
			wantFile(t, store.Path(), "big.bin", data)
			wantFile(t, dir, prefix+"a.txt", data)
		})
	}
}
