package peers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

// pyBig is shell.py's 3000 bytes.
var pyBig = strings.Repeat("0123456789abcde\n", 187) + "01234567"

func TestGoClientOfPythonServers(t *testing.T) {
	gbk, err := dialect.ParseEncoding("gbk")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dialect, script string
		args            []string
		o               dialect.Options
		exchanges       [][2]string
	}{
		{"echo", "echo_server.py", nil, dialect.Options{}, [][2]string{{"hello", "HELLO"}, {"你好 abc", "你好 ABC"}}},
		{"naive", "naive_server.py", nil, dialect.Options{}, [][2]string{{"ls", "a.txt\nb.txt\n"}, {"echo 你好", "你好\n"}}},
		{"naive", "naive_server.py", []string{"gbk"}, dialect.Options{Encoding: gbk}, [][2]string{{"echo 你好", "\xc4\xe3\xba\xc3\n"}}},
		{"ack", "ack_server.py", nil, dialect.Options{}, [][2]string{{"both", "out\nerr\n"}, {"big", pyBig}, {"ls", "a.txt\nb.txt\n"}}},
		{"ack", "ack_server.py", []string{"any"}, dialect.Options{Ack: "Start"}, [][2]string{{"both", "out\nerr\n"}, {"big", pyBig}}},
		{"ack", "ack_server.py", []string{"none"}, dialect.Options{Ack: dialect.NoAck}, [][2]string{{"both", "out\nerr\n"}, {"big", pyBig}}},
		{"simple", "simple_server.py", nil, dialect.Options{}, [][2]string{{"both", "out\nerr\n"}, {"big", pyBig}, {"true", ""}}},
		{"simple", "simple_server.py", []string{"!i"}, dialect.Options{BigEndian: true}, [][2]string{{"both", "out\nerr\n"}}},
		{"ultimate", "ultimate_server.py", nil, dialect.Options{}, [][2]string{{"both", "out\nerr\n"}, {"big", pyBig}, {"true", ""}}},
		{"ultimate", "ultimate_server.py", []string{"!i", "data_size"}, dialect.Options{BigEndian: true}, [][2]string{{"both", "out\nerr\n"}}},
		{"udp", "udp_server.py", nil, dialect.Options{}, [][2]string{{"hello", "HELLO"}}},
		{"udp-exec", "udp_exec_server.py", nil, dialect.Options{}, [][2]string{{"ls", "a.txt\nb.txt\n"}}},
		{"udp-exec", "udp_exec_server.py", []string{"two"}, dialect.Options{}, [][2]string{{"both", "err\nout\n"}}},
	} {
		t.Run(c.dialect+strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			d := dialect.Find(c.dialect)
			network := "tcp"
			if d.Datagram {
				network = "udp"
			}
			s := startServer(t, network, "127.0.0.1:0", c.script, c.args...)
			client := s.dial(t, d, c.o)
			for _, x := range c.exchanges {
				reply, err := client.Exchange(t.Context(), x[0])
				if err != nil || string(reply.Data) != x[1] {
					t.Errorf("%s: %+v, %v", x[0], reply, err)
				}
			}
		})
	}
}

func TestGoClientOverOtherAddressFamilies(t *testing.T) {
	for _, place := range otherPlaces(t) {
		network := "tcp"
		if strings.HasPrefix(place, "unix:") {
			network = "unix"
		}
		s := startServer(t, network, place, "simple_server.py")
		if reply, err := s.dial(t, dialect.Find("simple"), dialect.Options{}).Exchange(t.Context(),
			"big"); err != nil || string(reply.Data) != pyBig {
			t.Errorf("%s: %v", place, err)
		}
	}
}

func TestAutoGuessesPythonServers(t *testing.T) {
	for _, c := range []struct{ dialect, script, line, want string }{
		{"echo", "echo_server.py", "hello", "HELLO"},
		{"naive", "naive_server.py", "ls", "a.txt\nb.txt\n"},
		{"ack", "ack_server.py", "big", pyBig},
		{"ultimate", "ultimate_server.py", "big", pyBig},
	} {
		t.Run(c.dialect, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "tcp", "127.0.0.1:0", c.script)
			client := s.dial(t, nil, dialect.Options{})
			for range 2 {
				reply, err := client.Exchange(t.Context(), c.line)
				if err != nil || string(reply.Data) != c.want ||
					client.Dialect().Name != c.dialect {
					t.Errorf("%+v, %v, guessed %v", reply, err, client.Dialect())
				}
			}
		})
	}
}

