//go:build linux

package conform

import (
	"crypto/rand"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// TestMain lets more tests run at once than there are processors: they wait for programs.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "6")
	testend.Main(m, func() {
		if builtIn != "" {
			os.RemoveAll(builtIn)
		}
	})
}

// The table has the rules of the pages, each page's count.
func TestRulesAreThoseOfThePages(t *testing.T) {
	pages, err := filepath.Glob("../../../protocol/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	defined := regexp.MustCompile(`(?m)^\*\*([A-Z]{2}[0-9]+)\.\*\*`)
	var found []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
			found = append(found, m[1])
		}
	}
	names := ruleNames()
	slices.Sort(found)
	slices.Sort(names)
	if !slices.Equal(found, names) {
		t.Errorf("the pages have %v\nthe table %v", found, names)
	}
}

// Each probe is of a rule that there is, and its name means one probe.
func TestProbes(t *testing.T) {
	for _, all := range [][]Probe{daemonProbes(), allClientProbes()} {
		seen := map[string]bool{}
		for _, p := range all {
			if !slices.Contains(ruleNames(), p.Rule) {
				t.Errorf("%s: there is no rule %s", p.Name, p.Rule)
			}
			if seen[p.Rule+p.Name] || p.What.Zh == "" || p.What.En == "" {
				t.Errorf("%s %s is there twice, or says nothing", p.Rule, p.Name)
			}
			seen[p.Rule+p.Name] = true
		}
	}
}

// Each rule is tried, or the table says why not.
func TestUnseen(t *testing.T) {
	for role, all := range map[string][]Probe{"daemon": append(daemonProbes(), shutdownProbe),
		"client": allClientProbes()} {
		for _, rule := range ruleNames() {
			tried := slices.ContainsFunc(all, func(p Probe) bool { return p.Rule == rule })
			if why := Unseen(role, rule); tried == (why != Text{}) {
				t.Errorf("%s %s: tried %v, not tried because %q", role, rule, tried, why.En)
			}
		}
	}
}

// builtIn is where our programs are once they are built.
var builtIn string

