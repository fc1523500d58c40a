package run_test

import (
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// What a daemon notices is told by its kind: to whom, from which level on, and as what.
func TestNotices(t *testing.T) {
	code := 7
	stopping := func(grace int64) *protocol.Notice {
		return &protocol.Notice{Notice: protocol.NoticeShuttingDown, Grace: grace}
	}
	const stopped = "minissh: minisshd on fake is being stopped; what runs there has "
	for name, c := range map[string]struct {
		notice *protocol.Notice
		person bool // reads the messages on a terminal
		level  options.LogLevel
		shell  bool // has a use for OPENED
		want   string
	}{
		"stopping": {stopping(3500), true, options.LevelInfo, false,
			stopped + "4 seconds to end\n"},
		"stopping, a shell": {stopping(3500), true, options.LevelInfo, true,
			"\r\n" + stopped + "4 seconds to end\r\n"},
		"stopping, with -q":   {stopping(3500), true, options.LevelQuiet, false, ""},
		"stopping, no person": {stopping(3500), false, options.LevelInfo, false, ""},
		"stopping, negative": {stopping(-9000), true, options.LevelInfo, false,
			stopped + "0 seconds to end\n"},
		"stopping, for ages": {stopping(1 << 50), true, options.LevelInfo, false,
			stopped + "278 hours to end\n"},
		"a signal": {&protocol.Notice{Notice: protocol.NoticeSignalRefused,
			Message: "no\x1b[m"}, true, options.LevelInfo, false, ""},
		"a signal, with -v": {&protocol.Notice{Notice: protocol.NoticeSignalRefused,
			Message: "no\x1b[m"}, false, options.LevelDebug1, false,
			`minissh: the signal was refused: "no\x1b[m"` + "\n"},
		"no pty": {&protocol.Notice{Notice: protocol.NoticePTYRefused, Message: "no\x1b[m"}, false,
			options.LevelError, true,
			`minissh: PTY allocation request failed on channel 1: "no\x1b[m"` + "\n"},
		"no pty, with -q": {&protocol.Notice{Notice: protocol.NoticePTYRefused}, false,
			options.LevelQuiet, true, ""},
		"output held": {&protocol.Notice{Notice: protocol.NoticeOutputHeld,
			Exit: &protocol.Exit{How: protocol.HowExited, Code: &code}}, true, options.LevelInfo,
			false, "held 7"},
		"what is unknown": {&protocol.Notice{Notice: "\x1b[m"}, true, options.LevelDebug3, false,
			""},
	} {
		t.Run(name, func(t *testing.T) {
			m := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
				fakedaemon.Begin(ch, "")
				ch.Send(protocol.TypeNotice, c.notice)
				ch.Close(nil)
			})
			m.Dialer.Options.LogLevel = c.level
			conn := m.Connect(t)
			before := m.Said.String() // of the login
			said := func() string { return strings.TrimPrefix(m.Said.String(), before) }
			if c.person {
				conn.Messages, said = onTerminal(t, conn.Options)
			}
			opened, held := 0, ""
			answers := run.Answers{Held: func(o *run.Outcome) {
				held = "held " +
					string(rune('0'+o.ExitCode()))
			}}
			if c.shell {
				answers.Opened = func(*protocol.Opened) { opened++ }
			}
			ch, err := conn.Session.Open(&protocol.Open{Service: "exec", Shell: true})
			if err != nil {
				t.Fatal(err)
			}
			go func() { // as run.Follow does
				for err == nil {
					_, err = ch.Take()
				}
				ch.Close(nil)
			}()
			run.Notices(conn, ch, answers)
			got := said() + held
			if got != c.want || c.shell != (opened == 1) {
				t.Errorf("%q, not %q; opened %d times", got, c.want, opened)
			}
		})
	}
}

// onTerminal are messages on a terminal, and what was written there until said is called.
func onTerminal(t *testing.T, o *options.Options) (m *report.Messages, said func() string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil { // LF stays what it is
		t.Fatal(err)
	}
	return report.New(slave, o), func() string {
		slave.WriteString("\x00") // the end of what was said
		var all strings.Builder
		for b := make([]byte, 1); ; all.Write(b) {
			if n, err := master.Read(b); n == 0 || err != nil || b[0] == 0 {
				return all.String()
			}
		}
	}
}

// A command that has ended while its output is held says so to a person, who is told of Ctrl-C only
// where that would come to us.
func TestHeldOutputIsTold(t *testing.T) {
	code := 7
	m := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		exit := &protocol.Exit{How: protocol.HowExited, Code: &code}
		ch.Send(protocol.TypeNotice,
			&protocol.Notice{Notice: protocol.NoticeOutputHeld, Exit: exit})
		ch.End(exit)
	})
	m.Dialer.Options.Command = []string{"a", "command"}
	var said func() string
	m.Dialer.Messages, said = onTerminal(t, m.Dialer.Options)
	got := run.Command(t.Context(), m.Dialer, run.Streams{}, nil)
	if text := said(); got != 7 || text != "minissh: the command has ended, but something that "+
		"it left running still holds its output\n" {
		t.Errorf("%d, %q", got, text)
	}
}
