package lesson

import (
	"net"
	"strconv"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
)

// sends writes the pieces one by one; with nagle the small ones may wait for the
// other side's ack, which Go by itself does not allow (TCP_NODELAY is on).
func sends(conn *net.TCPConn, nagle bool, gap func(i int) error, pieces ...string) error {
	if err := conn.SetNoDelay(!nagle); err != nil {
		return err
	}
	for i, p := range pieces {
		if i > 0 && gap != nil {
			if err := gap(i); err != nil {
				return err
			}
		}
		if _, err := conn.Write([]byte(p)); err != nil {
			return err
		}
	}
	return nil
}

// twoSends is one measurement of hello and world.
type twoSends struct {
	segments string // TCP_INFO, "" unknown
	buffer   int    // bytes waiting before the first recv
	recvs    [][]byte
}

// together reports that one recv held both.
func (m twoSends) together() bool { return len(m.recvs) == 1 }

// late sends hello and world and reads when both have arrived: sticking is forced.
func (s *Stage) late(nagle bool, pause time.Duration) (m twoSends, err error) {
	l, err := dialLink()
	if err != nil {
		return m, err
	}
	defer l.close()
	gap := func(int) error {
		if pause == 0 {
			return nil
		}
		return s.wait(pause)
	}
	if err = sends(l.client, nagle, gap, "hello", "world"); err != nil {
		return m, err
	}
	if err = s.arrived(l.server, 10); err != nil {
		return m, err
	}
	m.segments, m.buffer = segments(l.client), 10
	m.recvs, err = readAll(l.server, 10)
	return m, err
}

// apart sends hello, and world only when the reader has told that it has hello:
// separation is forced by a handshake of the application.
func (s *Stage) apart() (m twoSends, err error) {
	l, err := dialLink()
	if err != nil {
		return m, err
	}
	defer l.close()
	m.buffer = -1
	for _, p := range []string{"hello", "world"} {
		if err = sends(l.client, false, nil, p); err != nil {
			return m, err
		}
		b, err := recv(l.server, 1024)
		if err != nil {
			return m, err
		}
		m.recvs = append(m.recvs, b)
	}
	m.segments = segments(l.client)
	return m, nil
}

// readAll receives n bytes and returns what each recv(1024) gave.
func readAll(conn net.Conn, n int) (all [][]byte, err error) {
	for n > 0 {
		b, err := recv(conn, 1024)
		if err != nil {
			return all, err
		}
		if len(b) == 0 {
			break
		}
		all, n = append(all, b), n-len(b)
	}
	return all, nil
}

// tenSends is one measurement of ten sends of five bytes, read as soon as the
// sender has returned from the last one.
type tenSends struct {
	segments string
	waiting  int // bytes in the receive buffer at the first recv
	recvs    [][]byte
	sent     [][]byte
}

// ackDelay is the shortest delayed ack that systems use (Linux: 40 ms) with room to
// spare. What takes longer has been overtaken by an ack and is measured again.
const ackDelay = 25 * time.Millisecond

func (s *Stage) ten(nagle bool) (tenSends, error) { return s.many(10, nagle) }

// many is ten with another number of sends.
func (s *Stage) many(n int, nagle bool) (m tenSends, err error) {
	for range 20 {
		var took time.Duration
		if m, took, err = s.manyOnce(n, nagle); err != nil || took < ackDelay {
			return m, err
		}
	}
	return m, nil // a machine so busy that it never did it in time: what was measured
}

// manyOnce also tells how long it took from the first send to the first recv.
func (s *Stage) manyOnce(n int, nagle bool) (m tenSends, took time.Duration, err error) {
	l, err := dialLink()
	if err != nil {
		return m, 0, err
	}
	defer l.close()
	probe.DelayAcks(l.server)
	start := time.Now()
	var pieces []string
	for i := range n {
		p := "msg" + strconv.Itoa(i%10) + ";"
		pieces, m.sent = append(pieces, p), append(m.sent, []byte(p))
	}
	if err = sends(l.client, nagle, nil, pieces...); err != nil {
		return m, 0, err
	}
	// Without Nagle all the bytes are on their way; with it the rest waits for an
	// ack at the sender, so only the first five are sure to come.
	want := 5 * n
	if nagle {
		want = 5
	}
	if err = s.arrived(l.server, want); err != nil {
		return m, 0, err
	}
	first, err := recv(l.server, 1024)
	if err != nil {
		return m, 0, err
	}
	took = time.Since(start)
	m.waiting, m.recvs = len(first), [][]byte{first}
	rest, err := readAll(l.server, 5*n-len(first))
	m.recvs = append(m.recvs, rest...)
	m.segments = segments(l.client)
	return m, took, err
}

// roundTrips measures a question of two small writes and its answer, n times, and
// returns the middle one.
func (s *Stage) roundTrips(nagle, joined bool, n int) (time.Duration, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	failed := make(chan error, 1)
	go func() { // the server: six bytes are a question, answered at once
		for range n {
			if _, err := readExactly(l.server, 6); err != nil {
				failed <- err
				return
			}
			if _, err := l.server.Write([]byte("ok")); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	var times []time.Duration
	for range n {
		start := time.Now()
		pieces := []string{"leng", "th"}
		if joined {
			pieces = []string{"length"}
		}
		if err := sends(l.client, nagle, nil, pieces...); err != nil {
			return 0, err
		}
		if _, err := readExactly(l.client, 2); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
	}
	if err := <-failed; err != nil {
		return 0, err
	}
	return middle(times), nil
}

func middle(d []time.Duration) time.Duration {
	for i := range d { // few: insertion
		for j := i; j > 0 && d[j] < d[j-1]; j-- {
			d[j], d[j-1] = d[j-1], d[j]
		}
	}
	return d[len(d)/2]
}

// readExactly receives n bytes.
func readExactly(conn net.Conn, n int) ([]byte, error) {
	var all []byte
	for len(all) < n {
		b, err := recv(conn, n-len(all))
		if err != nil {
			return all, err
		}
		if len(b) == 0 {
			return all, net.ErrClosed
		}
		all = append(all, b...)
	}
	return all, nil
}

// unforced sends twice and reads at once, with nothing to make it stick or not: how
// often one recv holds both is luck.
func (s *Stage) unforced(nagle bool, runs int) (together int, err error) {
	for range runs {
		l, err := dialLink()
		if err != nil {
			return 0, err
		}
		got := make(chan int, 1)
		go func() {
			b, _ := recv(l.server, 1024)
			got <- len(b)
		}()
		err = sends(l.client, nagle, nil, "hello", "world")
		if <-got == 10 {
			together++
		}
		l.close()
		if err != nil {
			return together, err
		}
	}
	return together, nil
}

// ms writes a duration in milliseconds with as many digits as mean something.
func ms(d time.Duration) string {
	v := float64(d) / float64(time.Millisecond)
	digits := 1
	if v < 1 {
		digits = 3
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " ms"
}
