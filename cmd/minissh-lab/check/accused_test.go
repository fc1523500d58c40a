package check

import (
	"testing"
	"time"
)

// What a wrong server did not do is not believed of it: nothing is known of these bugs but the
// bytes. (The first two were told that each message needs an accept; the second, too, that its
// time-out is for all of sendall. The third passed.)
func TestBugsThatAreNotNamed(t *testing.T) {
	for _, s := range []student{
		{file: "07_server_second.py", lesson: "7", cases: []string{"ten"}},
		{file: "21_server_256.py", lesson: "21", cases: []string{"small", "slow"}},
		{file: "24_server_any_path.py", lesson: "24", cases: []string{"close"}},
	} {
		s.fails = true
		for _, name := range s.cases {
			t.Run(s.file+" "+name, func(t *testing.T) {
				t.Parallel()
				_, results := checkStudent(t, s, name)
				f := results[0].Failed()
				if f == nil {
					t.Error("it passes")
				} else if called(f) != "unknown" {
					t.Errorf("%+v, called %s", f, called(f))
				}
			})
		}
	}
}

// A server that needs long to make its answer gives up as soon as one that has it: the time begins
// when it sends. (It was said to wait for ever.)
func TestSlowToBeginIsNotStuck(t *testing.T) {
	t.Parallel()
	address := free(t, "tcp")
	text := `import socket, threading, time
def serve(conn):
    conn.settimeout(3)
    try:
        for line in conn.makefile('rb'):
            if int(line) > 1000:
                time.sleep(6)  # longer than the case waits
            left, at = int(line), 0
            while left > 0:
                piece = (bytes(range(251)) * 300)[at % 251:][:left]
                sent = conn.send(piece)
                left, at = left - sent, at + sent
    except OSError:
        pass
    conn.close()
phone = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=serve, args=(phone.accept()[0],), daemon=True).start()
`
	o := Options{Network: "tcp", Address: address, Only: "stuck", Limit: 10 * time.Second,
		Program: python(t, moved(t, script(t, text), address), "")[:4],
		Report: func(r Result) {
			if f := r.Failed(); f != nil {
				t.Errorf("%+v, called %s", f, called(f))
			}
		}}
	if sum, err := Run(t.Context(), Find("21"), Server, o); err != nil || !sum.OK() {
		t.Errorf("%+v, %v", sum, err)
	}
}
