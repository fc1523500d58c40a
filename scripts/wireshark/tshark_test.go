//go:build unix

// Package wireshark_test holds the tests of the dissectors beside it: what was sent is compared
// with what tshark shows.
package wireshark_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// plainPort is one that Decode As gives to the frames themselves, tlsPort one that nobody knows.
const plainPort, tlsPort = 7000, 7001

// tshark runs it on a capture with the dissectors of this folder, in a home of its own, and gives
// its standard output. An error in the Lua code fails the test, wherever it shows.
func tshark(t *testing.T, file string, args ...string) string {
	t.Helper()
	out, code := tryTshark(t, file, args...)
	if code != 0 {
		t.Fatalf("tshark ended with %d: %.600s", code, out)
	}
	return out
}

// tryTshark runs tshark to its end, which may be a bad one; then standard error comes after the
// output.
func tryTshark(t *testing.T, file string, args ...string) (out string, code int) {
	t.Helper()
	path := testhost.Need(t, "tshark")
	// it works hard, on a machine that others use too
	ctx, cancel := context.WithTimeout(t.Context(), 3*testhost.Patience)
	defer cancel()
	home := filepath.Dir(file)
	copyScripts(t, home)
	all := []string{"-n", "-X", "lua_script:" + filepath.Join(home, "minissh.lua"), "-r", file,
		"-d", fmt.Sprintf("tcp.port==%d,minissh", plainPort), "-o",
		"tcp.reassemble_out_of_order:TRUE", "-o", "minissh.secrets:TRUE"}
	cmd := exec.CommandContext(ctx, path, append(all, args...)...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=/usr/bin:/bin",
		"LANG=C.UTF-8"}
	asNobody(t, cmd, home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("tshark hangs: %v", ctx.Err())
	}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for _, text := range []string{stdout.String(), stderr.String()} {
		if at := strings.Index(text, "Lua"); at >= 0 {
			t.Fatalf("an error in Lua: %.600s", text[max(0, at-200):])
		}
	}
	out, code = stdout.String(), cmd.ProcessState.ExitCode()
	if code != 0 {
		out += stderr.String()
	}
	return out, code
}

// nobody is the account that tshark runs as when the test is root: newer ones then run no Lua.
const nobody = 65534

