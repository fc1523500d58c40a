package dialect

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/cmd/minissh-lab/folder"
	"minissh/protocol/testend"
)

// openFolder is a guarded folder with one file in it.
func openFolder(t *testing.T, name, data string) *folder.Folder {
	t.Helper()
	dir := t.TempDir()
	if name != "" {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// pair serves d on one end of a pipe and returns a client on the other. The
// server's result comes from end, after the client has left.
func pair(t *testing.T, d *Dialect, serverOptions, clientOptions Options, auto bool) (c *Client,
	end func() error) {
	t.Helper()
	here, there := net.Pipe()
	result := make(chan error, 1)
	go func() {
		result <- d.Serve(t.Context(), there, serverOptions)
		there.Close()
	}()
	speak := d
	if auto {
		speak = nil
	}
	return NewClient(here, speak, clientOptions), func() error {
		here.Close()
		return testend.Next(t, "Serve ends", result)
	}
}

func TestExchanges(t *testing.T) {
	big := strings.Repeat("x", 2999) + "\n"
	shell := func(line string) ([]byte, []byte) {
		switch line {
		case "big":
			return []byte(big), nil
		case "both":
			return []byte("out\n"), []byte("err\n")
		case "中":
			return []byte("中文\n"), nil
		}
		return nil, nil
	}
	gbk, err := ParseEncoding("gbk")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Dialect{ack, simple, ultimate} {
		for _, o := range []Options{{}, {BigEndian: true}, {Encoding: gbk}, {RecvSize: 7}} {
			o.Shell = shell
			if o.RecvSize == 7 && d == ack {
				o.RecvSize = 10 // its recv_ready must fit into one recv
			}
			c, end := pair(t, d, o, o, false)
			for line, want := range map[string]string{"big": big, "both": "out\nerr\n",
				"中": "中文\n", "none": ""} {
				reply, err := c.Exchange(t.Context(), line)
				if err != nil || o.decode(reply.Data) != want {
					t.Fatalf("%s %q: %v, %+v", d.Name, line, err, reply)
				}
				if o.Encoding != nil && line == "中" && string(reply.Data) != "\xd6\xd0\xce\xc4\n" {
					t.Errorf("%s: gbk bytes are %q", d.Name, reply.Data)
				}
			}
			if err := end(); err != nil {
				t.Errorf("%s: server: %v", d.Name, err)
			}
		}
	}
}

func TestNaiveLeavesTheRestForTheNextAnswer(t *testing.T) {
	c, end := pair(t, naive, Options{}, Options{}, false)
	sizes := []int{1024, 1024, 952} // net.Pipe hands over what one Write was given, piece by piece
	for i, line := range []string{"big", "pwd", "pwd"} {
		if i > 0 { // the server is still writing the answer to big: nothing is sent to it
			w, done := newWire(t.Context(), c.conn, c.o)
			data, err := w.recv(1024)
			done()
			if err != nil || len(data) != sizes[i] {
				t.Fatalf("recv %d: %d bytes, %v", i, len(data), err)
			}
			continue
		}
		reply, err := c.Exchange(t.Context(), line)
		if err != nil || len(reply.Data) != sizes[i] {
			t.Fatalf("big: %v, %v", reply, err)
		}
	}
	if reply, err := c.Exchange(t.Context(), "pwd"); err != nil ||
		string(reply.Data) != "/home/student\n" {
		t.Errorf("pwd: %v, %v", reply, err)
	}
	if err := end(); err != nil {
		t.Errorf("server: %v", err)
	}
}

func TestFilesBothWays(t *testing.T) {
	data := strings.Repeat("0123456789", 10_000)
	for _, d := range []*Dialect{file, oo} {
		for _, bigEndian := range []bool{false, true} {
			for _, content := range []string{"", "1", data} {
				store, mine := openFolder(t, "a.txt", content), openFolder(t, "你好.txt", content)
				c, end := pair(t, d, Options{Folder: store, BigEndian: bigEndian},
					Options{Folder: mine, BigEndian: bigEndian}, false)
				reply, err := c.Exchange(t.Context(), "get a.txt")
				if err != nil || reply.Saved != "a.txt" ||
					reply.Header.Size != int64(len(content)) {
					t.Fatalf("%s get: %+v, %v", d.Name, reply, err)
				}
				if reply, err = c.Exchange(t.Context(), "put 你好.txt"); err != nil ||
					reply.Sent != int64(len(content)) {
					t.Fatalf("%s put: %+v, %v", d.Name, reply, err)
				}
				// The next exchange also shows that the put has been taken whole.
				if _, err = c.Exchange(t.Context(), "get none.txt"); !errors.Is(err, ErrRefused) {
					t.Fatalf("%s get of a missing file: %v", d.Name, err)
				}
				if _, err = c.Exchange(t.Context(), "get ../a.txt"); !errors.Is(err, ErrRefused) {
					t.Fatalf("%s get ../a.txt: %v", d.Name, err)
				}
				if _, err = c.Exchange(t.Context(), "put none.txt"); !errors.Is(err, ErrLocal) {
					t.Fatalf("%s put of a missing file: %v", d.Name, err)
				}
				if err := end(); err != nil {
					t.Fatalf("%s server: %v", d.Name, err)
				}
				for path, f := range map[string]*folder.Folder{"你好.txt": store, "a.txt": mine} {
					if got, err := os.ReadFile(filepath.Join(f.Path(), path)); err != nil ||
						string(got) != content {
						t.Errorf("%s: %s has %d bytes, %v; want %d", d.Name, path, len(got), err,
							len(content))
					}
				}
			}
		}
	}
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, end := pair(t, naive, Options{}, Options{Timeout: 5 * time.Second}, false)
		began := time.Now()
		if _, err := c.Exchange(t.Context(), "true"); !errors.Is(err, ErrSilent) {
			t.Errorf("an empty output: %v, want ErrSilent", err)
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("waited %v", waited)
		}
		if reply, err := c.Exchange(t.Context(), "pwd"); err != nil ||
			string(reply.Data) != "/home/student\n" {
			t.Errorf("after the silence: %v, %v", reply, err)
		}
		end()
	})
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		began := time.Now()
		if err := naive.Serve(t.Context(), there, Options{Timeout: time.Minute}); !errors.Is(err,
			ErrSilent) || time.Since(began) != time.Minute {
			t.Errorf("an idle client: %v after %v", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		here, there := net.Pipe()
		defer here.Close()
		ended := make(chan error)
		go func() { ended <- naive.Serve(ctx, there, Options{Pace: time.Hour}) }()
		here.Write([]byte("pwd"))
		synctest.Wait() // it lets the pace go by
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestAckVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A client without ack: the server loses patience, then sends.
		c, end := pair(t, ack, Options{}, Options{Ack: NoAck}, false)
		began := time.Now()
		if reply, err := c.Exchange(t.Context(), "pwd"); err != nil ||
			string(reply.Data) != "/home/student\n" {
			t.Errorf("no ack: %v, %v", reply, err)
		}
		if time.Since(began) != AckPatience {
			t.Errorf("patience was %v", time.Since(began))
		}
		end()
		c, end = pair(t, ack, Options{}, Options{Ack: "Start"}, false)
		began = time.Now()
		if reply, err := c.Exchange(t.Context(), "pwd"); err != nil ||
			string(reply.Data) != "/home/student\n" || time.Since(began) != 0 {
			t.Errorf("another ack: %v, %v after %v", reply, err, time.Since(began))
		}
		end()
	})
}

