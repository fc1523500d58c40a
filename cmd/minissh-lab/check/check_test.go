package check

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/protocol/testend"
)

// interpreter is the path of a Python 3, or "". It is asked for its own path, since
// the name may be a wrapper that takes longer than the program.
var interpreter = sync.OnceValue(func() string {
	for _, name := range []string{"python3", "python"} {
		out, err := exec.Command(name, "-c",
			"import sys; sys.version_info >= (3, 6) and print(sys.executable)").Output()
		if err == nil && len(out) > 0 {
			return strings.TrimSpace(string(out))
		}
	}
	return ""
})

// program is the command line of a program of testdata.
func python(t *testing.T, path, address string) []string {
	t.Helper()
	if interpreter() == "" {
		t.Skip("not run: needs python3")
	}
	return []string{interpreter(), "-S", "-B", path, address}
}

// free is a loopback address that nobody listens on. A program that another test starts meanwhile
// would have a copy of the listener that tried it, until it is executed: none is started meanwhile.
func free(t *testing.T, network string) string {
	t.Helper()
	if runtime.GOOS == "linux" { // elsewhere Listen takes the lock itself
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 15000+int(nextPort.Add(1)+uint32(os.Getpid()))%15000)
		if network == "udp" {
			if pc, err := net.ListenPacket(network, address); err == nil {
				pc.Close()
				return address
			}
		} else if l, err := net.Listen(network, address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// nextPort keeps tests apart that run at once. Its ports lie below those that systems give to
// outgoing connections, so that none of these takes one between free and the program that is
// checked.
var nextPort atomic.Uint32

// checked runs a check on a program and returns the failures by case.
func checked(t *testing.T, lesson string, side Side, path string, o Options) (Summary,
	map[string]*Failure) {
	t.Helper()
	c := Find(lesson)
	if o.Network == "" {
		o.Network = "tcp"
		if c.Datagram {
			o.Network = "udp"
		}
		o.Address = free(t, o.Network)
	}
	where := o.Address
	if o.Network == "unix" {
		where = "unix:" + where
	}
	o.Program = python(t, path, where)
	failures := map[string]*Failure{}
	o.Report = func(r Result) {
		switch f := r.Failed(); {
		case f != nil:
			failures[r.Case.Name] = f
		case r.Err != nil:
			t.Logf("%s: %v", r.Case.Name, r.Err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // ends what hangs
	defer cancel()
	sum, err := Run(ctx, c, side, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum, failures
}

// rightPrograms are the programs of testdata that are right, by lesson and side.
var rightPrograms = []struct {
	lesson string
	side   Side
	file   string
}{
	{"1-5", Server, "echo_server.py"}, {"6", Server, "echo_server.py"}, {"7", Server, "echo_server.py"},
	{"8", Server, "echo_server.py"}, {"9", Server, "echo_server.py"},
	{"6", Client, "echo_client.py"}, {"8", Client, "echo_client.py"},
	{"11", Server, "naive_server.py"}, {"11", Client, "naive_client.py"},
	{"12", Server, "naive_server.py"}, {"12", Client, "naive_client.py"},
	{"14b", Server, "ack_server.py"}, {"14b", Client, "ack_client.py"},
	{"15a", Server, "simple_server.py"}, {"15a", Client, "simple_client.py"}, {"15b", Client, "simple_client.py"},
	{"16", Server, "ultimate_server.py"}, {"16", Client, "ultimate_client.py"},
	{"17-18", Server, "file_server.py"}, {"17-18", Client, "file_client.py"},
	{"19", Server, "oo_server.py"}, {"19", Client, "oo_client.py"},
	{"20", Server, "udp_server.py"}, {"20", Client, "udp_client.py"},
}

func TestCorrectProgramsPass(t *testing.T) {
	t.Parallel()
	for _, c := range rightPrograms {
		t.Run(c.lesson+" "+c.file, func(t *testing.T) {
			t.Parallel()
			sum, failures := checked(t, c.lesson, c.side, "testdata/"+c.file,
				Options{Limit: 10 * time.Second})
			for name, f := range failures {
				t.Errorf("%s: sent %s; want %s; got %s; said %s", name, f.Sent.En, f.Want.En,
					f.Got.En, f.Said)
			}
			if !sum.OK() || sum.Remarks > 0 {
				t.Errorf("summary %+v", sum)
			}
		})
	}
}

func TestSocketFileOfACorrectServerIsGone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs SIGINT")
	}
	dir, err := os.MkdirTemp("", "lab") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o := Options{Limit: 10 * time.Second, Network: "unix", Address: filepath.Join(dir, "s")}
	if sum, failures := checked(t, "1-5", Server, "testdata/echo_server.py", o); sum.Passed != 2 {
		t.Errorf("%+v %v", sum, failures)
	}
	spoiled := spoil(t, "echo_server.py", "        os.remove(where)", "        pass")
	if _, failures := checked(t, "1-5", Server, spoiled, o); failures["file"] == nil ||
		failures["file"].Belief != cause.LeftBehind {
		t.Errorf("a file left behind was not noticed: %v", failures)
	}
}

// spoil copies the programs and replaces some lines of one: a correct program
// becomes one with a known bug.
func spoil(t *testing.T, file, good, bad string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"lab.py", file} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if name == file {
			if strings.Count(text, good) != 1 {
				t.Fatalf("%s: %d times %q", file, strings.Count(text, good), good)
			}
			text = strings.Replace(text, good, bad, 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, file)
}

// TestMain lets many tests run at a time: they wait far more than they work. It looks
// for goroutines that outlive them.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "12")
	testend.Main(m, func() { os.RemoveAll(daemonDir) }) // "" removes nothing
}

// Each known bug of the course's copied programs, as the lines that make it, and
// what check must call it.
func TestKnownBugsAreCaught(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		lesson    string
		side      Side
		file      string
		good, bad string
		onCase    string
		belief    *Belief
	}{
		{"1 over-counting", "15a", Client, "simple_client.py",
			"            res = phone.recv(min(1024, total - recv_size))\n" +
				"            if not res:\n                sys.exit('the connection ended')\n" +
				"            recv_data += res\n            recv_size += len(res)\n",
			"            recv_data += phone.recv(1024)\n            recv_size += len(recv_data)\n",
			"chaos", cause.OverCounting},
		{"2 put glues", "17-18", Server, "file_server.py",
			"        while b'{' not in self.rest and len(self.rest) < 1100:\n" +
				"            self.more()\n        return self.take(self.rest.find(b'{') - " +
				"4).decode('utf-8')\n",
			"        cmd, self.rest = self.rest, b''\n        return cmd.decode('utf-8')\n", "put",
			cause.PutGlued},
		{"3 empty output", "11", Server, "naive_server.py", " or b'(no output)\\n'", "", "silent", cause.EmptyOutput},
		{"12 a smaller recv", "12", Client, "naive_client.py", "phone.recv(1024)", "phone.recv(100)", "leftover", cause.OneRecv},
		{"4 short recv", "15a", Client, "simple_client.py", "recv_exact(phone, 4)", "phone.recv(4)", "chaos", cause.ShortRecv},
		{"4 spins at the end, client", "15a", Client, "simple_client.py",
			"            if not res:\n                sys.exit('the connection ended')\n", "",
			"eof", cause.NoEndTest},
		{"4 spins at the end, server", "8", Server, "echo_server.py", "        if not data:\n            break\n", "", "fin", cause.NoEndTest},
		{"4 short header", "16", Client, "ultimate_client.py",
			"from lab import calling, recv_exact, recv_header\n",
			"import json\nimport struct\nfrom lab import calling, recv_exact\n\n\n" +
				"def recv_header(conn):\n    return json.loads(conn.recv(struct.unpack('i', " +
				"recv_exact(conn, 4))[0]))\n\n", "chaos", cause.ShortRecv},
		{"5 missing file", "17-18", Server, "file_server.py", "    if os.path.isfile(path):\n", "    if True:\n", "missing", cause.MissingFile},
		{"6 characters, server", "16", Server, "ultimate_server.py", "len(head_bytes)", "len(head_json)", "golden", cause.CharsNotBytes},
		{"6 characters, client", "17-18", Client, "file_client.py", "len(head_bytes)", "len(head_json)", "put", cause.CharsNotBytes},
		{"6 characters of data", "15a", Server, "simple_server.py", "struct.pack('i', len(data))",
			"struct.pack('i', len(out + err))", "chinese", cause.CharsNotBytes},
		{"7 half a character", "15a", Client, "simple_client.py", "            recv_data += res\n",
			"            recv_data += res.decode('utf-8').encode('utf-8')\n", "chinese",
			cause.CutCharacter},
		{"8 traversal, server", "17-18", Server, "file_server.py",
			"os.path.basename(head_dic['filename'])",
			"head_dic['filename']", "outside", cause.TraversalPut},
		{"8 traversal, client", "17-18", Client, "file_client.py",
			"os.path.basename(head_dic['filename'])",
			"head_dic['filename']", "outside", cause.TraversalHeader},
		{"8 traversal, oo server", "19", Server, "oo_server.py",
			"os.path.basename(head_dic['filename'])",
			"head_dic['filename']", "outside", cause.TraversalPut},
		{"9 -1 believed", "15b", Client, "simple_client.py",
			"        if not 0 <= total <= LIMIT:\n" +
				"            sys.exit('length %d refused' % total)\n", "", "minus-one",
			cause.TrustedLength},
		{"9 2^31-1 believed", "15b", Client, "simple_client.py",
			"        if not 0 <= total <= LIMIT:\n" +
				"            sys.exit('length %d refused' % total)\n", "", "huge",
			cause.TrustedLength},
		{"9 recv(-1)", "15b", Client, "simple_client.py",
			"        if not 0 <= total <= LIMIT:\n" +
				"            sys.exit('length %d refused' % total)\n",
			"        phone.recv(total)\n", "minus-one", cause.TrustedLength},
		{"9 2 GiB asked for", "15b", Client, "simple_client.py",
			"        if not 0 <= total <= LIMIT:\n" +
				"            sys.exit('length %d refused' % total)\n",
			"        phone.recv(total)\n", "huge", cause.TrustedLength},
		{"9 server", "17-18", Server, "file_server.py",
			"    if not 0 < head_len <= 8192:\n" +
				"        raise ConnectionError('header length %d refused' % head_len)\n", "",
			"huge", cause.TrustedLength},
		{"accept in the loop", "7", Server, "echo_server.py",
			"            break\n        conn.sendall(data.upper())\n",
			"            break\n        conn.sendall(data.upper())\n        phone.accept()\n",
			"ten", cause.AcceptInLoop},
		{"one recv", "15a", Client, "simple_client.py", "        while recv_size < total:\n", "        if recv_size < total:\n", "chaos", cause.OneRecv},
		{"a reset kills", "8", Server, "echo_server.py",
			"        except ConnectionResetError:\n            break\n",
			"        except ConnectionResetError:\n            os._exit(1)\n", "rst",
			cause.ResetKills},
		{"Enter alone", "8", Client, "echo_client.py", "    if not msg:\n        continue\n", "", "enter", cause.EnterAlone},
		{"a datagram cut", "20", Server, "udp_server.py", "65535", "1024", "long", cause.DatagramCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := spoil(t, c.file, c.good, c.bad)
			_, failures := checked(t, c.lesson, c.side, path,
				Options{Limit: 1500 * time.Millisecond, Only: c.onCase})
			f := failures[c.onCase]
			if f == nil {
				t.Fatalf("not caught; failures: %v", failures)
			}
			t.Logf("sent %s; want %s; got %s; said %s", f.Sent.En, f.Want.En, f.Got.En, f.Said)
			if strings.Contains(c.name, "spins") && runtime.GOOS == "linux" &&
				!strings.Contains(f.Got.En, "spins") {
				t.Errorf("not seen to spin: %s", f.Got.En)
			}
			if f.Belief != c.belief {
				t.Errorf("called %+v; got %s; said %s", f.Belief, f.Got.En, f.Said)
			}
		})
	}
}

func TestServerWithoutReuseAddressDoesNotRestart(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs the TIME_WAIT of Linux")
	}
	dir := t.TempDir()
	for _, name := range []string{"lab.py", "echo_server.py"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(data),
			"    phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n", "", 1)
		os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	}
	_, failures := checked(t, "8", Server, filepath.Join(dir, "echo_server.py"),
		Options{Limit: 10 * time.Second, Only: "restart"})
	if f := failures["restart"]; f == nil || f.Belief != cause.AddressInUse ||
		!strings.Contains(f.Said, "in use") {
		t.Errorf("failures %v", failures)
	}
}
