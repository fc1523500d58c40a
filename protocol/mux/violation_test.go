package mux

import (
	"bytes"
	"testing"
	"testing/synctest"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// TestViolations: each conversation of vectors/sessions.txt ends as it says: ERROR with the code,
// then the link, the session, its applications and all goroutines (the bubble checks that).
func TestViolations(t *testing.T) {
	for _, v := range vectors.Read("sessions.txt") {
		t.Run(v.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				if v.Text("role") == "daemon" {
					violateDaemon(t, v)
				} else {
					violateClient(t, v)
				}
			})
		})
	}
}

func violateDaemon(t *testing.T, v vectors.Vector) {
	s := New(Config{Role: Daemon, Channels: 16, Accept: ignore})
	p, accepted := asDaemon(t, s, helloOf(nil))
	p.send(v.Lines("hex")...)
	judge(t, v, s, p)
	if err := <-accepted; v.Text("error") != "none" && string(codeOf(err)) != v.Text("error") {
		t.Fatalf("Accept returned %v", err)
	}
	s.Wait()
}

func violateClient(t *testing.T, v vectors.Vector) {
	s := New(Config{Role: Client})
	_, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	p, _, connected := asClient(t, s)
	p.want(protocol.TypeOpen, 1, "test", "it may be sent at once (SE3)")
	p.send(welcome(0, 0))
	must(t, <-connected)
	p.send(v.Lines("hex")...)
	judge(t, v, s, p)
	s.Wait()
}

// judge expects the ERROR that the vector names, or that the session lives; then it ends the
// session.
func judge(t *testing.T, v vectors.Vector, s *Session, p *script) {
	t.Helper()
	synctest.Wait()
	if v.Text("error") == "none" {
		if err := s.Err(); err != nil {
			t.Fatalf("no rule was broken, but: %v", err)
		}
		p.send(msg(protocol.TypeGoodbye, 0, "{}"))
		<-s.Done()
		if err := s.Err(); err != ErrGoodbye {
			t.Fatalf("ended with %v", err)
		}
		p.conn.Close()
		return
	}
	for {
		f, err := p.r.Next()
		if err != nil {
			t.Fatalf("no ERROR came: %v", err)
		}
		if f.Type == protocol.TypeError {
			if !bytes.Contains(f.Payload, []byte(`"code":"`+v.Text("error")+`"`)) {
				t.Fatalf("%s, want %s", protocol.Describe(f, 100), v.Text("error"))
			}
			break
		}
	}
	p.wantEnd("ERROR is the last frame (FR7)")
	if got := codeOf(s.Err()); string(got) != v.Text("error") {
		t.Fatalf("the session ended with %v", s.Err())
	}
	p.conn.Close()
}
