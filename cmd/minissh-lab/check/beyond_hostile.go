package check

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
)

// Lesson 26: a message is a length, '<i', and so many bytes of zlib; the answer a length, and the
// inflated data in upper case.

const (
	mostCompressed = 65536
	mostInflated   = 1 << 20
	messageTime    = 5 * time.Second
	bombSize       = 48 << 20 // some 48 KiB compressed
	bombSeen       = 24 << 20 // growth of memory that shows that the bomb went off
)

// compressed is data as a whole message.
func compressed(data []byte) []byte {
	var b bytes.Buffer
	b.Write(make([]byte, 4))
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression) // a level that there is
	w.Write(data)                                         // to memory
	w.Close()
	binary.LittleEndian.PutUint32(b.Bytes(), uint32(b.Len()-4))
	return b.Bytes()
}

// inflates sends data compressed, in pieces, and wants the answer.
func (a *attack) inflates(conn *tape, data []byte, cuts ...int) error {
	message := compressed(data)
	var pieces [][]byte
	at := 0
	for _, cut := range append(cuts, len(message)) {
		pieces, at = append(pieces, message[at:cut]), cut
	}
	conn.rewind()
	fail := &Failure{Sent: tx("%s（%d 字节），压缩成 %d 字节", "%s (%d bytes), compressed to %d",
		quote(data), len(data), len(message)-4)}
	chaos.Send(a.ctx, conn.Conn, pieces)
	return a.inflated(conn, data, fail)
}

// inflated wants the answer to data.
func (a *attack) inflated(conn *tape, data []byte, fail *Failure) error {
	want := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	want = append(want, dialect.Upper(data)...)
	fail.Want = tx("4 字节长度，然后 %s（%d 字节）", "4 bytes of length, then %s (%d bytes)",
		quote(want[4:]), len(data))
	got, err := a.readLong(conn, len(want))
	switch {
	case err != nil:
		fail.Got = err.(*Failure).Got
		fail.proves(cause.Message(cause.Length, false, got, want[4:], -1))
		return fail
	case bytes.Equal(got, want):
		return nil
	}
	fail.Got = text("%s", quote(got))
	fail.proves(cause.Message(cause.Length, false, got, want[4:], -1))
	return fail
}

// readLong is read for an answer that may be longer than maxOutput.
func (a *attack) readLong(conn *tape, n int) ([]byte, error) {
	var got []byte
	for len(got) < n {
		more, err := a.read(conn, Text{}, func(b []byte) bool {
			return len(got)+len(b) >= n || len(b) >= maxOutput/2
		})
		if got = append(got, more...); err != nil {
			return got, err
		}
	}
	return got, nil
}

// helloInflate is one exchange.
func helloInflate(a *attack, conn net.Conn) error {
	return a.inflates(conn.(*tape), []byte("hello"))
}

// inflatesRight sends what is within the limits, to the last byte.
func inflatesRight(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		data []byte
		cuts []int
	}{
		{[]byte("hello"), nil}, {[]byte("in pieces"), []int{2, 4, 9}}, {randomText(60_000),
			[]int{30_000}},
		{bytes.Repeat([]byte("a"), mostInflated), nil},
	} {
		if err := a.inflates(conn, step.data, step.cuts...); err != nil {
			return err
		}
	}
	return nil
}

// refuses sends a message that breaks a rule: the server must close, soon, and serve the next.
func (a *attack) refuses(what Text, message []byte, b *Belief) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	if err := helloInflate(a, conn); err != nil {
		return err
	}
	a.hostile = true
	conn.rewind()
	if _, err := conn.Write(message); err != nil {
		return a.stillServes(&Failure{Sent: what}) // it has closed already
	}
	fail := &Failure{Sent: what, Want: tx("马上关闭，接着服务下一个", "closed at once, and the "+
		"next is served")}
	// Less than the deadline, which would close it, too. One that computes may yet close.
	f, more := a.fateOf(conn, silence)
	for end := time.Now().Add(silence); f == spins && time.Now().Before(end); {
		f, more = a.fateOf(conn, silence)
	}
	switch f {
	case wentOn:
		fail.Got = tx("它回答了 %s", "it answered %s", quote(more))
		fail.wentOn = true
		fail.proves(b)
		return fail
	case hangs, spins:
		fail.Got = fateText(f, silence)
		fail.proves(b)
		return fail
	}
	if t := a.traceAtRest(); t != nil && a.named(t) == cause.TrustedLength {
		fail.Got = fateText(f, silence)
		return fail // explained by its error
	}
	return a.stillServes(fail)
}

