//go:build linux

package hostile_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/scripts/testhost"
)

// hoarder is a client that makes the daemon hold as much as the protocol lets it.
type hoarder struct {
	t    *testing.T
	conn interface{ Write([]byte) (int, error) }
	in   *protocol.Reader
	out  bytes.Buffer
}

func (h *hoarder) say(kind protocol.Type, channel uint32, payload string) {
	h.out.Write(protocol.AppendFrame(nil, kind, 0, channel, []byte(payload)))
	if h.out.Len() > 1<<20 {
		h.flush()
	}
}

func (h *hoarder) flush() {
	if _, err := h.conn.Write(h.out.Bytes()); err != nil {
		h.t.Logf("the daemon hangs up: %v", err)
	}
	h.out.Reset()
}

// settle sends what waits, and returns when the daemon has acted on all of it. Until then nothing
// that it says is read.
func (h *hoarder) settle() {
	h.t.Helper()
	h.say(protocol.TypePing, 0, "the last")
	h.flush()
	for {
		f, err := h.in.Next()
		if err != nil || f.Type == protocol.TypeError {
			h.t.Fatalf("%s, %v", f.Payload, err)
		}
		if f.Type == protocol.TypePong {
			return
		}
	}
}

// hoards are what one session may ask a daemon to hold.
var hoards = []struct {
	name string
	key  string // whose
	do   func(h *hoarder, channel uint32)
}{
	{"signals that files does not read", "files", func(h *hoarder, channel uint32) {
		h.say(protocol.TypeOpen, channel,
			fmt.Sprintf(
				`{"service":"files","files":{"mode":"put","target":"t%d","folder":true,"make":true}}`, channel))
		for i := range 64 {
			h.say(protocol.TypeSignal, channel, signalNamed(i))
		}
	}},
	{"signals that nobody knows, and their notices", "", func(h *hoarder, channel uint32) {
		h.say(protocol.TypeOpen, channel, `{"service":"exec","argv":["sleep","1000"]}`)
		for i := range 64 {
			h.say(protocol.TypeSignal, channel, signalNamed(i))
		}
	}},
	{"requests of many words", "", func(h *hoarder, channel uint32) {
		h.say(protocol.TypeOpen, channel, `{"service":"exec","argv":["sh","-c","exec sleep 1000"`+
			strings.Repeat(`,"a"`, words)+`]}`)
	}},
	{"input for commands that take none", "", func(h *hoarder, channel uint32) {
		h.say(protocol.TypeOpen, channel, `{"service":"exec","argv":["sleep","1000"]}`)
		for range 5 {
			h.say(protocol.TypeStdin, channel, strings.Repeat("x", 50_000))
		}
	}},
	{"output that nobody reads", "", func(h *hoarder, channel uint32) {
		h.say(protocol.TypeOpen, channel,
			`{"service":"exec","argv":["sh","-c","yes >&2 & exec yes"]}`)
		h.say(protocol.TypeWindow, channel, "\x00\x00\x00\xff\xff\xff\xff\xff")
	}},
}

// The largest of their kind that the daemon takes.
const (
	signalSize = 256
	words      = 4_000
)

func signalNamed(i int) string {
	name := fmt.Sprintf(`{"signal":"%d`, i)
	return name + strings.Repeat("X", signalSize-len(name)-2) + `"}`
}

// peak is the most memory that a process has had, in bytes.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	most := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(status))
	kib, err := strconv.ParseInt(most[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// Two sessions that make the daemon hold whatever they can cost it a stated amount of memory, and
// an honest client is served.
func TestMemoryOfHoarders(t *testing.T) {
	if testhost.Race() {
		t.Skip("not run: under the race detector the daemon takes several times its memory")
	}
	for _, hoard := range hoards {
		t.Run(hoard.name, func(t *testing.T) {
			p := testhost.New(t)
			d := p.Daemon()
			folder := p.Path("folder")
			p.Must(os.Mkdir(folder, 0o700))
			p.Write("authorized_keys", p.Read("authorized_keys")+fmt.Sprintf("minissh-files=%q %s",
				folder, p.Key(p.Path("files"))))
			key := p.Path("home/.ssh/id_ed25519")
			if hoard.key != "" {
				key = p.Path(hoard.key)
			}
			user := strings.TrimSpace(p.Run("id", "-un").Out)
			var all []*hoarder
			for range 2 {
				conn, raw := visitor(t, p, d, key)
				defer raw.Close()
				h := &hoarder{t: t, conn: conn, in: protocol.NewReader(conn)}
				var id [32]byte
				rand.Read(id[:])
				h.say(protocol.TypeHello, 0, `{"protocol":"minissh/1","session":"`+
					hex.EncodeToString(id[:])+
					`","epoch":1,"create":true,"received":0,"resend":0,"user":`+valid(user)+`}`)
				h.flush()
				for i := range uint32(64) {
					hoard.do(h, 2*i+1)
				}
				h.flush()
				all = append(all, h)
			}
			for _, h := range all {
				h.settle()
			}
			if r := p.Run("minissh", "--exec", "box", "echo", "well"); r.Out != "well\n" {
				t.Errorf("%+v %s", r, d.Log)
			}
			most := peak(t, d.Cmd.Process.Pid)
			t.Logf("%d MiB", most>>20)
			if most > 128<<20 {
				t.Errorf("the daemon had %d MiB, more than 128", most>>20)
			}
		})
	}
}
