//go:build unix

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/testend"
)

func bytesOf(words ...string) (list []protocol.Bytes) {
	for _, word := range words {
		list = append(list, protocol.Bytes(word))
	}
	return list
}

// A command may come by STDIN, whose rest is the command's input (EX1).
func TestExecByStdin(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	long := "cat; : " + strings.Repeat("x", 120_000)
	ch := start(t, s, protocol.Open{Length: int64(len(long))})
	for _, piece := range []string{long[:3], long[3:70_000], long[70_000:] + "inp", "ut\n"} {
		if _, err := ch.Write(protocol.TypeStdin, []byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "input\n" || r.exit == nil || *r.exit.Code != 0 {
		t.Errorf("%q, %+v, %+v", r.out, r.exit, r.refused)
	}
	for _, bad := range []struct {
		length int64
		text   string
		code   protocol.Code
	}{
		{5, "true", protocol.CodeBadRequest}, // the end comes early
		{6, "true\x00x", protocol.CodeBadRequest},
		{1 << 20, "", protocol.CodeBadRequest},
		{1<<20 + 1, "", protocol.CodeBadRequest},
		{200_000, ": " + strings.Repeat("x", 199_998), protocol.CodeStartFailed}, // E2BIG
	} {
		if runtime.GOOS != "linux" && bad.code == protocol.CodeStartFailed {
			continue // other systems take it
		}
		ch := start(t, s, protocol.Open{Length: bad.length})
		ch.Write(protocol.TypeStdin, []byte(bad.text))
		ch.EOF(protocol.TypeStdin)
		if r := collect(t, ch); r.refused == nil || r.refused.Code != bad.code {
			t.Errorf("%d: %+v, %+v", bad.length, r.refused, r.exit)
		}
	}
	ch = start(t, s, protocol.Open{Length: 5})
	ch.Write(protocol.TypeStdin, []byte("true"))
	ch.Close(nil)
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeCancelled {
		t.Errorf("%+v, %+v", r.refused, r.exit)
	}
}

// What a request asks for is what runs (EX1), and its streams come back unmixed, byte for byte.
func TestExec(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	dir := filepath.Join(l.home, "caf\xe9 \xff") // not UTF-8
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("v", 40_000)
	for _, c := range []struct {
		name     string
		open     protocol.Open
		out, err string
		code     int
	}{
		{"a shell line", protocol.Open{Command: protocol.Bytes("echo out; echo err >&2; exit 7")}, "out\n", "err\n", 7},
		{"bytes that are not UTF-8",
			protocol.Open{
				Command: protocol.Bytes("printf %s '\xd6\xff'; printf '\\377\\000\\001' >&2")},
			"\xd6\xff", "\xff\x00\x01", 0},
		{"an argument vector", protocol.Open{Argv: bytesOf("printf", "%s|", "a b", "", "$HOME", "\xfe")}, "a b||$HOME|\xfe|", "", 0},
		{"accepted environment",
			protocol.Open{Command: protocol.Bytes("echo $LC_TEST-$LANG-$NO_COLOR"),
				Env: [][2]protocol.Bytes{
					{protocol.Bytes("LC_TEST"), protocol.Bytes("x\xff")},
					{protocol.Bytes("LANG"), protocol.Bytes("C")}, {protocol.Bytes("NO_COLOR"), protocol.Bytes("1")},
				}}, "x\xff-C-1\n", "", 0},
		{"ignored environment",
			protocol.Open{Command: protocol.Bytes("echo $LD_PRELOAD$BASH_ENV$ENV$IFSX-$HOME"),
				Env: [][2]protocol.Bytes{
					{protocol.Bytes("LD_PRELOAD"), protocol.Bytes("/evil")},
					{protocol.Bytes("BASH_ENV"), protocol.Bytes("/evil")}, {protocol.Bytes("ENV"), protocol.Bytes("/evil")},
					{protocol.Bytes("HOME"), protocol.Bytes("/evil")}, {protocol.Bytes("IFSX"), protocol.Bytes("/evil")},
				}}, "-" + l.home + "\n", "", 0},
		{"a huge environment",
			protocol.Open{Command: protocol.Bytes(`printf %s "$LC_BIG" | wc -c | tr -d ' '`),
				Env: [][2]protocol.Bytes{{protocol.Bytes("LC_BIG"), protocol.Bytes(big)}}},
			"40000\n", "", 0},
		{"home", protocol.Open{Command: protocol.Bytes("pwd -P; echo $USER $LOGNAME $SHELL")}, real(t, l.home) + "\ntester tester /bin/sh\n", "", 0},
		{"a directory in bytes", protocol.Open{Command: protocol.Bytes("pwd -P"), Dir: protocol.Bytes(dir)}, real(t, dir) + "\n", "", 0},
		{"a directory below home", protocol.Open{Command: protocol.Bytes("pwd -P"), Dir: protocol.Bytes("caf\xe9 \xff")}, real(t, dir) + "\n", "", 0},
		{"umask", protocol.Open{Command: protocol.Bytes("umask")}, "0022\n", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := start(t, s, c.open)
			ch.EOF(protocol.TypeStdin)
			r := collect(t, ch)
			if r.exit == nil || r.exit.Code == nil {
				t.Fatalf("refused %+v, exit %+v", r.refused, r.exit)
			}
			if c.name == "umask" { // the daemon's own, which minisshd sets at its start
				c.out = r.out
			}
			if r.out != c.out || r.err != c.err || *r.exit.Code != c.code ||
				r.exit.How != protocol.HowExited {
				t.Errorf("out %q, err %q, %+v code %d", r.out, r.err, r.exit, *r.exit.Code)
			}
		})
	}
}

func real(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What cannot be run is refused with a code (EX8), and the session goes on.
func TestRefusedRequests(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	for _, c := range []struct {
		name string
		open protocol.Open
		code protocol.Code
	}{
		{"neither command nor argv", protocol.Open{}, protocol.CodeBadRequest},
		{"both", protocol.Open{Command: protocol.Bytes("true"), Argv: bytesOf("true")}, protocol.CodeBadRequest},
		{"a negative time", protocol.Open{Command: protocol.Bytes("true"), Timeout: -1}, protocol.CodeBadRequest},
		{"too long a time", protocol.Open{Command: protocol.Bytes("true"), Timeout: 1e9 + 1}, protocol.CodeBadRequest},
		{"no such program", protocol.Open{Argv: bytesOf("no-such-program-here")}, protocol.CodeStartFailed},
		{"an empty name", protocol.Open{Argv: bytesOf("")}, protocol.CodeStartFailed},
		{"no such directory", protocol.Open{Command: protocol.Bytes("true"), Dir: protocol.Bytes("/no/such")}, protocol.CodeNoDirectory},
		{"a file as directory", protocol.Open{Command: protocol.Bytes("true"), Dir: protocol.Bytes("/etc/passwd")}, protocol.CodeNoDirectory},
		{"no such directory, without a shell", protocol.Open{Argv: bytesOf("true"), Dir: protocol.Bytes("/no/such")}, protocol.CodeNoDirectory},
	} {
		if r := collect(t, start(t, s, c.open)); r.exit != nil || r.refused.Code != c.code ||
			r.refused.Message == "" {
			t.Errorf("%s: exit %+v, refused %+v", c.name, r.exit, r.refused)
		}
	}
	ch, err := s.Open(&protocol.Open{Service: "sftp\x1b[31m"})
	if err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.refused.Code != protocol.CodeUnknownService {
		t.Errorf("an unknown service: %+v", r.refused)
	}
	l.log.want(t, "Request refused", "user=tester", "code=unknown_service")
	if r := collect(t, shell(t, s, "echo on")); r.out != "on\n" {
		t.Errorf("the session: %+v", r)
	}
	s.Close(nil)
	settle(t, before)
}

// What a command leaves unread is discarded, even if it closes its input first (EX4): more than any
// window and pipe hold.
func TestInputNobodyReads(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	for _, command := range []string{"exec <&-; echo ready; sleep 0.05; exit 4",
		"echo ready; exit 4", "head -c 1 >/dev/null; echo ready; exit 4"} {
		ch := start(t, s, protocol.Open{Command: protocol.Bytes(command)})
		piece := make([]byte, 100_000)
		for range 20 {
			if _, err := ch.Write(protocol.TypeStdin, piece); err != nil {
				break // the command's end may come first
			}
		}
		ch.EOF(protocol.TypeStdin)
		if r := collect(t, ch); r.out != "ready\n" || r.exit == nil || *r.exit.Code != 4 {
			t.Errorf("%s: %+v", command, r)
		}
	}
}

// EOF closes the command's input and nothing else; the other direction goes on (half-close).
func TestHalfClose(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s,
		protocol.Open{Command: protocol.Bytes("n=$(wc -c); echo $n; head -c 300000 /dev/zero")})
	text := make([]byte, 300_000)
	go func() {
		ch.Write(protocol.TypeStdin, text)
		ch.EOF(protocol.TypeStdin)
	}()
	if r := collect(t, ch); len(r.out) != len("300000\n")+300_000 ||
		strings.TrimSpace(r.out[:7]) != "300000" {
		t.Errorf("%d bytes came", len(r.out))
	}
}

// The shell's directory at its end is reported when it is asked for (EX6), in bytes.
func TestReportDir(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	home := real(t, l.home)
	ask := func(command, dir, old string) *protocol.Exit {
		ch := start(t, s, protocol.Open{Command: protocol.Bytes(command), Dir: protocol.Bytes(dir),
			OldDir: protocol.Bytes(old), ReportDir: true})
		ch.EOF(protocol.TypeStdin)
		return collect(t, ch).exit
	}
	if e := ask("mkdir 'd\xff' && cd 'd\xff' && false", home, ""); *e.Code != 1 ||
		string(e.Dir) != home+"/d\xff" || string(e.OldDir) != home {
		t.Errorf("dir %q, old_dir %q, code %d", e.Dir, e.OldDir, *e.Code)
	}
	if e := ask("cd -", home, "/"); string(e.Dir) != "/" || string(e.OldDir) != home {
		t.Errorf("dir %q, old_dir %q", e.Dir, e.OldDir)
	}
	if _, e := l.run("cd /"); e.Dir != nil {
		t.Errorf("dir %q without being asked", e.Dir)
	}
}

// sshd's variables name both ends of the connection (ssh(1)).
func TestConnectionEnvironment(t *testing.T) {
	l := newLab(t, nil)
	out, _ := l.run("echo $SSH_CLIENT; echo $SSH_CONNECTION")
	words := strings.Fields(out)
	port := l.address[strings.LastIndexByte(l.address, ':')+1:]
	if len(words) != 7 || words[0] != "127.0.0.1" || words[2] != port || words[3] != "127.0.0.1" ||
		words[5] != "127.0.0.1" || words[6] != port || words[1] != words[4] {
		t.Errorf("%q for port %s", out, port)
	}
}

// Two hundred commands, sixteen at a time, leave nothing: no process, no descriptor, no goroutine.
func TestTwoHundredCommandsLeaveNothing(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	next := make(chan int, 200)
	for i := range 200 {
		next <- i
	}
	close(next)
	pids, failed := make(chan int, 200), make(chan error, 16)
	for range 16 {
		go func() {
			for i := range next {
				ch, err := s.Open(&protocol.Open{
					Service: "exec",
					Command: protocol.Bytes(fmt.Sprintf("echo $$; exit %d", i%100))})
				var r *result
				if err == nil {
					r, err = finish(ch)
				}
				if err != nil || r.exit == nil || r.exit.Code == nil || *r.exit.Code != i%100 {
					failed <- fmt.Errorf("command %d: %v %+v", i, err, r)
					return
				}
				pid, _ := strconv.Atoi(strings.TrimSpace(r.out))
				pids <- pid
			}
			failed <- nil
		}()
	}
	for range 16 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	s.Close(nil)
	settle(t, before)
	close(pids)
	for pid := range pids {
		if pid <= 0 || testend.Alive(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
}
