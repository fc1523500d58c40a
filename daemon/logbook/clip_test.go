package logbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

// line is what a record becomes.
func line(message string, args ...any) string {
	var out bytes.Buffer
	slog.New(Clip(slog.NewTextHandler(&out, nil))).Info(message, args...)
	return out.String()
}

// Whatever a stranger has chosen, a text takes 512 bytes of the log and a line 2,048, its end
// included.
func TestClip(t *testing.T) {
	for _, evil := range []string{
		"\x00", "\x01", "\xff", "a", `"`, `\`, "\n", "\u202e", "\U0010fffd", "é", "漢", "\u00a0",
		"…",
	} {
		for _, times := range []int{1, 50, 511, 512, 513, 70_000} {
			text := strings.Repeat(evil, times)
			got := line("m", "a", text)
			_, value, _ := strings.Cut(got, " a=")
			if n := len(value) - len("\n"); n > 512+len(`""`) {
				t.Errorf("%q, %d times: %d bytes are written", evil, times, n)
			}
			if times > 512 && !strings.Contains(value, "…") {
				t.Errorf("%q, %d times: nothing tells that it was cut: %s", evil, times, value)
			}
			if strings.Count(got, "\n") != 1 {
				t.Errorf("%q breaks a line: %q", evil, got)
			}
			var many []any
			for i := range 30 {
				many = append(many, fmt.Sprintf("key_%d", i), text, "error", errors.New(text),
					"bytes", []byte(text))
			}
			if n := len(line(text, many...)); n > 2048 {
				t.Errorf("%q, %d times, in 90 attributes: a line of %d bytes", evil, times, n)
			}
		}
	}
}

// What is short stays as it is, and what is left out is counted.
func TestClipLeaves(t *testing.T) {
	plain := strings.Repeat("x", 512)
	if got := line("m", "a", plain, "n", 7, "error", errors.New("it failed")); !strings.HasSuffix(
		got, " msg=m a="+plain+" n=7 error=\"it failed\"\n") {
		t.Error(got)
	}
	if got := line("m", "a", plain+"y"); !strings.HasSuffix(got, " a="+plain[:509]+"…\n") {
		t.Error(got)
	}
	got := line("m", "a", plain, "b", plain, "c", plain, "d", plain, "e", plain, "short", "s")
	if !strings.HasSuffix(got, " c="+plain+" left_out=3\n") {
		t.Error(got)
	}
	var out bytes.Buffer
	log := slog.New(Clip(Clip(slog.NewTextHandler(&out, nil)))).With("with",
		plain+plain).WithGroup("group")
	log.Info("m", "a", plain, "b", plain, "c", plain, "d", plain)
	if n := out.Len(); n > 2048 {
		t.Errorf("a line of %d bytes", n)
	}
}

// What an ordinary record costs, clipped and not.
func BenchmarkClip(b *testing.B) {
	plain := slog.NewTextHandler(io.Discard, nil)
	for name, handler := range map[string]slog.Handler{"plain": plain, "clipped": Clip(plain)} {
		log := slog.New(handler)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				log.Info("Accepted publickey for tester from 127.0.0.1 port 40000: ED25519 "+
					"SHA256:abc", "listed", "file:1", "software", "minissh/0.1")
			}
		})
	}
}
