package live

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/web/record"
	"minissh/protocol/testend"
)

// TestMain looks for goroutines of this package that outlive the tests.
func TestMain(m *testing.M) { testend.Main(m) }

// kinds are the types of a direction's frames, in order.
func kinds(t *record.Trace) string {
	var all []string
	for _, m := range t.Sent {
		all = append(all, m.Text)
	}
	return strings.Join(all, " ")
}

// field is the value of the n-th frame's field.
func field(t *record.Trace, frame int, name string) string {
	for _, f := range t.Fields {
		if f.Message == frame && f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestEveryCommandOfTheList(t *testing.T) {
	for _, c := range Commands() {
		t.Run(c.Name, func(t *testing.T) {
			r, err := Run(t.Context(), c.Name)
			if err != nil {
				t.Fatal(err)
			}
			up, down := r.Sides[0], r.Sides[1]
			if got := kinds(up); !strings.HasPrefix(got, "HELLO OPEN EOF") ||
				!strings.HasSuffix(got, "CLOSE GOODBYE") {
				t.Errorf("up: %s", got)
			}
			if got := kinds(down); !strings.HasPrefix(got, "WELCOME OPENED") ||
				strings.Count(got, "EOF") != 2 || !strings.HasSuffix(got, " EXIT CLOSE") {
				t.Errorf("down: %s", got)
			}
			for _, side := range r.Sides {
				checkDirection(t, side)
			}
			if want := map[string]int{"exit7": 7, "missing": 2}[c.Name]; r.Exit.Code == nil ||
				*r.Exit.Code != want {
				t.Errorf("exit %+v, want %d", r.Exit, want)
			}
		})
	}
}

// checkDirection: sends and recvs, and segments where they are known, hold each byte
// of each frame once, and in order.
func checkDirection(t *testing.T, side *record.Trace) {
	t.Helper()
	at := map[string]int{}
	for _, e := range side.Events {
		if e.Kind == record.KindBuffer {
			continue
		}
		if e.From != at[e.Kind] {
			t.Errorf("%s: %+v does not go on at %d", side.Name, e, at[e.Kind])
		}
		at[e.Kind] = e.To
	}
	want := []string{record.KindSend, record.KindFrame}
	if side.Segments >= 0 {
		want = append(want, record.KindSegment)
	}
	// the client has read all; the daemon may hang up before it has read the client's GOODBYE
	if side.Name == "down" {
		want = append(want, record.KindRecv)
	}
	for _, kind := range want {
		if at[kind] != len(side.Bytes) {
			t.Errorf("%s: %s ends at %d of %d", side.Name, kind, at[kind], len(side.Bytes))
		}
	}
	if runtime.GOOS == "linux" && side.Segments < 1 {
		t.Errorf("%s: %d segments", side.Name, side.Segments)
	}
}

func TestLsBecomesFrames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs ls")
	}
	r, err := Run(t.Context(), "ls")
	if err != nil {
		t.Fatal(err)
	}
	up, down := r.Sides[0], r.Sides[1]
	if got := field(up, 1,
		"payload_json"); got != `{"service":"exec","command":"ls","timeout_ms":5000}` {
		t.Errorf("OPEN is %s", got)
	}
	if field(up, 1, "channel") != "1" || field(up, 1, "frame_length") != "51" {
		t.Errorf("OPEN: channel %s, length %s", field(up, 1, "channel"),
			field(up, 1, "frame_length"))
	}
	seen := ""
	for i, m := range down.Sent {
		if m.Text == "STDOUT" {
			seen += field(down, i, "payload_data")
		}
	}
	if !strings.Contains(seen, `a.txt\nbig.txt\nempty.txt\none.txt\n你好.txt\n`) {
		t.Errorf("stdout %s", seen)
	}
	// HELLO, OPEN and EOF travel together: the first send carries three frames, in one TLS record
	// or more.
	for _, e := range up.Events {
		if e.Kind == record.KindSend {
			if e.To != up.Sent[2].To || (e.Wire-e.To)%22 != 0 {
				t.Errorf("the first send is %+v, the third frame ends at %d", e, up.Sent[2].To)
			}
			break
		}
	}
}

func TestNothingElseIsRun(t *testing.T) {
	for _, name := range []string{"", "ls; id", "ls ", "LS", "id", "../ls"} {
		if _, err := Run(t.Context(), name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
