package check

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
)

// upper is an echo server that does something when it has answered: AFTER.
const upper = `
import os, select, signal, socket, sys, threading, time
def after(n):
    AFTER
def serve(conn):
    n = 0
    while True:
        data = conn.recv(1024)
        if not data:
            break
        conn.send(data.upper())
        n += 1
        after(n)
    conn.close()
START
phone = socket.socket()
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
phone.bind(('127.0.0.1', PORT))
phone.listen(16)
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
`

func upperServer(t *testing.T, address, start, after string) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	if after == "" {
		after = "pass"
	}
	return script(t, strings.NewReplacer("PORT", port, "START", start, "AFTER", after).
		Replace(upper))
}

// A server that dies a moment after its last right answer does not pass, however it waits for that
// moment; one that waits for other things does.
func TestServerThatDiesAfterItsAnswers(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs the /proc of Linux")
	}
	for _, c := range []struct{ name, lesson, start, after, failed string }{
		{"a timer ends it", "7", "", "if n == 10: threading.Timer(0.3, os._exit, [0]).start()",
			"ten"},
		{"a sleep", "7", "", "if n == 10: time.sleep(0.3); os._exit(0)", "ten"},
		{"a timer crashes it", "6", "", "threading.Timer(0.3, os.kill, [os.getpid(), 11]).start()",
			"echo"},
		{"select", "9", "", "if n == 1: select.select([], [], [], 0.4); os._exit(3)", "in-turn"},
		{"nothing", "9", "", "", ""},
		{"a clock", "9", "def tick():\n    while True:\n        time.sleep(0.2)\n" +
			"threading.Thread(target=tick, daemon=True).start()", "", ""},
		{"a long sleep", "7", "threading.Timer(1000, os._exit, [0]).start()", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := free(t, "tcp")
			var failed []string
			o := Options{Limit: 10 * time.Second, Network: "tcp", Address: address,
				Report: func(r Result) {
					if f := r.Failed(); f != nil {
						failed = append(failed, r.Case.Name)
						t.Logf("%s: %s", r.Case.Name, f.Got.En)
					}
				}}
			o.Program = python(t, upperServer(t, address, c.start, c.after), "")[:4]
			sum, err := Run(t.Context(), Find(c.lesson), Server, o)
			if err != nil || sum.First != c.failed || sum.OK() != (c.failed == "") {
				t.Errorf("%+v, %v", sum, err)
			}
		})
	}
}

// A program that puts itself into the background is told so, and does not keep its port.
func TestServerInTheBackground(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs the /proc of Linux")
	}
	const twice = `if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir('/')
null = os.open('/dev/null', os.O_RDWR)
for fd in 0, 1, 2: os.dup2(null, fd)`
	const later = `def later():
    time.sleep(0.1)
    if os.fork(): os._exit(0)
    os.setsid()
    while True: signal.pause()
threading.Timer(0, later).start()`
	for _, start := range []string{twice, "if os.fork(): os._exit(0)", later} {
		for _, lesson := range []string{"6", "9"} {
			address := free(t, "tcp")
			var first *Failure
			o := Options{Limit: 10 * time.Second, Network: "tcp", Address: address,
				Report: func(r Result) {
					if f := r.Failed(); f != nil && first == nil {
						first = f
					}
				}}
			o.Program = python(t, upperServer(t, address, start, ""), "")[:4]
			sum, err := Run(t.Context(), Find(lesson), Server, o)
			if err != nil || sum.OK() {
				t.Fatalf("%s: %+v, %v", start, sum, err)
			}
			if first.Belief != cause.Background || !first.Proven {
				t.Errorf("%s: called %s: %s", start, called(first), first.Got.En)
			}
			if err := bindPlainly(t.Context(), address); err != nil {
				t.Errorf("%s: the port is kept: %v", start, err)
			}
		}
	}
}
