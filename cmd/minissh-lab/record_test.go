package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/tape"
	"minissh/protocol/testend"
)

// recordPython records a server and a client of peers with lines typed at the client's prompt.
func recordPython(t *testing.T, file, lines string, server, client []string,
	flags ...string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	free, err := freeAddress("tcp")
	if err != nil {
		t.Fatal(err)
	}
	words := append([]string{"record", "--lang", "en", "--save", file}, flags...)
	words = append(words, "--between", "127.0.0.1:0", free, "--")
	for i, script := range [][]string{server, client} {
		if i == 1 {
			words = append(words, "--client", "--")
		}
		words = append(words, python, "-S", "-B", filepath.Join("peers", script[0]), "{address}")
		words = append(words, script[1:]...)
	}
	code, out, errOut := lab(t, lines, words...)
	if code != 0 {
		t.Fatalf("code %d\n%s\n%s", code, out, errOut)
	}
	return out
}

// A learner's own two programs, started by the lab: neither notices, and every piece is
// shown, decoded by guess, saved, shown again, and compared with the mended program's run.
func TestRecordByTheVerb(t *testing.T) {
	dir := t.TempDir()
	mine, mended := filepath.Join(dir, "mine.run"), filepath.Join(dir, "mended.run")
	out := recordPython(t, mine, "ls\nquit\n", []string{"simple_server.py"},
		[]string{"simple_client.py", "i", "overcount"})
	for _, want := range []string{"client | [12]", `2 B`, `"ls"`, "(chapter 15)",
		"length 12 = 0c 00 00 00 little-endian", `data "a.txt\nb.txt\n" (12 B)`,
		"→ FIN: it sends no more", "client has ended (0)", "connections: 1;"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	recordPython(t, mended, "ls\nquit\n", []string{"ultimate_server.py"},
		[]string{"ultimate_client.py"})
	info, err := os.Stat(mended)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	_, again, _ := lab(t, "", "record", "--lang", "en", "--open", mine)
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "#1 ") && !strings.Contains(again, line) {
			t.Errorf("shown again, %q is missing in\n%s", line, again)
		}
	}
	_, beside, _ := lab(t, "", "record", "--lang", "en", "--open", mine, "--beside", mended)
	for _, want := range []string{`"mine" 2`, `"mended" 2`, `│ → 2 B "ls"`, "header length 56",
		"they differ from byte 1 of turn 2 (←) on"} {
		if !strings.Contains(beside, want) {
			t.Errorf("%q is missing in\n%s", want, beside)
		}
	}
	if _, same, _ := lab(t, "", "record", "--lang", "en", "--open", mine, "--beside",
		mine); !strings.Contains(same, "the bytes of both runs are the same") {
		t.Errorf("beside itself:\n%s", same)
	}
}

// startRecord runs record until it has said where clients connect to.
func startRecord(t *testing.T, args ...string) (at string, out *lineWriter, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &lineWriter{lines: make(chan string, 4096)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"minissh-lab", "record", "--lang", "en"}, args...),
			strings.NewReader(""), out, out)
		close(out.lines)
	}()
	_, after, _ := strings.Cut(out.seen(t, "client → ", "this link"), "client → ")
	at, _, _ = strings.Cut(after, " (the lab)") // nothing, for a saved run
	stop = func() int { cancel(); return testend.Next(t, "record ends", ended) }
	t.Cleanup(cancel)
	return at, out, stop
}

