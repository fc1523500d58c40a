package keys

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// program is the path of a real program; without it the test ends.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("not run: needs " + name)
	}
	return path
}

// run is the output of a real program, which must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// made holds the key files that ssh-keygen made, private and public, by its arguments: RSA keys
// take their time.
var made = map[string][2][]byte{}

// keygen makes a key file with ssh-keygen, in one of its formats.
func keygen(t *testing.T, passphrase, format string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "id_test")
	kind := strings.Join(args, " ")
	if _, ok := made[kind]; !ok {
		run(t, "ssh-keygen", append([]string{"-q", "-C", "me@here", "-N", "", "-f", path},
			args...)...)
		var both [2][]byte
		for i, name := range []string{path, path + ".pub"} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			both[i] = text
		}
		made[kind] = both
	}
	if err := errors.Join(os.WriteFile(path, made[kind][0], 0o600),
		os.WriteFile(path+".pub", made[kind][1], 0o644)); err != nil {
		t.Fatal(err)
	}
	if passphrase != "" || format != "RFC4716" {
		run(t, "ssh-keygen", "-q", "-p", "-a", "1", "-m", format, "-P", "", "-N", passphrase, "-f",
			path)
	}
	return path
}

// startAgent starts an ssh-agent for this test, and ends it by its id.
func startAgent(t *testing.T) (socket string) {
	t.Helper()
	// Not t.TempDir: a socket's path has room for 107 bytes.
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	command := exec.Command(program(t, "ssh-agent"), "-D", "-a", socket)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	// it says where it listens once it does
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("ssh-agent: %q, %v", line, err)
	}
	return socket
}

func addToAgent(t *testing.T, socket, path string) {
	t.Helper()
	command := exec.Command(program(t, "ssh-add"), "-q", path)
	command.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("ssh-add: %v\n%s", err, out)
	}
}

// handshake runs a real TLS 1.3 handshake with keys at both ends, and returns what each end learned
// of the other.
func handshake(t *testing.T, client, server Identity) (ofServer, ofClient ssh.PublicKey,
	err error) {
	t.Helper()
	var ends [2]*tls.Conn
	a, b := net.Pipe()
	// if one end gave up while the other writes, both would wait for ever
	for _, end := range []net.Conn{a, b} {
		end.SetDeadline(time.Now().Add(20 * time.Second))
	}
	defer a.Close()
	defer b.Close()
	for i, identity := range []Identity{client, server} {
		cert, err := Certificate(identity)
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
			InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert,
		}
		if i == 0 {
			ends[0] = tls.Client(a, config)
		} else {
			ends[1] = tls.Server(b, config)
		}
	}
	done := make(chan error, 1)
	go func() {
		err := ends[1].Handshake()
		b.Close() // the client's end learns of it
		done <- err
	}()
	err = ends[0].Handshake()
	if err == nil {
		ends[0].Read(make([]byte, 1)) // reads what the server's end still has to say
	}
	a.Close()
	if err := errors.Join(err, <-done); err != nil {
		return nil, nil, err
	}
	var learned [2]ssh.PublicKey
	for i, end := range ends {
		if learned[i],
			err = FromCertificate(end.ConnectionState().PeerCertificates[0]); err != nil {
			t.Fatal(err)
		}
	}
	return learned[0], learned[1], nil
}

var kinds = []struct {
	args []string
	name string
}{
	{[]string{"-t", "ed25519"}, "ED25519"},
	{[]string{"-t", "ecdsa", "-b", "256"}, "ECDSA"},
	{[]string{"-t", "ecdsa", "-b", "384"}, "ECDSA"},
	{[]string{"-t", "ecdsa", "-b", "521"}, "ECDSA"},
	{[]string{"-t", "rsa", "-b", "2048"}, "RSA"},
}

// Every kind of key that ssh-keygen writes, in every format, with and without a passphrase, can be
// read, tells its public half without a question, and proves itself in a TLS handshake.
func TestFilesOfKeygen(t *testing.T) {
	program(t, "ssh-keygen")
	server, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		for _, format := range []string{"RFC4716", "PEM", "PKCS8"} {
			if format != "RFC4716" && kind.name == "ED25519" {
				continue // ssh-keygen writes ed25519 in its own format whatever it is asked
			}
			for _, passphrase := range []string{"", "correct horse"} {
				if format == "PKCS8" && passphrase != "" {
					continue // TestUnreadable
				}
				name := strings.Join(append(kind.args, format, passphrase), " ")
				t.Run(name, func(t *testing.T) {
					path := keygen(t, passphrase, format, kind.args...)
					public, locked, err := PublicOf(path)
					if err != nil || locked != (passphrase != "") {
						t.Fatalf("PublicOf: locked %v, %v", locked, err)
					}
					var asked []string
					identity, err := LoadFile(path, func(prompt string) ([]byte, error) {
						asked = append(asked, prompt)
						return []byte(passphrase), nil
					})
					if err != nil {
						t.Fatal(err)
					}
					if passphrase != "" && (len(asked) != 1 ||
						asked[0] != "Enter passphrase for key '"+path+"': ") || passphrase == "" &&
						asked != nil {
						t.Errorf("asked %q", asked)
					}
					if identity.Source != path || identity.Comment != "me@here" ||
						identity.InAgent() {
						t.Errorf("source %q, comment %q", identity.Source, identity.Comment)
					}
					// "256 SHA256:… me@here (ED25519)"
					listed := run(t, "ssh-keygen", "-l", "-f", path+".pub")
					for _, key := range []ssh.PublicKey{public, identity.Public} {
						if want := Fingerprint(key) + " me@here (" + TypeName(key) +
							")"; !strings.Contains(listed, want) || TypeName(key) != kind.name {
							t.Errorf("we say %q, ssh-keygen %q", want, listed)
						}
					}
					ofServer, ofClient, err := handshake(t, identity, server)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(ofClient.Marshal(), identity.Public.Marshal()) ||
						!bytes.Equal(ofServer.Marshal(), server.Public.Marshal()) {
						t.Error("the ends learned other keys than were shown")
					}
				})
			}
		}
	}
}

