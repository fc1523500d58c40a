package process

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	Helper("keyring", func([]string) int {
		id, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
		fmt.Println(id, err)
		if key, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", "minissh-test",
			0); err == nil {
			fmt.Println("found", key)
		}
		_, err = unix.AddKey("user", "minissh-test", []byte("secret"),
			unix.KEY_SPEC_SESSION_KEYRING)
		fmt.Println("added", err)
		io.Copy(io.Discard, os.Stdin)
		return 0
	})
}

// Commands of other accounts have session keyrings of their own: what one puts there, another does
// not find, and the daemon's is out of reach.
func TestKeyringOfAnAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	own, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		t.Skip("not run: needs keyrings: " + err.Error())
	}
	seen := map[string]bool{fmt.Sprint(own, " <nil>"): true}
	var others []*Process
	for range 3 {
		p, err := StartSelf(Account{Name: "nobody", UID: 65534, GID: 65534, Home: "/",
			Shell: "/bin/sh", Credential: &Credential{UID: 65534, GID: 65534}}, "keyring")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		others = append(others, p)
		var said strings.Builder
		for !strings.Contains(said.String(), "added") || !strings.HasSuffix(said.String(), "\n") {
			var buf [256]byte
			n, err := p.Stdout.Read(buf[:])
			said.Write(buf[:n])
			if err != nil {
				t.Fatalf("%q, %v", said.String(), err)
			}
		}
		lines := strings.Split(said.String(), "\n")
		if seen[lines[0]] || len(lines) != 3 || lines[1] != "added <nil>" {
			t.Errorf("it has the keyring %q; others have %v", said.String(), seen)
		}
		seen[lines[0]] = true
	}
	for _, p := range others {
		p.Stdin.Close()
		<-p.Done()
	}
}
