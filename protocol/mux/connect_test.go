package mux

import (
	"errors"
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

func TestCloseDuringConnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		p, _, connected := asClient(t, s)
		synctest.Wait()
		s.Close(nil)
		if err := <-connected; err == nil {
			t.Error("Connect succeeded without WELCOME")
		}
		p.conn.Close()
		near, far := pipe()
		if _, err := s.Connect(near, &protocol.Hello{}); err != ErrGoodbye {
			t.Error(err)
		}
		play(t, far).wantEnd("a session that has ended connects no more")
	})
}

// If the link ends right after WELCOME, that does not hide that WELCOME came first: the session
// reports its end.
func TestWelcomeBeforeTheEnd(t *testing.T) {
	for range 20 { // a choice between two channels must not decide
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: Client})
			ch, _ := s.Open(&protocol.Open{Service: "test"})
			p, _, connected := asClient(t, s)
			p.want(protocol.TypeOpen, 1, "", "it travels with HELLO")
			p.send(welcome(0, 0), msg(protocol.TypeError, 0, `{"code":"internal"}`))
			p.conn.Close()
			<-s.Done()
			synctest.Wait()
			if err := <-connected; err != nil {
				t.Errorf("Connect returns %v, though WELCOME came", err)
			}
			if _, err := ch.Take(); codeOf(err) != protocol.CodeInternal {
				t.Error(err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, code := range []protocol.Code{protocol.CodeKeyNotAuthorized,
		protocol.CodeTooManySessions, protocol.CodeShuttingDown, protocol.CodeSessionExpired,
		"who_knows"} {
		t.Run(string(code), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := New(Config{Role: Client})
				c, _ := s.Open(&protocol.Open{Service: "test"})
				p, _, connected := asClient(t, s)
				p.send(msg(protocol.TypeError, 0, `{"code":"`+string(code)+`","key":"k"}`))
				var remote *protocol.RemoteError
				if err := <-connected; !errors.As(err, &remote) || remote.Code != code ||
					remote.Key != "k" {
					t.Error(err)
				}
				if _, err := c.Next(nil); codeOf(err) != code {
					t.Error(err)
				}
				p.conn.Close()
			})
		})
	}
}

func TestBadWelcome(t *testing.T) {
	for text, code := range map[string]protocol.Code{
		`{"received":0,"resend":0,"channels":15}`:    protocol.CodeBadFrame,
		`{"received":0,"resend":1,"channels":16}`:    protocol.CodeBadFrame,
		`{"received":1,"resend":0,"channels":16}`:    protocol.CodeResumeMismatch,
		`{"received":"0","resend":0,"channels":16}`:  protocol.CodeBadJSON,
		`{"received":0,"resend":0,"channels":16}x`:   protocol.CodeBadJSON,
		`{"received":0,"received":0,"channels":100}`: protocol.CodeBadJSON,
	} {
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: Client})
			p, _, connected := asClient(t, s)
			p.send(msg(protocol.TypeWelcome, 0, text))
			p.want(protocol.TypeError, 0, string(code), text)
			p.conn.Close()
			if err := <-connected; codeOf(err) != code {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		p, _, connected := asClient(t, s)
		p.send(open(2))
		p.want(protocol.TypeError, 0, "unexpected_frame", "session frames follow WELCOME")
		p.conn.Close()
		<-connected
	})
}

func TestConnectRace(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: Client, Resend: protocol.MinResend})
			var peers []*end
			results := make(chan error, 5)
			for range cap(results) {
				near, far := pipe()
				peers = append(peers, far)
				go func() {
					_, err := s.Connect(near, &protocol.Hello{User: "u"})
					results <- err
				}()
			}
			for _, far := range peers {
				go func() {
					if f, err := protocol.NewReader(far).Next(); err == nil &&
						f.Type == protocol.TypeHello {
						far.Write(welcome(0, protocol.MinResend))
					}
				}()
			}
			good := 0
			for range cap(results) {
				if <-results == nil {
					good++
				}
			}
			if good == 0 {
				t.Error("none of them succeeded")
			}
			s.Close(nil)
			for _, far := range peers {
				far.Close()
			}
		})
	}
}