// An agent's keys prove themselves on either end of a TLS handshake; its RSA keys can only sign the
// login.
func TestAgent(t *testing.T) {
	program(t, "ssh-add")
	socket := startAgent(t)
	for _, kind := range kinds {
		addToAgent(t, socket, keygen(t, "", "RFC4716", kind.args...))
	}
	usable, unusable, err := Agent(socket)
	if err != nil {
		t.Fatal(err)
	}
	if len(usable) != 5 || len(unusable) != 0 {
		t.Fatalf("usable %v, unusable %v", usable, unusable)
	}
	usable = slices.DeleteFunc(usable, func(id Identity) bool {
		if id.SignsLogins() != (TypeName(id.Public) == "RSA") {
			t.Errorf("%s: SignsLogins is %v", id.Public.Type(), id.SignsLogins())
		}
		if !id.SignsLogins() {
			return false
		}
		if _, err := id.SignLogin([]byte("T")); err != nil {
			t.Error(err)
		}
		return true
	})
	if len(usable) != 4 {
		t.Fatalf("TLS carries %v", usable)
	}
	for i, identity := range usable {
		if identity.Source != "agent" || identity.Comment != "me@here" || !identity.InAgent() {
			t.Errorf("identity %d: %+v", i, identity)
		}
		other := usable[(i+1)%len(usable)]
		_, ofClient, err := handshake(t, identity, other)
		if err != nil {
			t.Errorf("%s: %v", identity.Public.Type(), err)
		} else if !bytes.Equal(ofClient.Marshal(), identity.Public.Marshal()) {
			t.Errorf("%s: the server learned another key", identity.Public.Type())
		}
		if _, err := PEM(identity); err == nil || !strings.Contains(err.Error(), "never gives") {
			t.Errorf("PEM of an agent's key: %v", err)
		}
	}
	// A key that is taken out of the agent between listing and signing.
	run := exec.Command(program(t, "ssh-add"), "-q", "-D")
	run.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	if err := run.Run(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := handshake(t, usable[0], usable[1]); err == nil ||
		!strings.Contains(err.Error(), "the ssh-agent did not sign with the E") {
		t.Errorf("signing with a key that is gone: %v", err)
	}
	if left, _, err := Agent(socket); err != nil || len(left) != 0 {
		t.Errorf("an empty agent: %v, %v", left, err)
	}
}

// OpenSSL, which Python uses, accepts what PEM writes, and its certificate holds the key.
func TestPEM(t *testing.T) {
	program(t, "openssl")
	for _, kind := range kinds {
		path := keygen(t, "", "RFC4716", kind.args...)
		identity, err := LoadFile(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := PEM(identity)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tls.X509KeyPair(text, text); err != nil {
			t.Errorf("%s: %v", kind.name, err)
		}
		out := filepath.Join(t.TempDir(), "pem")
		if err := os.WriteFile(out, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if ofKey, ofCert := run(t, "openssl", "pkey", "-in", out, "-pubout"),
			run(t, "openssl", "x509", "-in", out, "-noout", "-pubkey"); ofKey != ofCert {
			t.Errorf("%s: key\n%s, certificate\n%s", kind.name, ofKey, ofCert)
		}
	}
}

// A key made by HostKey is one that OpenSSH reads.
func TestHostKeyInOpenSSH(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "host_key")
	identity, created, err := HostKey(path)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if text := run(t, "ssh-keygen", "-y", "-f", path); !strings.HasPrefix(text,
		strings.TrimSpace(string(ssh.MarshalAuthorizedKey(identity.Public)))) {
		t.Errorf("ssh-keygen reads %q", text)
	}
}

// Files that cannot be read say what to type, and what they say works.
func TestUnreadable(t *testing.T) {
	path := keygen(t, "secret", "PKCS8", "-t", "ecdsa", "-b", "256")
	_, err := LoadFile(path, nil)
	var known *Error
	if !errors.As(err, &known) || !strings.HasPrefix(known.Hint(), "ssh-keygen -p -f ") {
		t.Fatalf("encrypted PKCS#8: %v", err)
	}
	run(t, "ssh-keygen", "-q", "-p", "-P", "secret", "-N", "other", "-f", path)
	if _, err := LoadFile(path,
		func(string) ([]byte, error) { return []byte("other"), nil }); err != nil {
		t.Errorf("after its hint: %v", err)
	}

	// A certificate authority's signature makes no difference: only plain keys count.
	user, ca := keygen(t, "", "RFC4716", "-t", "ed25519"), keygen(t, "", "RFC4716", "-t", "ecdsa")
	run(t, "ssh-keygen", "-q", "-s", ca, "-I", "id", user+".pub")
	text, err := os.ReadFile(user + "-cert.pub")
	if err != nil {
		t.Fatal(err)
	}
	cert, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := Usable(cert); err == nil || TypeName(cert) != "ED25519-CERT" {
		t.Errorf("a certificate is usable: %v, %s", err, TypeName(cert))
	}
}
