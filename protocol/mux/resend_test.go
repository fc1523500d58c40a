package mux

import (
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// closesLate is a connection that is closed when the test says so: a goroutine that is about to
// close one may be kept waiting anywhere.
type closesLate struct {
	*end
	may chan struct{}
}

func (c closesLate) Close() error {
	<-c.may
	return c.end.Close()
}

// A session may end while its frames are being sent again: by GOODBYE say. The writer, which may be
// a moment late, must not look for frames that are not kept any more: the daemon ended so, for
// all its users.
func TestEndWhileResending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		made := make(chan *Channel, 1)
		s := New(Config{Role: Daemon, Resend: 4 << 20, Hold: 3600e9,
			Accept: func(c *Channel) { made <- c; <-c.Gone() }})
		resumes := func(epoch int64) *protocol.Hello {
			return helloOf(func(h *protocol.Hello) {
				h.Epoch, h.Resend, h.Hold = epoch, protocol.MinResend, 3600
			})
		}
		p, _ := asDaemon(t, s, resumes(1))
		p.send(open(1), num(protocol.TypeWindow, 1, 1<<30))
		go (<-made).Write(protocol.TypeStdout, make([]byte, 2<<20))
		for n := 0; n < 2<<20; {
			f, err := p.r.Next()
			must(t, err)
			if f.Type.IsData() {
				n += int(f.Length)
			}
		}
		p.conn.Close()
		synctest.Wait()

		near, far := pipe()
		far.out.set(func() { far.out.room = 1000 })
		late := closesLate{far, make(chan struct{})}
		accepted := make(chan error, 1)
		go func() { accepted <- s.Accept(late, resumes(2), &protocol.Welcome{}) }()
		p = play(t, near)
		p.want(protocol.TypeWelcome, 0, "", "the session is resumed")
		p.want(protocol.TypeStdout, 1, "", "it was not acknowledged")
		p.send(msg(protocol.TypeGoodbye, 0, `{}`))
		synctest.Wait()
		go func() {
			for {
				if _, err := p.r.Next(); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		close(late.may)
		must(t, <-accepted)
		s.Wait()
	})
}