func TestNaivePythonServerIsSilentOnEmptyOutput(t *testing.T) {
	s := startServer(t, "tcp", "127.0.0.1:0", "naive_server.py")
	client := s.dial(t, dialect.Find("naive"), dialect.Options{Timeout: 100 * time.Millisecond})
	if _, err := client.Exchange(t.Context(), "true"); !errors.Is(err, dialect.ErrSilent) {
		t.Errorf("empty output: %v, want ErrSilent", err)
	}
}

func TestMissingFileKillsThePythonServer(t *testing.T) {
	s := startServer(t, "tcp", "127.0.0.1:0", "file_server.py", t.TempDir())
	client := s.dial(t, dialect.Find("file"), dialect.Options{Folder: folderWith(t, nil)})
	if _, err := client.Exchange(t.Context(), "get none.txt"); err == nil ||
		errors.Is(err, dialect.ErrSilent) {
		t.Errorf("missing file: %v, want the connection's end", err)
	}
}

func TestGoClientOfPythonFileServers(t *testing.T) {
	data := strings.Repeat("0123456789abcdef", 1<<16)
	store := folderWith(t, map[string]string{"a.txt": data, "one.txt": "1", "empty.txt": ""})
	mine := folderWith(t, map[string]string{"你好.txt": data, "two.txt": "22"})
	check := func(t *testing.T, client *dialect.Client, line string) *dialect.Reply {
		t.Helper()
		reply, err := client.Exchange(t.Context(), line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return reply
	}
	t.Run("file", func(t *testing.T) {
		s := startServer(t, "tcp", "127.0.0.1:0", "file_server.py", store.Path())
		client := s.dial(t, dialect.Find("file"),
			dialect.Options{Folder: mine, Gap: func(context.Context) error {
				// The server has read the command alone: an application handshake, no luck.
				if got := s.line(t); !strings.HasPrefix(got, "recv ") {
					t.Errorf("the server says %q", got)
				}
				return nil
			}})
		check(t, client, "put 你好.txt")
		if got, want := s.line(t), "saved 你好.txt 1048576"; got != want {
			t.Errorf("the server says %q, want %q", got, want)
		}
		wantFile(t, store.Path(), "你好.txt", data)
		reply := check(t, client, "get a.txt")
		wantFile(t, mine.Path(), reply.Saved, data)
		check(t, client, "get empty.txt")
		wantFile(t, mine.Path(), "empty.txt", "")
	})
	t.Run("file, all of a put in the first recv", func(t *testing.T) {
		s := startServer(t, "tcp", "127.0.0.1:0", "file_server.py", store.Path(), "late")
		client := s.dial(t, dialect.Find("file"), dialect.Options{Folder: mine})
		check(t, client, "put two.txt")
		// The server's input is what it waits for: everything has arrived before its recv.
		if _, err := s.in.Write([]byte("now\n")); err != nil {
			t.Fatal(err)
		}
		// 11 of command, 4 of length, 154 of header, 2 of file: on loopback what has been
		// sent is there.
		if got := s.line(t); got != "recv 171 b'put two.t'" {
			t.Errorf("the server says %q", got)
		}
	})
	t.Run("oo put", func(t *testing.T) {
		s := startServer(t, "tcp", "127.0.0.1:0", "oo_server.py", store.Path())
		client := s.dial(t, dialect.Find("oo"), dialect.Options{Folder: mine})
		check(t, client, "put two.txt")
		if got := s.line(t); got != "saved two.txt 2" {
			t.Errorf("the server says %q", got)
		}
		check(t, client, "put 你好.txt")
		if got := s.line(t); got != "saved 你好.txt 1048576" {
			t.Errorf("the server says %q", got)
		}
	})
	t.Run("oo get", func(t *testing.T) {
		s := startServer(t, "tcp", "127.0.0.1:0", "oo_server.py", store.Path(), "get")
		client := s.dial(t, dialect.Find("oo"), dialect.Options{Folder: mine})
		for _, line := range []string{"get a.txt", "get one.txt"} {
			reply := check(t, client, line)
			want := data
			if line == "get one.txt" {
				want = "1"
			}
			wantFile(t, mine.Path(), reply.Saved, want)
		}
	})
}
