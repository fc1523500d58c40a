package knownhosts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestArtIsSSHs: fingerprints and pictures are those of ssh-keygen, for each digest and kind of
// key.
func TestArtIsSSHs(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		file := filepath.Join(t.TempDir(), kind)
		if out, err := exec.Command(keygen, "-q", "-t", kind, "-N", "", "-f",
			file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, hash := range []string{"md5", "sha1", "sha256", "sha384", "sha512"} {
			out, err := exec.Command(keygen, "-l", "-v", "-E", hash, "-f", file+".pub").Output()
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
			shown := Shown{Hash: hash}
			if want := strings.Fields(lines[0])[1]; shown.Fingerprint(key) != want {
				t.Errorf("%s: %s, want %s", kind, shown.Fingerprint(key), want)
			}
			if got := shown.Art(key); !slices.Equal(got, lines[1:]) {
				t.Errorf("%s by %s:\n%s\nwant\n%s", kind, hash, strings.Join(got, "\n"),
					strings.Join(lines[1:], "\n"))
			}
		}
	}
}