// asNobody lets a program of root's run as nobody, who may read what lies in dir, one of the test's
// own.
func asNobody(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	files, err := os.ReadDir(dir)
	for _, file := range files {
		if file.Type().IsRegular() {
			err = errors.Join(err, os.Chown(filepath.Join(dir, file.Name()), nobody, nobody))
		}
	}
	if err := errors.Join(err, os.Chmod(filepath.Dir(dir), 0o711),
		os.Chown(dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
}

// copyScripts puts the dissectors beside the capture, for they may lie where nobody can read;
// reading them makes them an input of the test: what tshark itself reads does not count for the
// cache of results.
func copyScripts(t *testing.T, dir string) {
	t.Helper()
	scripts, err := filepath.Glob("*.lua")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%q, %v", scripts, err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// packet is what tshark shows of one packet: all occurrences of each field.
type packet map[string][]string

// fields runs tshark and gives every packet's fields.
func fields(t *testing.T, file string, names []string, args ...string) []packet {
	t.Helper()
	const between, within = "\x1e", "\x1f"
	names = append([]string{"_ws.lua.error", "tcp.stream", "tcp.srcport", "tcp.dstport"}, names...)
	args = append(args, "-T", "fields", "-E", "occurrence=a", "-E", "separator="+between, "-E",
		"aggregator="+within)
	for _, name := range names {
		args = append(args, "-e", name)
	}
	var all []packet
	for line := range strings.Lines(tshark(t, file, args...)) {
		p := packet{}
		for i, value := range strings.Split(strings.TrimSuffix(line, "\n"), between) {
			if value != "" {
				// newer ones double them
				p[names[i]] = strings.Split(strings.ReplaceAll(value, `\\`, `\`), within)
			}
		}
		if len(p["_ws.lua.error"]) > 0 {
			t.Fatalf("an error in Lua: %s", line)
		}
		all = append(all, p)
	}
	return all
}

// take removes the first of a packet's values.
func (p packet) take(name string) string {
	if len(p[name]) == 0 {
		return "(none)"
	}
	value := p[name][0]
	p[name] = p[name][1:]
	return value
}

// frameFields are those of which seen makes frames.
var frameFields = []string{"minissh.type", "minissh.length", "minissh.flags", "minissh.channel",
	"minissh.json", "minissh.data", "minissh.limit", "minissh.received", "minissh.echo",
	"minissh.ended"}

// way is one direction of one connection.
type way struct {
	stream int
	client bool // what the client sent
}

// seen puts what tshark shows into the words of said, by direction.
func seen(packets []packet, port int) map[way][]string {
	all := map[way][]string{}
	for _, p := range packets {
		if len(p["tcp.stream"]) == 0 {
			continue
		}
		stream := atoi(p["tcp.stream"][0])
		w := way{stream, p["tcp.dstport"][0] == strconv.Itoa(port)}
		for len(p["minissh.type"]) > 0 {
			kind, _ := strconv.ParseUint(p.take("minissh.type"), 0, 8)
			flags, _ := strconv.ParseUint(p.take("minissh.flags"), 0, 8)
			text := fmt.Sprintf("%v length %s flags %d channel %s ", protocol.Type(kind),
				p.take("minissh.length"), flags, p.take("minissh.channel"))
			switch t := protocol.Type(kind); {
			case t.IsJSON():
				text += p.take("minissh.json")
			case t.IsData():
				text += p.take("minissh.data")
			case t == protocol.TypeEOF:
				ended, _ := strconv.ParseUint(p.take("minissh.ended"), 0, 8)
				text += protocol.Type(ended).String()
			case t == protocol.TypeWindow:
				text += p.take("minissh.limit")
			case t == protocol.TypeAck:
				text += p.take("minissh.received")
			default:
				text += p.take("minissh.echo")
			}
			all[w] = append(all[w], text)
		}
	}
	return all
}

// said is what this project's own decoder finds in the bytes of one direction.
func said(t *testing.T, raw []byte) []string {
	t.Helper()
	var all []string
	r := protocol.NewReader(bytes.NewReader(raw))
	for {
		f, err := r.Next()
		if err != nil {
			return all
		}
		text := fmt.Sprintf("%v length %d flags %d channel %d ", f.Type, f.Length, f.Flags,
			f.Channel)
		switch {
		case f.Type.IsJSON():
			text += string(f.Payload)
		case f.Type == protocol.TypeEOF:
			ended, _ := f.Ended()
			text += ended.String()
		case f.Type == protocol.TypeWindow, f.Type == protocol.TypeAck:
			text += strconv.FormatUint(f.Number(), 10)
		default:
			text += hex.EncodeToString(f.Payload)
		}
		all = append(all, text)
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: %d frames shown, %d sent:\n%.1500s\nnot\n%.1500s", what, len(got), len(want),
			strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// talk is a short conversation with everything in it: each kind of frame, characters of several
// bytes, bytes that are not text.
func talk() (fromClient, fromServer []byte) {
	add := func(b *[]byte, kind protocol.Type, channel uint32, payload string) {
		*b = protocol.AppendFrame(*b, kind, 0, channel, []byte(payload))
	}
	c, s := &fromClient, &fromServer
	add(c, protocol.TypeHello, 0, `{"protocol":"minissh/1","session":"`+strings.Repeat("0f", 32)+
		`","epoch":1,"create":true,"received":0,"user":"学生","resend":0}`)
	add(c, protocol.TypeOpen, 1, `{"service":"exec","command":"echo 你好"}`)
	add(c, protocol.TypeStdin, 1, "一\xff\x00\n")
	add(c, protocol.TypeSignal, 1, `{"signal":"INT"}`)
	add(c, protocol.TypeResize, 1, `{"rows":50,"cols":132}`)
	add(c, protocol.TypeEOF, 1, "\x10")
	add(s, protocol.TypeWelcome, 0, `{"received":0,"resend":0,"channels":64,"user":"学生"}`)
	add(s, protocol.TypeOpened, 1, `{"pid":4711}`)
	add(s, protocol.TypeNotice, 1, `{"notice":"output_held"}`)
	add(s, protocol.TypeStdout, 1, "你好\n")
	add(s, protocol.TypeStderr, 1, "no\n")
	*s = protocol.AppendNumber(*s, protocol.TypeWindow, 1, 524288)
	*s = protocol.AppendNumber(*s, protocol.TypePing, 0, 42)
	add(s, protocol.TypeEOF, 1, "\x11")
	add(s, protocol.TypeEOF, 1, "\x12")
	add(s, protocol.TypeExit, 1, `{"how":"exited","code":42}`)
	add(s, protocol.TypeClose, 1, `{}`)
	*c = protocol.AppendNumber(*c, protocol.TypePong, 0, 42)
	add(c, protocol.TypeClose, 1, `{}`)
	add(c, protocol.TypeGoodbye, 0, `{}`)
	return fromClient, fromServer
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
