package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/client/editor"
	"minissh/protocol/testend"
)

// fakeRunner answers a few words of its own.
type fakeRunner struct {
	exits      bool // the other side has a shell that exits
	mu         sync.Mutex
	lines      []string
	interrupts chan int
	job        io.Writer // standard output of a line that left something running
}

func newFakeRunner() *fakeRunner { return &fakeRunner{interrupts: make(chan int, 16)} }

func (f *fakeRunner) Attach(io.Writer, io.Writer) {}

func (f *fakeRunner) Suspend() bool { return false }

func (f *fakeRunner) Exits() bool { return f.exits }

func (f *fakeRunner) Interrupt(n int) { f.interrupts <- n }

func (f *fakeRunner) Run(ctx context.Context, line string, stdout, stderr io.Writer) (Outcome,
	error) {
	f.mu.Lock()
	f.lines = append(f.lines, line)
	f.mu.Unlock()
	_, rest, _ := strings.Cut(line, " ")
	word := strings.Fields(line)[0]
	switch word {
	case "echo":
		fmt.Fprintf(stdout, "%s\n", rest)
	case "part":
		fmt.Fprintf(stdout, "%s", rest)
	case "partcode":
		fmt.Fprint(stdout, "half")
		n, _ := strconv.Atoi(rest)
		return Outcome{Code: n}, nil
	case "count":
		fmt.Fprintf(stdout, "%d rows, %d bytes\n", strings.Count(line, "\n")+1, len(line))
	case "err":
		fmt.Fprintf(stderr, "%s\n", rest)
	case "code":
		n, _ := strconv.Atoi(rest)
		return Outcome{Code: n, Duration: 1234 * time.Millisecond}, nil
	case "sh":
		var n int
		fmt.Sscanf(line, "sh -c 'exit %d'", &n)
		return Outcome{Code: n}, nil
	case "signal":
		return Outcome{Code: 143, Signal: rest, Duration: 5 * time.Millisecond,
			Notes: []string{"a note\x1b[m"}}, nil
	case "cd":
		return Outcome{Dir: []byte(rest)}, nil
	case "show":
		fmt.Fprintf(stdout, "%q\n", line)
	case "job":
		f.job = stdout
	case "lost":
		return Outcome{}, errors.New("the link is lost")
	case "refused":
		return Outcome{}, &editor.LineError{Err: errors.New("too many channels")}
	case "sleep", "stubborn":
		fmt.Fprintln(stdout, "sleeping")
		for {
			select {
			case n := <-f.interrupts:
				fmt.Fprintf(stdout, "interrupt %d\n", n)
				if word == "sleep" || n >= 2 {
					return Outcome{Code: 128 + 2, Signal: "INT"}, nil
				}
			case <-ctx.Done():
				fmt.Fprintln(stdout, "stopped")
				return Outcome{}, context.Cause(ctx)
			}
		}
	default:
		return Outcome{Code: 127}, nil
	}
	return Outcome{}, nil
}

// TestMain lets the test binary be the program that runs on a pty.
func TestMain(m *testing.M) {
	if os.Getenv("PROMPT_TEST_CHILD") != "" {
		child()
		return
	}
	testend.Main(m)
}

func child() {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer func() {
		if v := recover(); v != nil {
			first, _, _ := strings.Cut(fmt.Sprint(v), "\n")
			fmt.Println("PANIC", first)
		}
	}()
	runner := newFakeRunner()
	code, err := Loop(ctx, Config{
		Runner: runner, User: "li", Host: "lab", Dir: []byte("/home/li"), Home: []byte("/home/li"),
		HistoryFile: os.Getenv("PROMPT_TEST_HISTORY"), Quiet: os.Getenv(
			"PROMPT_TEST_GREETING") == "",
		Complete: func(_ context.Context, line string, _ int) editor.Completion {
			switch line {
			case "boom":
				panic("boom")
			case "wake": // what the line "job" left running writes while this one is typed
				io.WriteString(runner.job, "from\nthe job\n")
			case "half":
				io.WriteString(runner.job, "half a row")
			case "drop":
				cancel(errors.New("the link is lost"))
			case "l":
				return editor.Completion{
					Candidates: []editor.Candidate{{Text: "left"}, {Text: "long"}, {Text: "lä"}}}
			}
			return editor.Completion{}
		},
		Command: bash,
		Builtins: map[string]Builtin{
			"get": {Args: "FILE", Help: "fetch a file",
				Run: func(ctx context.Context, args string, io IO) (Outcome, error) {
					fmt.Fprintf(io.Stdout, "getting %s in %s\n", args, io.Dir)
					<-ctx.Done()
					return Outcome{Code: 130}, nil
				}}},
	})
	fmt.Printf("LOOP %d %v\n", code, err)
}
