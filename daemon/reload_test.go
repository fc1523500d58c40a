//go:build unix

package daemon

import (
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"minissh/protocol/keys"
)

// Reload shows a new host key to new connections, and leaves everybody else alone.
func TestReload(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	before := l.secure(l.guest)
	defer before.Close()
	key := newKey(t)
	if err := l.Reload(key); err != nil {
		t.Fatal(err)
	}
	after := l.secure(l.guest)
	defer after.Close()
	for conn, want := range map[interface{ Peer() *x509.Certificate }]bool{
		before: false, after: true} {
		shown, err := keys.FromCertificate(conn.Peer())
		if err != nil || (keys.Fingerprint(shown) == fingerprintOf(key)) != want {
			t.Errorf("%v, %v", shown, err)
		}
	}
	if r := collect(t, shell(t, s, "echo still here")); r.out != "still here\n" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(l.Ready(), fingerprintOf(key)) {
		t.Error(l.Ready())
	}
	l.log.want(t, "The host key has changed", fingerprintOf(key))
}

// What is wrong with a file is reported once for each state of it, and once more after a reload.
func TestProblemsAreToldOnce(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	const problem = "A line of authorized_keys is not used"
	count := func(want int) {
		t.Helper()
		l.run("true")
		if got := strings.Count(l.log.String(), problem); got != want {
			t.Errorf("told %d times, not %d", got, want)
		}
	}
	count(1)
	count(1)
	l.Reload(newKey(t))
	count(2)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "more nonsense\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	count(4)
	count(4)
}
