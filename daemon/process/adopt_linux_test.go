package process

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

// A command whose parent has gone is still stopped with all that is left of its session: the number
// is used only as long as a member keeps it.
func TestStopOfAnOrphan(t *testing.T) {
	p := onTerminal(t, `(trap "" HUP; echo ready; echo pid $(sh -c 'echo $PPID').; `+
		`while :; do sleep 0.02; done) & trap "exit 3" HUP; while :; do sleep 0.02; done`)
	said := lines(t, p.Stdout, 1)[0]
	word, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(said), "pid "), ".")
	member, err := strconv.Atoi(word)
	if err != nil {
		t.Fatalf("%q", said)
	}
	terminal, err := p.Terminal()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(terminal.Fd()))
	terminal.Close()
	if err != nil {
		t.Fatal(err)
	}
	parent := make(chan struct{})
	q, err := Adopt(p.PID, p.TTY, fd, func() (Result, bool) { <-parent; return Result{}, false })
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	p.LetGo()
	p.Close() // from here on nobody keeps its number, and it is reaped at its end
	close(parent)
	left, err := q.Stop(t.Context(), 200*time.Millisecond)
	if len(left) > 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
	if testend.Alive(member) || testend.Alive(p.PID) {
		t.Errorf("%d or %d lives", member, p.PID)
	}
	if r := q.Result(); r.How != Unknown {
		t.Errorf("%+v", r)
	}
	if err := q.Signal("TERM"); err != ErrFinished {
		t.Errorf("a signal to nobody: %v", err)
	}
}
