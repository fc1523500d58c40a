package check

import (
	"bytes"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/check/cause"
)

// Lessons 13a and 13b: a client at which nobody types. The lab is the receiver.

// apart are the two checks.
func apart() []*Check {
	return []*Check{
		{Lesson: "13a", Port: 8080, Client: []Case{{Name: "late",
			What: tx("4 次 send，接收方晚读：4 次 recv",
				"four sends to a receiver that reads late: four recvs"), run: lateReader}}},
		{Lesson: "13b", Port: 8080, Client: []Case{{Name: "segment",
			What: tx("10 条消息，一个段", "ten messages in one segment"), run: oneSegment}}},
	}
}

// words are what a client of 13a sends.
var words = []string{"one", "two", "three", "four"}

// lateReader takes each word a while after it has come, and answers it with one byte.
func lateReader(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	late := 2 * time.Second // longer than people sleep between sends
	for i, word := range words {
		fail := &Failure{Sent: tx("接收方先忙 %v，再 recv(1024)，第 %d 次",
			"the receiver is busy for %v and then calls recv(1024), time %d", late, i+1),
			Want: text("%s", quote([]byte(word)))}
		p.conn.rewind()
		p.conn.SetReadDeadline(time.Now().Add(a.o.Limit))
		if _, err := p.conn.Read(make([]byte, 1)); err != nil { // the others stay where they are
			fail.Got = a.why(err)
			return fail
		}
		a.idle(late)
		asleep := sleeps(a.prog.p.PID)
		if got := p.conn.drain(); string(got) != word {
			fail.Got = tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got))
			if bytes.HasPrefix(got, []byte(word)) {
				fail.proves(cause.NoHandshake)
			}
			return fail
		}
		if asleep {
			fail.Want = tx("等对方应答，再发下一条", "it waits for the answer before it goes on")
			fail.Got = tx("它在 sleep", "it sleeps")
			fail.proves(cause.NoHandshake)
			return fail
		}
		if _, err := p.conn.Write([]byte{'.'}); err != nil && i < len(words)-1 {
			fail.Got = a.why(err)
			return fail
		}
		late = 500 * time.Millisecond
	}
	return nil
}

// oneSegment counts the segments in which ten messages come.
func oneSegment(a *attack) error {
	p, err := a.startClient()
	if err != nil {
		return err
	}
	var want strings.Builder
	for n := range 10 {
		want.WriteString("msg" + itoa(n) + ";")
	}
	if err := p.arrives(want.String(), tx("十条消息", "the ten messages")); err != nil {
		return err
	}
	segments, _, known := probe.Received(raw(p.conn))
	switch {
	case !known:
		return &Skipped{tx("这个系统不说有几个段",
			"this system does not tell how many segments came")}
	case segments == 1:
		return nil
	}
	fail := &Failure{Sent: tx("十条消息，一共 50 字节", "ten messages, 50 bytes in all"),
		Want: tx("1 个段", "1 segment"), Got: tx("%d 个段", "%d segments", segments)}
	fail.proves(cause.ManyWrites)
	return fail
}