// Between two programs that run by themselves: what they say is quoted, whatever it is; a dialect
// on demand is decoded.
func TestRecordBetween(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "a.run")
	at, printed, stop := startRecord(t, "--between", "127.0.0.1:0", l.Addr().String(), "--dialect",
		"simple", "--byte-order", "big", "--save", file)
	client, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(time.Minute))
	server := testend.Accept(t, l)
	const nasty = "\x1b]0;title\x07\x1b[2J\u202e"
	for _, c := range []struct {
		from, to net.Conn
		text     string
	}{{client, server, nasty}, {server, client, "\x00\x00\x00\x03abc"}} {
		if _, err := io.WriteString(c.from, c.text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.to, make([]byte, len(c.text))); err != nil {
			t.Fatal(err)
		}
	}
	live := printed.seen(t, `data "abc"`)
	if code := stop(); code != 0 {
		t.Errorf("code %d", code)
	}
	live += printed.rest(t)
	_, again, _ := lab(t, "", "record", "--open", file, "--dialect", "simple", "--byte-order",
		"big", "--lang", "en")
	for what, out := range map[string]string{"live": live, "again": again} {
		if strings.ContainsAny(out, "\x1b\x07\u202e") ||
			!strings.Contains(out, `"\x1b]0;title\a\x1b[2J\u202e"`) ||
			!strings.Contains(out, "length 3 = 00 00 00 03 big-endian") {
			t.Errorf("%s:\n%q", what, out)
		}
	}
}

// The words of the command line, and files of every kind: what is wrong, and what to type.
func TestRecordWordsAreExplained(t *testing.T) {
	dir := t.TempDir()
	name := func(n string) string { return filepath.Join(dir, n) }
	var file strings.Builder
	w := tape.NewWriter(&file, time.Unix(0, 0), "\x1b[31mred")
	w.Write([]tape.Event{{Conn: 1, Kind: tape.Open}})
	for n, text := range map[string]string{"good.run": file.String(), "text.run": "hello\n",
		"future.run": `{"minissh-lab": "run", "version": 9}` + "\n",
		"bad.run":    file.String() + "\x1b[31m\n"} {
		if err := os.WriteFile(name(n), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"", "hint: minissh-lab record -- python3 server.py"},
		{"--client", "it comes after --"},
		{"-- python3 server.py --client --", "it comes after --"},
		{"--between 8080", "wants two addresses"},
		{"--between 8080 8080", "are the same one: 127.0.0.1:8080"},
		{"--between 8080 99999", "want a number from 0 to 65535"},
		{"--between 0.0.0.0:0 9000", "or --beyond-loopback if you want that"},
		{"--between :0 9000", "other machines can reach"},
		{"--between 192.0.2.1:0 9000 --beyond-loopback", "does not have the address"},
		{"--between 0 9000 --dialect latin", "no dialect"},
		{"--between 0 9000 --dialect udp", "is UDP"},
		{"--between 0 9000 --byte-order middle", "little or big"},
		{"--between 0 9000 --save " + name("good.run"), "exists already"},
		{"--between 0 9000 --save " + name("none/x.run"), "cannot write"},
		{"--between 0 9000 -- ./no-such-program", "there is no program"},
		{"--beside x.run", "comes with --open"},
		{"--open x.run -- python3 server.py", "shows a saved run"},
		{"--open " + name("none.run"), "no file"},
		{"--open " + dir, "is not a recorded run"},
		{"--open " + name("text.run"), "is not a recorded run"},
		{"--open " + name("future.run"), "comes from a newer lab"},
		{"--open " + name("bad.run"), "line 3: it is not an event"},
		{"--open " + name("good.run") + " --beside " + name("text.run"), "is not a recorded run"},
	} {
		words := append([]string{"record", "--lang", "en"}, strings.Fields(c.args)...)
		code, _, errOut := lab(t, "", words...)
		if code == 0 || !strings.Contains(errOut, c.want) || strings.Contains(errOut, "\x1b") {
			t.Errorf("%s: code %d, %q; want %q", c.args, code, errOut, c.want)
		}
	}
	code, out, _ := lab(t, "", "record", "--lang", "en", "--open", name("good.run"))
	if code != 0 || !strings.HasPrefix(out, `"\x1b[31mred" `) || strings.Contains(out, "\x1b") {
		t.Errorf("code %d, %q", code, out)
	}
	// A program that could not be started leaves no file.
	code, _, _ = lab(t, "", "record", "--between", "0", "9000", "--save", name("new.run"), "--",
		"./no-such-program")
	if _, err := os.Stat(name("new.run")); code == 0 || !os.IsNotExist(err) {
		t.Errorf("code %d, %v", code, err)
	}
}

