package prompt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"minissh/client/editor"
)

// piped runs Loop on files instead of a terminal.
func piped(t *testing.T, ctx context.Context, input string, cfg Config) (code int, stdout,
	stderr string, err error) {
	t.Helper()
	open := func(name string) *os.File {
		f, err := os.Create(t.TempDir() + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	in, out, errs := open("in"), open("out"), open("err")
	if _, err := in.WriteString(input); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	cfg.Stdin, cfg.Stdout, cfg.Stderr = in, out, errs
	code, err = Loop(ctx, cfg)
	o, _ := os.ReadFile(out.Name())
	e, _ := os.ReadFile(errs.Name())
	return code, string(o), string(e), err
}

// tooLongSaid is what is said about a line of so many bytes.
func tooLongSaid(size int) string {
	return fmt.Sprintf("minissh: the line has %d bytes, and at most 1048576 (1 MiB) can be sent; "+
		"nothing of it was run\n", size)
}

func TestPipe(t *testing.T) {
	long := strings.Repeat("x", editor.MaxLine)
	tests := []struct {
		name, input    string
		code           int
		stdout, stderr string
		lines          []string
	}{
		{"nothing", "", 0, "", "", nil},
		{"lines", "echo a\n\n  \nerr b\ncode 3\n", 3, "a\n", "b\n", []string{"echo a", "err b", "code 3"}},
		{"goes on after a failure", "code 3\necho a\n", 0, "a\n", "", nil},
		{"last line without its end", "echo a\ncode 5", 5, "a\n", "", nil},
		{"CRLF", "show a\r\nshow b\r\ncode 2\r", 2, "\"show a\"\n\"show b\"\n", "", []string{"show a", "show b", "code 2"}},
		{"bytes", "echo \xd6 你\t\x1b[31m \n", 0, "\xd6 你\t\x1b[31m \n", "", nil},
		{"partial output", "part a\npart b\n", 0, "ab", "", nil},
		{"exit", "code 3\nexit\necho a\n", 3, "", "", []string{"code 3"}},
		{"exit with a status", "exit 9\necho a\n", 9, "", "", nil},
		{"an exit that is a part of a line", "exit 3; ls\n", 255, "", "minissh: exit takes a status from 0 to 255, and not 3; ls\n", nil},
		{"a word that is not ours", "exits\n", 127, "", "", []string{"exits"}},
		{"signals are told by the status", "signal TERM\n", 143, "", "minissh: a note\\x1b[m\n", nil},
		{"refused", "refused\ncode 0\n", 0, "", "minissh: too many channels\n", nil},
		{"too long", long + "y\necho a\n", 0, "a\n", tooLongSaid(1048577), []string{"echo a"}},
		{"far too long at the end", "echo a\n" + long + long, 255, "a\n", tooLongSaid(2097152), nil},
		{"as long as can be", long + "\n", 127, "", "", []string{long}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			runner := newFakeRunner()
			code, stdout, stderr, err := piped(t, context.Background(), test.input,
				Config{Runner: runner})
			if code != test.code || err != nil || stdout != test.stdout || stderr != test.stderr {
				t.Errorf("exit %d, %v, stdout %q, stderr %q; want %d, %q, %q", code, err, stdout,
					stderr, test.code, test.stdout, test.stderr)
			}
			if test.lines != nil && !slices.Equal(runner.lines, test.lines) {
				t.Errorf("%d lines were run, want %d", len(runner.lines), len(test.lines))
			}
		})
	}
}

func TestPipeLosesTheLink(t *testing.T) {
	code, stdout, _, err := piped(t, context.Background(), "echo a\nlost\necho b\n",
		Config{Runner: newFakeRunner()})
	if code != ExitLost || err == nil || err.Error() != "the link is lost" || stdout != "a\n" {
		t.Errorf("%d %v %q", code, err, stdout)
	}
}

// TestContextEnds: a link that is lost while Loop waits for a line ends it.
func TestContextEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	lost := errors.New("gone")
	cancel(lost)
	if code, err := Loop(ctx, Config{Runner: newFakeRunner(), Stdin: r}); code != ExitLost ||
		err != lost {
		t.Errorf("%d %v", code, err)
	}
}