// stillServes wants the next client to be served. A server that has ended is known by its error
// alone.
func (a *attack) stillServes(fail *Failure) error {
	if fail.Want.En == "" {
		fail.Want = tx("接着服务下一个", "the next is served")
	}
	err := a.servesNext(helloInflate, fail)
	if err == fail && fail.Belief == cause.ServesOnce {
		fail.Belief, fail.Proven = nil, false
	}
	return err
}

// hostileNumber announces a length and sends a byte.
func hostileNumber(n int32) func(*attack) error {
	return func(a *attack) error {
		message := append(chaos.HostileLength(false, n), 'x')
		return a.refuses(tx("长度 %d，然后一个字节", "a length of %d, then a byte", n), message,
			cause.TrustedLength)
	}
}

// inflatesGarbage sends bytes that are not zlib's.
func inflatesGarbage(a *attack) error {
	return a.refuses(tx("5 个字节，不是 zlib 格式的", "5 bytes that are not zlib data"),
		append(chaos.HostileLength(false, 5), "hello"...), nil)
}

// inflatesBomb sends a few KiB that inflate to more than the limit: to a little more, then to much.
func inflatesBomb(a *attack) error {
	over := compressed(bytes.Repeat([]byte("a"), mostInflated+1))
	err := a.refuses(tx("%d 字节，解压以后是 %d 字节", "%d bytes that inflate to %d", len(over)-4,
		mostInflated+1), over, nil)
	if f, ok := err.(*Failure); ok && f.wentOn {
		f.proves(cause.BombInflated)
	}
	if err != nil {
		return err
	}
	bomb := compressed(make([]byte, bombSize))
	var before int64
	known := false
	if a.prog != nil {
		before, known = peakMemory(a.prog.p.PID)
	}
	what := tx("%d 字节，解压以后是 %d MiB", "%d bytes that inflate to %d "+
		"MiB", len(bomb)-4, bombSize>>20)
	if err := a.refuses(what, bomb, cause.BombInflated); err != nil || !known {
		return err
	}
	if after, ok := peakMemory(a.prog.p.PID); ok && after-before > bombSeen {
		fail := &Failure{Sent: what, Want: tx("解到上限就停", "it stops at the limit"),
			Got: tx("关闭了，但是内存一下子多用了 %d MiB", "it closed, but its memory had grown "+
				"by %d MiB",
				(after-before)>>20)}
		fail.proves(cause.BombInflated)
		return fail
	}
	return nil
}

// inflatesDrip has a client that sends a byte every now and then, and one that sends nothing: both
// must be given up on, and others served meanwhile.
func inflatesDrip(a *attack) error {
	const pause = 400 * time.Millisecond
	silent, err := a.dial()
	if err != nil {
		return err
	}
	conn, err := a.dial()
	if err != nil {
		return err
	}
	message := compressed(randomText(200))
	what := tx("每 %v 发一个字节；另一个什么也不发", "a byte every %v; another client sends "+
		"nothing", pause)
	fail := &Failure{Sent: what,
		Want: tx("别的客户端照样有回答；%v 以后，这两个都关掉",
			"others are answered; both are closed after %v", messageTime)}
	end, closed := time.Now().Add(messageTime+2*time.Second), false
	for i := 0; time.Now().Before(end) && !closed && a.ctx.Err() == nil; i++ {
		_, err := conn.Write(message[i : i+1])
		closed = err != nil
		if i == 3 {
			if err := a.whileHeld(conn, silent, fail); err != nil {
				return err
			}
		}
		conn.SetReadDeadline(time.Now().Add(pause))
		if _, err := conn.Read(make([]byte, 1)); err != nil && !isTimeout(err) {
			closed = true
		}
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if !closed {
		fail.Got = tx("%v 以后还连着", "still connected after %v", messageTime+2*time.Second)
		if !a.prog.gone() {
			fail.proves(cause.NoDeadline)
		}
		return fail
	}
	if f, _ := a.fateOf(silent, a.o.Limit); f == hangs || f == spins {
		fail.Got = tx("不出声的那个还连着", "the silent one is still connected")
		if f == hangs {
			fail.proves(cause.NoTimeout)
		}
		return fail
	}
	return a.stillServes(fail)
}

// whileHeld wants a new client to be answered while two others hold their places.
func (a *attack) whileHeld(one, two *tape, fail *Failure) error {
	other, err := a.dial()
	if err != nil {
		return err
	}
	err = helloInflate(a, other)
	if f, ok := err.(*Failure); ok {
		fail.Got = tx("别的客户端：", "another client: ").Plus(f.Got)
		one.Close()
		two.Close()
		if len(other.came) == 0 && a.late(other) {
			fail.proves(cause.OneAtATime)
		}
		return fail
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}

// randomText are n bytes that do not compress, the same ones every time.
func randomText(n int) []byte {
	r := rand.New(rand.NewPCG(26, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}
