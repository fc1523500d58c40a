package mux

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"minissh/protocol"
)

// slow takes a second to close, as TLS may while it says that nothing more comes.
type slow struct{ *end }

func (s slow) Close() error {
	<-time.After(time.Second)
	return s.end.Close()
}

// A session that ends while its frames are being sent again sends no more of them: by the peer's
// GOODBYE, by what the peer did wrong, or by our own end.
func TestEndWhileSendingAgain(t *testing.T) {
	for name, end := range map[string]func(*Session, *script){
		"GOODBYE":   func(_ *Session, p *script) { p.send(msg(protocol.TypeGoodbye, 0, "{}")) },
		"violation": func(_ *Session, p *script) { p.send(num(protocol.TypeAck, 0, 1<<40)) },
		"Close":     func(s *Session, _ *script) { s.Close(nil) },
		"Abandon":   func(s *Session, _ *script) { s.Abandon(errors.New("enough")) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := New(Config{Role: Daemon, Resend: 1 << 20, Hold: time.Minute,
					Accept: func(c *Channel) {
						c.Send(protocol.TypeOpened, &protocol.Opened{})
						c.Write(protocol.TypeStdout, make([]byte, 1<<20))
					}})
				p, _ := asDaemon(t, s, resuming(1, 0))
				p.send(open(1), num(protocol.TypeWindow, 1, 1<<20))
				synctest.Wait()
				p.conn.Close()
				near, far := pipe()
				far.out.room = 100_000 // less than what is sent again
				accepted := make(chan struct{})
				go func() {
					defer close(accepted)
					s.Accept(slow{far}, resuming(2, 0), &protocol.Welcome{})
					far.Close()
				}()
				p = play(t, near)
				p.want(protocol.TypeWelcome, 0, "", "it comes back")
				synctest.Wait()
				ended := make(chan struct{})
				go func() { defer close(ended); end(s, p) }()
				synctest.Wait()
				for f, err := p.r.Next(); err == nil; f, err = p.r.Next() {
					if f.Type == protocol.TypeGoodbye {
						near.Close()
					}
				}
				<-ended
				<-accepted
				s.Wait()
			})
		})
	}
}
