package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

func newKeyFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id_ed25519")
	if _, _, err := keys.HostKey(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func newDialer(o *options.Options) *Dialer {
	return &Dialer{Options: o, Messages: report.New(io.Discard, o)}
}

// ConnectTimeout counts once for each attempt: a host that answers nothing is reported after that
// time, not after twice as long.
func TestConnectTimeoutCountsOnce(t *testing.T) {
	file := newKeyFile(t)
	for attempts, want := range map[int]time.Duration{1: 10 * time.Second, 3: 32 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			begun, dials := time.Now(), 0
			l, err := newDialer(&options.Options{
				Alias: "mute", HostName: "192.0.2.1", Port: 7422, User: "tester",
				IdentityFiles: []string{file}, IdentitiesOnly: true,
				ConnectTimeout: 10 * time.Second, ConnectionAttempts: attempts,
			}).login()
			if err != nil {
				t.Fatal(err)
			}
			l.way.dialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				dials++
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
			}
			_, err = l.run(t.Context(), func(*mux.Session) error { return nil })
			if took := time.Since(begun); err == nil || took != want || dials != attempts ||
				!strings.Contains(err.Error(), "Connection timed out") {
				t.Errorf("%d attempts: %d dials in %v: %v", attempts, dials, took, err)
			}
		})
	}
}

// As often as ConnectionAttempts says, a second apart, and no more often.
func TestConnectionAttempts(t *testing.T) {
	file := newKeyFile(t)
	synctest.Test(t, func(t *testing.T) {
		begun, dials := time.Now(), 0
		l, err := newDialer(&options.Options{
			Alias: "closed", HostName: "192.0.2.1", Port: 7422, User: "tester",
			IdentityFiles: []string{file}, IdentitiesOnly: true, ConnectionAttempts: 3,
		}).login()
		if err != nil {
			t.Fatal(err)
		}
		l.way.dialContext = func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		if _, err := l.run(t.Context(), func(*mux.Session) error { return nil }); err == nil ||
			dials != 3 || time.Since(begun) != 2*time.Second {
			t.Errorf("%d dials in %v: %v", dials, time.Since(begun), err)
		}
	})
}

// A second connection of one Dial has the time that the first has left.
func TestConnectTimeoutIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newDialer(&options.Options{ConnectTimeout: 10 * time.Second}).newNetwork()
		for _, left := range []time.Duration{10 * time.Second, 6 * time.Second} {
			ctx, cancel := n.limited(t.Context())
			if end, ok := ctx.Deadline(); !ok || time.Until(end) != left {
				t.Errorf("%v are left instead of %v", time.Until(end), left)
			}
			<-time.After(4 * time.Second)
			cancel()
			cancel() // counts once
		}
	})
}