var built = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "lab-conform-bin-")
	if err != nil {
		return err
	}
	builtIn = dir
	out, err := exec.Command("go", "build", "-o", dir+"/", "minissh/cmd/minissh",
		"minissh/cmd/minisshd").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func builtProgram(t *testing.T, name string) string {
	t.Helper()
	if err := built(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(builtIn, name)
}

// python finds the interpreter itself: what runs ahead of it may be slow to start.
var python = sync.OnceValue(func() string {
	out, err := exec.Command("python3", "-c",
		"import sys; sys.version_info >= (3, 8) and print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
})

func needsPython(t *testing.T) string {
	t.Helper()
	if python() == "" {
		t.Skip("not run: needs python3")
	}
	return python()
}

func own(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// grade wants no rule to fail, and these alone of the kit's rules not to be reached.
func grade(t *testing.T, r *Report, err error, unreached string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	tried := map[string]bool{}
	for _, res := range r.Results {
		tried[res.Rule] = true
		if res.Outcome == Fails {
			t.Errorf("%s %s: want %s, got %s\n%s", res.Rule, res.Probe, res.Want.En, res.Got.En,
				strings.Join(res.Said, "\n"))
		}
	}
	for _, rule := range r.Rules() {
		if rule.Outcome == Unreached && tried[rule.Rule] {
			missing = append(missing, rule.Rule)
		}
	}
	if got := strings.Join(missing, " "); got != unreached {
		t.Errorf("not reached: %s; want %s", got, unreached)
	}
	t.Logf("%d rules hold, of %d probes", r.Count(Holds), len(r.Results))
}

// patience is for a machine where a login shell takes seconds; only a failure waits so long.
const patience = time.Minute

// short leaves the groups that need most of the time to the whole run.
func short(o Options) Options {
	if testing.Short() {
		o.Only = "CH"
	}
	o.Patience = patience
	return o
}

// overTLS are the rules of logins that a Unix socket does not have.
const overTLS = "LO1 LO2 LO3 LO4 LO6 CE1 CE2 CE3 CE4 CE5 CE6"

func TestOwnDaemon(t *testing.T) {
	t.Parallel()
	r, err := Daemon(t.Context(),
		short(Options{Program: []string{builtProgram(t, "minisshd"), "--control", "none",
			"--listen", "{address}", "--host-key", filepath.Join(t.TempDir(), "key")}, User: own(t),
			Slow: !testing.Short()}))
	want := "ID1 ID4 ID5 CA1 CA2 PA4 " + overTLS
	if testing.Short() {
		want = ""
	}
	grade(t, r, err, want)
}

// Over TCP, with TLS: the carriers' rules, and a walk through all others' groups.
func TestOwnDaemonOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	authority, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromSigner(authority.Private)
	if err != nil {
		t.Fatal(err)
	}
	listed := filepath.Join(dir, "authorized_keys")
	lines := fmt.Sprintf("%scert-authority %s", ssh.MarshalAuthorizedKey(id.Public),
		ssh.MarshalAuthorizedKey(authority.Public))
	if err := os.WriteFile(listed, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := startProgram([]string{builtProgram(t, "minisshd"), "--control", "none", "--listen",
		"127.0.0.1:0", "--host-key", dir + "/key", "--host-certificate", hostFiles(t, dir, signer),
		"--authorized-keys", listed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(DefaultPatience) })
	says := regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)
	var address string
	testend.Until(t, "it listens", func() bool {
		said, _ := p.output()
		if m := says.FindSubmatch(said); m != nil {
			address = string(m[1])
		}
		return address != ""
	})
	host, _, err := keys.HostKey(dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := keys.Certificate(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, only := range []string{"ID", "CA", "SE", "PA", "LO", "CE"} {
		r, err := Daemon(t.Context(),
			Options{Address: address, User: own(t), Only: only, Patience: patience,
				Login: &Login{Key: envelope, HostKey: keys.Fingerprint(host.Public),
					Authority: signer}})
		grade(t, r, err, map[string]string{"CA": "CA3", "SE": "SE5", "PA": "PA3"}[only])
	}
}

// hostFiles writes a host key, as key, and its certificate.
func hostFiles(t *testing.T, dir string, authority ssh.Signer) (certificate string) {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(id.Private, "")
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: id.Public, CertType: ssh.HostCert, ValidBefore: 1 << 40}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	certificate = filepath.Join(dir, "key-cert.pub")
	for name, text := range map[string][]byte{filepath.Join(dir, "key"): pem.EncodeToMemory(block),
		certificate: ssh.MarshalAuthorizedKey(cert)} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate
}

// clientOptions try all on a client that resumes; on one that keeps nothing what is different.
func clientOptions(words []string, name string) Options {
	o := short(Options{Program: words, Slow: !testing.Short()})
	if name == "keeps nothing" && !testing.Short() {
		o.Only = "SE"
	}
	if strings.HasSuffix(words[0], "minissh") {
		o.Put = []string{words[0], "cp", "-q", "-r", "{local}", "{address}:{remote}"}
		o.Get = []string{words[0], "cp", "-q", "-r", "{address}:{remote}", "{local}"}
	}
	return o
}

func TestOwnClient(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{"resumes": nil,
		"keeps nothing": {"-o", "ResumeFor=0"}} {
		t.Run(name, func(t *testing.T) {
			words := append(append([]string{builtProgram(t, "minissh")}, options...), "{address}",
				"{command}")
			r, err := Client(t.Context(), clientOptions(words, name))
			grade(t, r, err, "")
		})
	}
}

func TestPythonClient(t *testing.T) {
	t.Parallel()
	ways := map[string][]string{"resumes": {"--resume", "30"}, "keeps nothing": nil}
	for name, options := range ways {
		t.Run(name, func(t *testing.T) {
			words := append(append([]string{needsPython(t), "../../../scripts/minissh.py"},
				options...), "{address}", "{command}")
			r, err := Client(t.Context(), clientOptions(words, name))
			copies := "FI1 FI2 FI3 FI4 FI5 FI6 FI7 FI8 FI9 FI11 FI13"
			if name == "keeps nothing" || testing.Short() {
				copies = ""
			}
			grade(t, r, err, copies)
		})
	}
}

// pythonDaemon is the command of minisshd.py, or of a mutant, with the least of a subsystem.
func pythonDaemon(t *testing.T, file string) []string {
	t.Helper()
	server, err := filepath.Abs("testdata/sftp.py")
	if err != nil {
		t.Fatal(err)
	}
	return pythonDaemonWith(t, file, server)
}

func pythonDaemonWith(t *testing.T, file, server string) []string {
	t.Helper()
	return []string{needsPython(t), file, "--subsystem", "sftp=exec " + python() + " -I -S " +
		server, "{address}"}
}

func TestPythonDaemon(t *testing.T) {
	t.Parallel()
	r, err := Daemon(t.Context(),
		short(Options{Program: pythonDaemon(t, "../../../scripts/minisshd.py"), User: own(t),
			Slow: !testing.Short()}))
	want := "ID1 ID4 ID5 CA1 CA2 TE2 TE3 LI1 LI2 LI3 LI4 LI5 LI6 FI1 FI2 FI3 " +
		"FI4 FI5 FI6 FI7 FI8 FI9 FI10 FI11 FO3 FO4 JO1 JO2 JO3 JO4 JO5 " +
		"JO6 JO7 JO8 JO10 JO11 PA4 " + overTLS
	if testing.Short() {
		want = ""
	}
	grade(t, r, err, want)
}
