//go:build unix

package dial_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/client/dial"
	"minissh/client/knownhosts"
	"minissh/protocol/fulldisk"
	"minissh/protocol/keys"
)

// On a full disk neither half a host key nor half an identity is left.
func TestOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	id, _, err := keys.HostKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	hosts, before := filepath.Join(dir, "known_hosts"), "# "+strings.Repeat("x", 70)+"\n"
	if err := os.WriteFile(hosts, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	fulldisk.Run(t, 100, func(t *testing.T) {
		if err := knownhosts.Append(hosts, "host", 7422, id.Public, false); err == nil {
			t.Error("the host key fits")
		}
		if text, err := os.ReadFile(hosts); string(text) != before {
			t.Errorf("known_hosts: %q, %v", text, err)
		}
		pem := filepath.Join(dir, "pem")
		if err := dial.WriteIdentity(filepath.Join(dir, "key"), pem, silentAsker{}); err == nil ||
			!strings.Contains(err.Error(), "was not written") {
			t.Error(err)
		}
		if _, err := os.Stat(pem); !errors.Is(err, fs.ErrNotExist) {
			t.Error("half an identity is left:", err)
		}
		if _, _, err := keys.HostKey(filepath.Join(dir, "second")); err == nil {
			t.Error("a host key fits")
		}
		if left, _ := os.ReadDir(dir); len(left) != 2 {
			t.Errorf("%v is left", left)
		}
	})
}

// silentAsker is asked nothing.
type silentAsker struct{}

func (silentAsker) Line(string) (string, error)   { return "", errors.New("asked") }
func (silentAsker) Secret(string) ([]byte, error) { return nil, errors.New("asked") }