// A long run of pieces, and a piece of many messages, are summed up.
func TestRecordSumsUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long.run")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tape.NewWriter(f, time.Unix(0, 0), "long")
	events := []tape.Event{{Conn: 1, Kind: tape.Open}}
	for i := range 100 {
		events = append(events, tape.Event{Conn: 1, At: int64(i), Kind: tape.Data, Way: tape.Up,
			Data: []byte("x")})
	}
	events = append(events, tape.Event{Conn: 1, At: 100, Kind: tape.Data, Way: tape.Down,
		Data: make([]byte, tape.MaxPiece)}, tape.Event{At: 200, Kind: tape.Full})
	w.Write(events)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"--open " + file, "--open " + file + " --beside " + file} {
		_, out, _ := lab(t, "", append([]string{"record", "--lang", "en", "--dialect", "simple"},
			strings.Fields(args)...)...)
		if n := strings.Count(out, "\n"); n > 40 {
			t.Errorf("%s: %d lines", args, n)
		}
		for _, want := range []string{"92 more pieces, 92 bytes", "16384 messages",
			"16372 more fields", "the recording is full"} {
			if !strings.Contains(args, "beside") && !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
	}
}

// What is shown has one time for each piece: digits that mean something.
func TestSpan(t *testing.T) {
	var all []string
	for _, us := range []int64{0, 999, 1500, 40_123, 999_999, 1_500_000, 3_700_000_000} {
		all = append(all, span(us))
	}
	if got := fmt.Sprint(all); got != "[0µs 999µs 1.5ms 40ms 999ms 1.5s 1h1m40s]" {
		t.Error(got)
	}
}

// Who connects where: the server as in the book and its clients next to it, or the other way round
// when the server is told its port.
func TestRecordPlaces(t *testing.T) {
	for _, c := range []struct{ words, relay, target string }{
		{"python3 s.py", "127.0.0.1:8081", "127.0.0.1:8080"},
		{"python3 s.py --client -- python3 c.py {port}", "127.0.0.1:8081", "127.0.0.1:8080"},
		{"python3 s.py {port}", "127.0.0.1:8080", ""},
		{"python3 s.py {address} --client -- c", "127.0.0.1:8080", ""},
		{"--between 9001 unix:/tmp/s -- s.py {address}", "127.0.0.1:9001", "/tmp/s"},
	} {
		app := newApp()
		app.Commands = []*cli.Command{{Name: "record", Flags: recordFlags(),
			Action: func(ctx *cli.Context) error {
				r, err := recordWords(ctx)
				if err == nil {
					err = r.place(ctx)
				}
				if c.target == "" && len(r.server) == 3 {
					c.target = "127.0.0.1:" + strings.TrimPrefix(r.server[2], "127.0.0.1:")
				}
				if err != nil || r.relay.Address != c.relay || r.relay.TargetAddress != c.target ||
					(r.client != nil) != strings.Contains(c.words, "--client") {
					t.Errorf("%s: %+v, %v", c.words, r, err)
				}
				return nil
			}}}
		words := strings.Fields(c.words)
		if words[0] != "--between" {
			words = append([]string{"--"}, words...)
		}
		if err := app.Run(append([]string{"minissh-lab", "record"}, words...)); err != nil {
			t.Error(err)
		}
	}
}

// The course's port numbers in the help are those that are used.
func TestRecordHelp(t *testing.T) {
	_, out, _ := lab(t, "", "record", "--help")
	for _, want := range []string{"8080", "8081", "--between", "16 MiB", "{port}"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}
