package knownhosts

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("not run: needs " + name)
	}
	return path
}

// ssh-keygen -F finds the entries that we find, and no others, in plain files and in files that
// ssh-keygen -H has hashed.
func TestAsKeygenFinds(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	_, a := newKey(t)
	_, b := newECDSA(t)
	text := strings.Join([]string{
		"lab " + a, "[lab]:7422 " + b, "Upper.Example " + a, "x,y,[z]:2222 " + b,
		"*.wild.example,!not.wild.example " + a,
		"192.0.2.1 " + a, "[2001:db8::1]:7422 " + b, "l?st " + a, "# comment",
	}, "\n")
	for _, hashed := range []bool{false, true} {
		file := write(t, text+"\nbad line\nold 1024 35 99999")
		if hashed { // which it does not do to a file with bad lines
			file = write(t, text)
			if out, err := exec.Command(keygen, "-H", "-f", file).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen -H: %v\n%s", err, out)
			}
			if now, _ := os.ReadFile(file); strings.Contains(string(now), "lab ") {
				t.Fatalf("ssh-keygen -H hid no names:\n%s", now)
			}
		}
		db := Open(file)
		found := 0
		for _, c := range []struct {
			host string
			port int
		}{
			{"lab", 22}, {"lab", 7422}, {"lab", 1}, {"upper.example", 22}, {"x", 22}, {"y", 22}, {"z", 22}, {"z", 2222}, {"a.wild.example", 22},
			{"not.wild.example", 22}, {"192.0.2.1", 22}, {"2001:db8::1", 7422}, {"last", 22}, {"list", 22}, {"lst", 22}, {"old", 22}, {"bad", 22},
		} {
			name, err := Name(c.host, c.port)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(keygen, "-F", name, "-f", file).Output()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			var theirs, ours []int
			for line := range strings.Lines(string(out)) {
				if _, at, ok := strings.Cut(line, " found: line "); ok {
					number, err := strconv.Atoi(strings.TrimSpace(at))
					if err != nil {
						t.Fatal(err)
					}
					theirs = append(theirs, number)
				}
			}
			for i := range db.entries {
				if e := &db.entries[i]; e.matches(name) {
					ours = append(ours, e.line)
				}
			}
			found += len(ours)
			if fmt.Sprint(theirs) != fmt.Sprint(ours) {
				t.Errorf("hashed %v, %s: ssh-keygen finds lines %v, we %v", hashed, name, theirs,
					ours)
			}
		}
		if found < 10 {
			t.Errorf("hashed %v: only %d were found", hashed, found)
		}
	}
}

// What Append writes, ssh-keygen finds.
func TestKeygenFindsAppended(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	key, line := newKey(t)
	file := write(t, "first "+line)
	for i, host := range []string{"Lab", "192.0.2.7", "2001:DB8::7"} {
		if err := Append(file, host, 7422, key, i%2 == 0); err != nil {
			t.Fatal(err)
		}
		name, _ := Name(host, 7422)
		out, err := exec.Command(keygen, "-l", "-F", name, "-f", file).CombinedOutput()
		if err != nil || !strings.Contains(string(out), ssh.FingerprintSHA256(key)) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Our dialogue is the real ssh's, byte for byte: ssh runs against a server of this test, and what
// it asks and says is compared.
func TestWordsOfSSH(t *testing.T) {
	client := program(t, "ssh")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	_, other := newKey(t)
	_, ec := newECDSA(t)
	port := serveSSH(t, private)
	name := fmt.Sprintf("[127.0.0.1]:%d", port)
	var many strings.Builder
	for i := range 11 {
		fmt.Fprintf(&many, "h%d,a%d %s\n", i, i, line)
	}
	for _, c := range []struct {
		what   string
		known  string
		policy Policy
		batch  bool
		answer string
	}{
		{"unknown, no", "", Ask, false, "no"},
		{"unknown, yes", "", Ask, false, "yes"},
		{"unknown, fingerprint", "", Ask, false, ssh.FingerprintSHA256(key)},
		{"unknown, batch", "", Ask, true, ""},
		{"unknown, strict", "", Strict, false, ""},
		{"unknown, accept-new", "", AcceptNew, false, ""},
		{"unknown, off", "", Off, false, ""},
		{"another name", "elsewhere " + line + "\n" + encodeHash("hidden") + " " + line, Ask, false, "no"},
		{"many names", many.String(), Ask, false, "no"},
		{"known", name + " " + line, Ask, false, ""},
		{"changed", "# one\n" + name + " " + other, Ask, false, ""},
		{"changed, strict", name + " " + other, Strict, false, ""},
		{"another type", name + " " + ec, Ask, false, ""},
		{"revoked", "@revoked * " + line, Ask, false, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			file := write(t, c.known)
			// What we ask and say.
			v, err := Open(file).Check("127.0.0.1", port, "127.0.0.1", key)
			if err != nil {
				t.Fatal(err)
			}
			var ourQuestion string
			d, err := Decide(c.policy, v, c.batch, func(question string) (string, error) {
				ourQuestion = question
				return c.answer, nil
			})
			ours := d.Messages
			if d.Add {
				ours = append(ours, Added(v))
			}
			if err != nil {
				ours = append(ours, err.Error())
			}
			// What ssh asks and says. Its question goes to the program in SSH_ASKPASS.
			dir := t.TempDir()
			asked := filepath.Join(dir, "asked")
			script := "#!/bin/sh\nprintf %s \"$1\" >> '" + asked + "'\necho '" + c.answer + "'\n"
			if err := os.WriteFile(filepath.Join(dir, "ask"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			batch := "no"
			if c.batch {
				batch = "yes"
			}
			command := exec.CommandContext(t.Context(), client, "-F", "none", "-T", "-n", "-p",
				strconv.Itoa(port), "-o", "BatchMode="+batch, "-o",
				"StrictHostKeyChecking="+string(c.policy),
				"-o", "UserKnownHostsFile="+file, "-o", "GlobalKnownHostsFile=none", "-o",
				"IdentityFile=none", "-o", "IdentityAgent=none", "-o",
				"PreferredAuthentications=publickey", "nobody@127.0.0.1", "true")
			command.Env = append(os.Environ(), "SSH_ASKPASS="+filepath.Join(dir, "ask"),
				"SSH_ASKPASS_REQUIRE=force")
			said, err := command.CombinedOutput()
			if err == nil {
				t.Fatal("ssh logged in")
			}
			var theirs []string
			for text := range strings.Lines(string(said)) {
				if text = strings.TrimRight(text, "\r\n"); !strings.Contains(text,
					"Permission denied") {
					theirs = append(theirs, text)
				}
			}
			if got, want := strings.Join(ours, "\n"), strings.Join(theirs, "\n"); got != want {
				t.Errorf("we say\n%s\nssh says\n%s", got, want)
			}
			theirQuestion, _ := os.ReadFile(asked)
			if ourQuestion != string(theirQuestion) {
				t.Errorf("we ask\n%s\nssh asks\n%s", ourQuestion, theirQuestion)
			}
			// We would have written what ssh wrote into the file.
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if added := strings.TrimPrefix(string(text), c.known); d.Add != (added != "") ||
				d.Add && added != name+" "+line+"\n" {
				t.Errorf("ssh added %q", added)
			}
		})
	}
}

// serveSSH is a server on loopback that shows its key and lets nobody in.
func serveSSH(t *testing.T, private ed25519.PrivateKey) (port int) {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, errors.New("no")
		}}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			ssh.NewServerConn(conn, config)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}