func TestAckInEveryDialectIsSkipped(t *testing.T) {
	for in, want := range map[string]string{
		"recv_ready": "", "recv_readypwd": "\x0e\x00\x00\x00/home/student\n",
		"\n": "\x00\x00\x00\x00"} {
		got, err := serveBytes(t, simple, Options{}, []byte(in), nil)
		if err != nil || got != want {
			t.Errorf("%q was answered %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestPaceDelaysEachReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []*Dialect{echo, naive, ack, simple, ultimate} {
			c, end := pair(t, d, Options{Pace: 100 * time.Millisecond}, Options{}, false)
			began := time.Now()
			if _, err := c.Exchange(t.Context(), "pwd"); err != nil {
				t.Errorf("%s: %v", d.Name, err)
			}
			if waited := time.Since(began); waited != 100*time.Millisecond {
				t.Errorf("%s waited %v", d.Name, waited)
			}
			end()
		}
	})
}

func TestAutoGuessesAndGoesOn(t *testing.T) {
	for _, bigEndian := range []bool{false, true} {
		for _, d := range []*Dialect{echo, naive, ack, simple, ultimate, file} {
			synctest.Test(t, func(t *testing.T) {
				o := Options{BigEndian: bigEndian, Folder: openFolder(t, "a.txt", "hello world")}
				c, end := pair(t, d, o, Options{Folder: openFolder(t, "", "")}, true)
				lines := map[string]string{"pwd": "/home/student\n", "big": "", "echo x": "x\n"}
				switch d {
				case echo:
					lines = map[string]string{"hello": "HELLO", "again": "AGAIN"}
				case file:
					lines = map[string]string{"get a.txt": "", "get  a.txt": ""}
				case naive:
					delete(lines, "big")
				}
				for line, want := range lines {
					reply, err := c.Exchange(t.Context(), line)
					if err != nil || c.Dialect() != d || want != "" && string(reply.Data) != want {
						t.Errorf("%s %q: %+v, %v, guessed %v", d.Name, line, reply, err,
							c.Dialect())
					}
				}
				if err := end(); err != nil {
					t.Errorf("%s: server: %v", d.Name, err)
				}
			})
		}
	}
	c := NewClient(nil, nil, Options{})
	if _, err := c.Exchange(t.Context(), "put a.txt"); !errors.Is(err, ErrLocal) {
		t.Errorf("put while guessing: %v", err)
	}
}

func TestClientSendsNothingEmptyOrLong(t *testing.T) {
	for line, want := range map[string]error{"": ErrEmpty, " \t": ErrEmpty,
		strings.Repeat("中", 342): ErrLong} {
		if _, err := NewClient(nil, naive, Options{}).Exchange(t.Context(), line); !errors.Is(err,
			want) {
			t.Errorf("%.10q: %v, want %v", line, err, want)
		}
	}
}
