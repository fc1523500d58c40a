//go:build unix

package authorized

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// newSigner makes a key that can log in.
func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// A real sshd and Find judge the same lines with the same key from the same address. Where they
// differ, the table says so, and we are the stricter ones.
func TestAsSSHDJudges(t *testing.T) {
	signer := newSigner(t)
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	_, stranger := newKey(t)
	file := filepath.Join(t.TempDir(), "authorized_keys")
	address := startSSHD(t, file, "no")
	for _, c := range []struct {
		text     string // KEY is the client's, OTHER is not
		stricter bool   // sshd admits, we do not
	}{
		{"KEY", false}, {"OTHER", false}, {"", false}, {"# KEY", false}, {"KEY\r", false}, {" \tKEY", false},
		{"junk\nOTHER\nKEY", false}, {"no-pty KEY", false}, {"NO-PTY KEY", false}, {"no-pty restrict KEY", false}, {"no-pty , KEY", false},
		{"no-pty,restrict KEY", false}, {"no-pty, KEY", false}, {", KEY", false},
		{",no-pty KEY", false}, {"no-pty,,restrict KEY", false}, {"restrict,pty KEY", false},
		{"unknown KEY", false}, {"no-restrict KEY", false}, {"no-cert-authority KEY", false}, {"no-command KEY", false}, {"cert-authority KEY", false},
		{`command="x" KEY`, false}, {`command="x\"y" KEY`, false}, {`command="x" y" KEY`, false}, {`command="x KEY`, false}, {`command=x KEY`, false},
		{`command KEY`, false}, {`command="a",command="b" KEY`, false}, {`Command="a b,c" KEY`, false}, {`command="" KEY`, false}, {`command="a"b KEY`, false},
		{`from="127.0.0.1" KEY`, false}, {`from="127.0.0.0/8" KEY`, false}, {`from="127.0.0.1/8" KEY`, false}, {`from="127.*" KEY`, false},
		{`from="127.0.0.?" KEY`, false}, {`from="10.0.0.0/8" KEY`, false}, {`from="!127.0.0.1,*" KEY`, false}, {`from="*,!127.0.0.1" KEY`, false},
		{`from="!10.0.0.1" KEY`, false}, {`from="!10.0.0.1,*" KEY`, false}, {`from="!10.0.0.0/8,127.0.0.1" KEY`, false}, {`from="" KEY`, false},
		{`from="lab.example" KEY`, false}, {`from="::1" KEY`, false}, {`from="127.0.0.1",from="127.0.0.1" KEY`, false}, {`from="127.0.0.0/33" KEY`, false},
		{`from="!evil.example,*" KEY`, true},
		{`expiry-time="20200101" KEY`, false}, {`expiry-time="20990101" KEY`, false}, {
			`expiry-time="209901011200Z" KEY`, false}, {`expiry-time="20990101120000" KEY`, false},
		{`expiry-time="20990101",expiry-time="20200101" KEY`, false}, {`expiry-time="never" KEY`,
			false}, {`expiry-time="2099" KEY`, false}, {`expiry-time="" KEY`, false},
		{`expiry-time="20990230" KEY`, true},
		{`environment="A=1" KEY`, false}, {`environment="A" KEY`, false}, {`environment="A-B=1" KEY`, false},
		{`permitopen="localhost:80" KEY`, false}, {`permitlisten="80" KEY`, false}, {`permitopen="" KEY`, false}, {`tunnel="0" KEY`, false},
		{`no-touch-required KEY`, false}, {`touch-required KEY`, false}, {
			`No-Touch-Required,no-touch-required KEY`, false}, {`no-touch-required="x" KEY`, false},
		{`verify-required KEY`, false}, {`no-verify-required KEY`, false}, {`verify-required,no-verify-required KEY`, false},
		{`no-verify-required,verify-required KEY`, false}, {`no-principals KEY`, false}, {`principals KEY`, false}, {`no-tunnel KEY`, false},
		{`tunnel="any" KEY`, false}, {`tunnel="" KEY`, false}, {`tunnel="0",tunnel="1" KEY`, false}, {`permitopen="[::1]:80" KEY`, false},
		{`permitopen="host" KEY`, false}, {`permitopen="host:port" KEY`, false}, {`permitopen="host:99999" KEY`, false}, {`permitopen="*:*" KEY`, false},
		{`permitlisten="host:80" KEY`, false}, {`permitlisten="x" KEY`, false}, {
			`permitlisten="*" KEY`, false}, {`permitopen="a:1",permitopen="b:2" KEY`, false},
		{`no-restrict,pty KEY`, false}, {`restrict="x" KEY`, false}, {`restrict,no-pty,pty KEY`, false}, {`principals="u" KEY`, false},
		{"from=\"10.0.0.1\" KEY\nKEY", false}, {"expiry-time=\"20200101\" KEY\nno-pty KEY", false}, {"unknown KEY\nKEY", false},
		{"no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-pty,no-user-rc KEY", false},
		{"port-forwarding,X11-forwarding,agent-forwarding,pty,user-rc KEY", false},
	} {
		text := strings.NewReplacer("KEY", key, "OTHER", stranger).Replace(c.text) + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		theirs := login(t, address, signer)
		parsed, problems := Parse(file, []byte(text))
		_, err := parsed.Find(signer.PublicKey(), netip.MustParseAddr("127.0.0.1"), time.Now())
		if ours := err == nil; ours != (theirs && !c.stricter) || c.stricter && !theirs {
			t.Errorf("%q: sshd %v, we %v %v", c.text, theirs, ours, problems)
		}
	}
}

