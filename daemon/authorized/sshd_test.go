//go:build unix

package authorized

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
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
)

// A real sshd and Find judge the same lines about the same key from the same address. Where they differ, the table says so, and we
// are the stricter ones.
func TestAsSSHDJudges(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	_, stranger := newKey(t)
	file, address := startSSHD(t)
	for _, c := range []struct {
		text     string // KEY is the client's, OTHER is not
		stricter bool   // sshd admits, we do not
	}{
		{"KEY", false}, {"OTHER", false}, {"", false}, {"# KEY", false}, {"KEY\r", false}, {" \tKEY", false},
		{"junk\nOTHER\nKEY", false}, {"no-pty KEY", false}, {"NO-PTY KEY", false}, {"no-pty restrict KEY", false}, {"no-pty , KEY", false},
		{"no-pty,restrict KEY", false}, {"no-pty, KEY", false}, {", KEY", false}, {",no-pty KEY", false}, {"no-pty,,restrict KEY", false}, {"restrict,pty KEY", false},
		{"unknown KEY", false}, {"no-restrict KEY", false}, {"no-cert-authority KEY", false}, {"no-command KEY", false}, {"cert-authority KEY", false},
		{`command="x" KEY`, false}, {`command="x\"y" KEY`, false}, {`command="x" y" KEY`, false}, {`command="x KEY`, false}, {`command=x KEY`, false},
		{`command KEY`, false}, {`command="a",command="b" KEY`, false}, {`Command="a b,c" KEY`, false}, {`command="" KEY`, false}, {`command="a"b KEY`, false},
		{`from="127.0.0.1" KEY`, false}, {`from="127.0.0.0/8" KEY`, false}, {`from="127.0.0.1/8" KEY`, false}, {`from="127.*" KEY`, false},
		{`from="127.0.0.?" KEY`, false}, {`from="10.0.0.0/8" KEY`, false}, {`from="!127.0.0.1,*" KEY`, false}, {`from="*,!127.0.0.1" KEY`, false},
		{`from="!10.0.0.1" KEY`, false}, {`from="!10.0.0.1,*" KEY`, false}, {`from="!10.0.0.0/8,127.0.0.1" KEY`, false}, {`from="" KEY`, false},
		{`from="lab.example" KEY`, false}, {`from="::1" KEY`, false}, {`from="127.0.0.1",from="127.0.0.1" KEY`, false}, {`from="127.0.0.0/33" KEY`, false},
		{`from="!evil.example,*" KEY`, true},
		{`expiry-time="20200101" KEY`, false}, {`expiry-time="20990101" KEY`, false}, {`expiry-time="209901011200Z" KEY`, false}, {`expiry-time="20990101120000" KEY`, false},
		{`expiry-time="20990101",expiry-time="20200101" KEY`, false}, {`expiry-time="never" KEY`, false}, {`expiry-time="2099" KEY`, false}, {`expiry-time="" KEY`, false},
		{`expiry-time="20990230" KEY`, true},
		{`environment="A=1" KEY`, false}, {`environment="A" KEY`, false}, {`environment="A-B=1" KEY`, false},
		{`permitopen="localhost:80" KEY`, false}, {`permitlisten="80" KEY`, false}, {`permitopen="" KEY`, false}, {`tunnel="0" KEY`, false},
		{`no-touch-required KEY`, true}, {`verify-required KEY`, true}, {`principals="u" KEY`, false},
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
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file, address := startSSHD(t)
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	for line, in := range map[string]bool{key: true, `minissh-files="/srv" ` + key: false, `minissh-files="/srv,ro",restrict ` + key: false} {
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
		User: who.Username, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
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

// startSSHD runs an sshd of the test's own on loopback, which reads the file, and ends it by its id.
func startSSHD(t *testing.T) (file, address string) {
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
	file = filepath.Join(dir, "authorized_keys")
	_, host, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(host, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "host"), pem.EncodeToMemory(block), 0o600); err != nil {
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
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nPidFile none\nUsePAM no\n"+
		"PermitRootLogin yes\nPasswordAuthentication no\nMaxStartups 100\n", port, filepath.Join(dir, "host"), file)
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
	return file, address
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}
