package prompt_test

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// rawEvil is evil for a terminal whose lines are edited: also what the editor itself sends.
const rawEvil = evil + "\x1b[7;7H\x1b[41mEVIL\x1b[6n\t\x7f\b\xff\x9bEVIL"

// sent are the sequences that the editor sends, and may.
var sent = regexp.MustCompile(`\x1b\[[0-9]*[ABCDGJKm]|\x1b\[\?2004[hl]`)

// named are answers to Tab after a word.
var named = map[string][]string{
	"escapes": {"escapes" + rawEvil, "escapes\r" + rawEvil, rawEvil},
	"other":   {"rm -rf /"},
	"others":  {"rm", "rn", ""},
	"long":    {"long" + strings.Repeat("x", 100_000)},
	"many": slices.Repeat([]string{"many0", "many1" + rawEvil, "many2\x00", "many\u202e", "many3",
		"many4/" + strings.Repeat("x", 2000)}, 300),
	"refused": nil,
}

// The same over an editor, which asks for names when Tab is pressed: no answer is shown as it came,
// gets into the line if it is not one, or keeps the line from being edited and run.
func TestEditorOverHostileDaemon(t *testing.T) {
	asked := make(chan string, 16)
	daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		open := ch.Request()
		switch {
		case open.In == 0:
			ch.Send(protocol.TypeOpened, &protocol.Opened{PID: -1, Shell: rawEvil,
				TTY: protocol.Bytes(rawEvil)})
			<-ch.Gone()
		case open.Complete != nil:
			lieNames(ch, string(open.Complete.Word))
		case strings.HasPrefix(string(open.Command), "sh "): // the prompt tells $? so
			code := 0
			fmt.Sscanf(string(open.Command), "sh -c 'exit %d'", &code)
			fakedaemon.Begin(ch, "")
			ch.End(&protocol.Exit{How: protocol.HowExited, Code: &code, Dir: protocol.Bytes("/")})
		default:
			asked <- string(open.Command)
			lie(ch, string(open.Command))
		}
	})
	daemon.Lines = true
	p := typeOn(t, "xterm", daemon)
	testend.Until(t, "a prompt", func() bool {
		return strings.Contains(p.shown.String(), "tester@")
	})
	n := 0
	run := func(keys, want string) {
		t.Helper()
		before := len(p.shown.String())
		io.WriteString(p.keys, keys+"\r")
		if got := <-asked; got != want {
			t.Errorf("%q ran %q, not %q", keys, got, want)
		}
		n++
		// one that is drawn again for names does not count
		testend.Until(t, fmt.Sprint("prompt ", n), func() bool {
			_, after, _ := strings.Cut(p.shown.String()[before:], "\x1b[?2004l")
			_, after, found := strings.Cut(after, "\x1b[?2004h")
			return found && strings.Contains(after, "tester@")
		})
	}
	for word := range named {
		for _, before := range []string{"ls ", "", "echo $", "echo \"$"} {
			line, closing := before+word, ""
			if strings.Contains(before, `"`) {
				closing = `"`
			}
			run(line+"\t"+closing, line+closing)
			run(line+"\t\t\x15code", "code")
		}
	}
	for _, line := range []string{"code", "signal", "how", "dir", "longdir", "notice", "closed",
		"refused", "left"} {
		run(line, line)
	}
	io.WriteString(p.keys, "\x04")
	r, shown := p.end(t)
	if r.err != nil {
		t.Errorf("%d, %v", r.code, r.err)
	}
	if strings.Contains(shown, "\x1b[41m") || strings.Contains(shown, "\x1b[7;7H") {
		t.Error("sequences of the daemon's are shown")
	}
	shown = sent.ReplaceAllString(shown, "")
	shown = strings.ReplaceAll(shown, "\a", "") // the editor's bell
	for _, c := range []string{"\x1b", "\u009b", "\u202e", "\rEVIL", "\x9bEVIL", "\x7f", "\x00"} {
		if at := strings.Index(shown, c); at >= 0 {
			t.Errorf("shown is %q in %q", c, shown[max(0, at-30):min(len(shown), at+30)])
		}
	}
	if len(shown) > 1<<20 {
		t.Errorf("%d bytes are shown", len(shown))
	}
}

// lieNames answers Tab.
func lieNames(ch *mux.Channel, word string) {
	fakedaemon.Begin(ch, rawEvil)
	if word == "refused" {
		ch.Close(&protocol.Reason{Code: "evil", Message: rawEvil})
		return
	}
	ch.Write(protocol.TypeStderr, []byte(rawEvil))
	ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: rawEvil, Message: rawEvil})
	for _, name := range named[word] {
		ch.Write(protocol.TypeStdout, []byte(name+"\n"))
	}
	ch.End(&protocol.Exit{How: rawEvil, Dir: protocol.Bytes(rawEvil)})
}