// sshd does not know minissh-files=, and refuses the key: a line for files opens no shell there.
func TestSSHDRefusesAKeyForFiles(t *testing.T) {
	signer := newSigner(t)
	file := filepath.Join(t.TempDir(), "authorized_keys")
	address := startSSHD(t, file, "no")
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	for line, in := range map[string]bool{key: true, `minissh-files="/srv" ` + key: false,
		`minissh-files="/srv,ro",restrict ` + key: false} {
		if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if login(t, address, signer) != in {
			t.Errorf("%q: sshd's answer is %v", line, !in)
		}
		if parsed, problems := Parse(file, []byte(line)); len(parsed.Entries) != 1 {
			t.Errorf("%q: %v", line, problems)
		}
	}
}

// A real sshd with StrictModes and Load judge the same modes of a file in the home, and of the
// directories above it. Debian's sshd lets a group write whose only member is the user; sshd as it
// is published does not, and neither do we.
func TestModesAsSSHDJudges(t *testing.T) {
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	// not below /tmp: sshd refuses all that is
	base, err := os.MkdirTemp(who.HomeDir, ".minissh-test-")
	if err != nil {
		t.Skip("not run: needs a home that can be written to: " + err.Error())
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	signer := newSigner(t)
	dir := filepath.Join(base, "ssh")
	file := filepath.Join(dir, "authorized_keys")
	if err := errors.Join(os.Mkdir(dir, 0o700),
		os.WriteFile(file, ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600)); err != nil {
		t.Fatal(err)
	}
	address := startSSHD(t, file, "yes")
	for _, c := range []struct{ base, dir, file fs.FileMode }{
		{0o700, 0o700, 0o600}, {0o755, 0o755, 0o644}, {0o755, 0o755, 0o640}, {0o755, 0o755, 0o660}, {0o755, 0o755, 0o602}, {0o755, 0o755, 0o400},
		{0o755, 0o775, 0o600}, {0o755, 0o757, 0o600}, {0o775, 0o755, 0o600}, {0o757, 0o755, 0o600},
		{0o755, 0o777 | fs.ModeSticky, 0o600}, {0o755, 0o775 | fs.ModeSticky, 0o600}, {0o755, 0o755 | fs.ModeSticky, 0o600},
		{0o777 | fs.ModeSticky, 0o755, 0o600}, {0o775 | fs.ModeSticky, 0o755, 0o600}, {0o755 | fs.ModeSticky, 0o755, 0o600},
		{0o755, 0o755 | fs.ModeSetgid, 0o600}, {0o755, 0o775 | fs.ModeSetgid, 0o600},
	} {
		if err := errors.Join(os.Chmod(file, c.file), os.Chmod(dir, c.dir),
			os.Chmod(base, c.base)); err != nil {
			t.Fatal(err)
		}
		theirs := login(t, address, signer)
		_, _, err := Load(file, Owner{UID: uint32(os.Getuid()), Home: who.HomeDir})
		group := (c.base|c.dir|c.file)&0o020 != 0 && (c.base|c.dir|c.file)&0o002 == 0
		if ours := err == nil; ours != theirs && !(group && !ours) {
			t.Errorf("%v/%v/%v: sshd %v, we %v %v", c.base, c.dir, c.file, theirs, ours, err)
		}
	}
}

// login says whether the key lets us in.
func login(t *testing.T, address string, signer ssh.Signer) bool {
	t.Helper()
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client, _, _, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: who.Username, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err == nil {
		client.Close()
		return true
	}
	if !strings.Contains(err.Error(), "unable to authenticate") {
		t.Fatal(err)
	}
	return false
}

// startSSHD runs an sshd for this test on loopback, which reads the file, and ends it by its id.
// strict is its StrictModes.
func startSSHD(t *testing.T, file, strict string) (address string) {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		if sshd = "/usr/sbin/sshd"; !executable(sshd) {
			t.Skip("not run: needs sshd")
		}
	}
	if _, err := os.Stat("/run/sshd"); err != nil && os.Getuid() == 0 {
		t.Skip("not run: needs the directory /run/sshd, which sshd wants as root")
	}
	dir := t.TempDir()
	if _, _, err := keys.HostKey(filepath.Join(dir, "host")); err != nil {
		t.Fatal(err)
	}
	// A free port; somebody could take it in between, then sshd says so.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s\nAuthorizedKeysFile %s\n"+
		"StrictModes %s\nPidFile none\nUsePAM no\n"+
		"PermitRootLogin yes\nPasswordAuthentication no\nMaxStartups 100\n", port,
		filepath.Join(dir, "host"), file, strict)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(sshd, "-D", "-e", "-f", filepath.Join(dir, "config"))
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n') // "Server listening on …"
	go func() {
		defer close(drained)
		for ; err == nil; _, err = lines.ReadString('\n') {
		}
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		<-drained
		command.Wait()
	})
	if !strings.Contains(line, "listening") {
		t.Skipf("not run: needs an sshd that starts here: %s", line)
	}
	return address
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}
