//go:build unix

package dial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

func refusedBy(code protocol.Code, message string) error {
	return &protocol.RemoteError{Reason: protocol.Reason{Code: code, Message: message}}
}

// A person is told nothing for two seconds, then of the loss and of a refusal that has come
// meanwhile; later of each further reason once, at once, whatever its words are. A program is told
// everything at once.
func TestAnnouncer(t *testing.T) {
	for giveUp, want := range map[string][]string{
		"Ctrl-C gives up": {
			"2s the link to box was lost 2 seconds ago: it was closed on the way; trying for a " +
				"new one for up to 58 seconds; Ctrl-C gives up",
			"2s box refused to take the session back from this address: \"no\"; trying on",
			"4s box refused to take the session back from this address: \"5s\"; trying on",
			"6s the link to box is back after 6 seconds",
		},
		"": {
			"0s the link to box was lost: it was closed on the way; trying for a new one for up " +
				"to 60 seconds",
			"1s box refused to take the session back from this address: \"no\"; trying on",
			"4s box refused to take the session back from this address: \"5s\"; trying on",
			"6s the link to box is back after 6 seconds",
			"7s the link to box was lost: it was closed on the way; trying for a new one for up " +
				"to 60 seconds",
			"8s the link to box is back after 1 second",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var said []string
			watch := dial.Announcer("box", giveUp, func(line string) {
				said = append(said, time.Since(began).String()+" "+line)
			})
			since := began
			loss := func(refusal error) *dial.Loss {
				return &dial.Loss{Since: since, Until: since.Add(time.Minute), Cause: io.EOF,
					Refusal: refusal}
			}
			for _, step := range []*dial.Loss{
				loss(nil),
				loss(refusedBy(protocol.CodeKeyNotAuthorized, "no")),
				nil, // a second later
				loss(refusedBy(protocol.CodeKeyNotAuthorized, "never")),
				loss(refusedBy(protocol.CodeTooManyFailures, "5s")),
				loss(refusedBy(protocol.CodeTooManyFailures, "4s")),
			} {
				if step != nil {
					watch(step)
				}
				<-time.After(time.Second)
			}
			watch(nil)
			<-time.After(time.Second)
			since = time.Now()
			watch(loss(nil))
			<-time.After(time.Second)
			watch(nil)
			<-time.After(time.Minute)
			if !slices.Equal(said, want) {
				t.Errorf("it said\n%s\nnot\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// A daemon that refuses to take a session back says why at once, and not after hours (the user
// learned it when the client gave up); each reason is told once.
func TestRefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := fakedaemon.NewNetwork(t, func(ch *mux.Channel) { fakedaemon.Begin(ch, "") })
		net.Daemon.Killed = time.Hour
		refusals := []string{"", `"key_not_authorized","message":"no"`,
			`"key_not_authorized","message":"no, again"`, `"too_many_failures","message":"wait"`}
		net.Link = func(n int, _ *fakedaemon.Link) error {
			net.Turns = nil
			if n > 0 && n < len(refusals) {
				net.Turns = []func(*fakedaemon.Guest){
					fakedaemon.Refuse(`{"code":` + refusals[n] + `}`)}
			} else if n == len(refusals) {
				return errors.New("down")
			}
			return nil
		}
		conn, err := net.Dialer.Dial(t.Context(), func(s *mux.Session) error {
			_, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("x")})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		net.Links()[0].Close()
		<-time.After(5 * time.Minute)
		if loss := conn.Lost(); loss != nil {
			t.Errorf("the link is not back: %+v", loss)
		}
		const from = "minissh: fake refused to take the session back from this address: "
		lines := strings.Split(strings.TrimSpace(net.Said.String()), "\n")
		if len(lines) != 4 ||
			!strings.HasPrefix(lines[0], "minissh: the link to fake was lost: ") ||
			lines[1] != from+`"no"; trying on` || lines[2] != from+`"wait"; trying on` ||
			!strings.HasPrefix(lines[3], "minissh: the link to fake is back after ") {
			t.Errorf("it said\n%s", net.Said)
		}
		conn.Session.Close(nil)
	})
}

// What ended a link is told in words for people, whatever the system called it.
func TestHappened(t *testing.T) {
	timeout := os.ErrDeadlineExceeded
	for want, errs := range map[string][]error{
		"it was closed on the way": {io.EOF, io.ErrUnexpectedEOF, fmt.Errorf("x: %w", io.EOF),
			&net.OpError{Op: "read", Err: net.ErrClosed},
			&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}},
		"it was reset on the way": {
			&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}},
		"there was no answer in time": {context.DeadlineExceeded,
			&net.OpError{Op: "dial", Err: timeout}},
		"nothing could be sent over it any more": {timeout,
			&net.OpError{Op: "write", Err: timeout}},
		"nothing was heard for 45 seconds": {mux.ErrSilent},
		"connection refused": {
			&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}},
	} {
		for _, err := range errs {
			if got := dial.Happened(err); got != want {
				t.Errorf("%v: %q, not %q", err, got, want)
			}
		}
	}
}
