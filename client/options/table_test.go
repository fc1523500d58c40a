package options

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pool has values that every key is tried with, special more for some keys.
var (
	pool = []string{"bogus", "yes", "no", "none", "1", "any", "auto", "ask", "true", "false", "30s",
		"0", "-1", "1 2", "a b", "yes no", `"yes`, `'yes'`,
		"4294967296", "default", "x,y", "", "NONE", "Yes"}
	special = `
AddKeysToAgent confirm 1h|ask 1h|yes 1h|1h
BindAddress ::1
CanonicalDomains a b|-x|.x|none
CanonicalizeHostname always
CanonicalizePermittedCNAMEs *.a:*.b|a|none a:b|a:b c:d
CASignatureAlgorithms ssh-ed25519|ssh-ed*|-x
Ciphers aes128-ctr|aes128-ctr,aes256-ctr|+3des-cbc|-nonsense*|^bogus|aes*|aes128-ctr,|aes128-ctr,bogus
ConnectTimeout 1m30|99999999999
ControlMaster autoask
ControlPersist 1h|1h30m
DynamicForward 1080|localhost:1080|*:1080|[::1]:1080|/s|a:b:1|0|:1080|x
FingerprintHash md5|sha1|sha256|sha512
ForwardAgent $SSH_AUTH_SOCK|/socket
GSSAPIKexAlgorithms gss-gex-sha1-|gss-bogus-
HostKeyAlgorithms ssh-ed25519*|ssh-*|bogus*|-bogus|ssh-ed25519,rsa-sha2-512
HostbasedAcceptedAlgorithms +ssh-rsa
IPQoS af11 cs1|0x10|lowdelay throughput|lowdelay throughput none|300|ef
KexAlgorithms curve25519-sha256|-*|curve25519-sha256,bogus
LocalCommand a "b|a b c
LocalForward 1 a:2|localhost:1 a:2|*:1 [::1]:2|/s /t|1 /t|/s a:2|[::1]:1 a:2|:1 a:2|1:2 a|1 a:|1 a:http|http a:1|1 a:65536|0 a:1|1 a|a 1:2|\1 a:2|x:/s a:1
LogLevel DEBUG|quiet|VERBOSE
LogVerbose a b c
MACs hmac-md5,|hmac-sha2-256
PermitRemoteOpen a:1 b:2|any a:1|*:*
PreferredAuthentications publickey,password
ProxyCommand nc %h %p|none x
ProxyJump a,b|user@a:1|ssh://a|@a|a:x
PubkeyAcceptedAlgorithms +ssh-rsa|ssh-ed25519
PubkeyAuthentication unbound|host-bound
RekeyLimit default none|1G 1h|1x|5|default default|1G
RemoteForward 1 a:2|0 a:2|1|0|localhost:1|b:1 a:2|*:1 [::1]:2|/s /t|1 /t|/s a:2|/s|:1 a:2|1:2 a|1 a:|1 a:http|a:b:1|1 a:65536|1 a:0|x|[::1]:0
RequestTTY force
RequiredRSASize 0x10|2048
SessionType subsystem
SetEnv A=b 'C=d e'
StreamLocalBindMask 0177|9|01777
StrictHostKeyChecking accept-new|off
SyslogFacility AUTH|local7|kern
Tunnel ethernet|point-to-point
TunnelDevice 1:2|any:any|1:any|x:1
`
)

var lineOfError = regexp.MustCompile(`line (\d+)`)

// sshRefuses returns the numbers (from 1) of the lines of a configuration that ssh refuses, and
// why.
func sshRefuses(t *testing.T, ssh string, lines []string) map[int]string {
	t.Helper()
	refused := map[int]string{}
	lines = append([]string(nil), lines...)
	file := filepath.Join(t.TempDir(), "config")
	for range 100 { // ssh reports all wrong lines at once, except a few kinds, which end it
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		write(t, file, strings.Join(lines, "\n")+"\n", 0o600)
		cmd := exec.CommandContext(ctx, ssh, "-G", "-F", file, "h")
		var said bytes.Buffer
		cmd.Stderr = &said
		err := cmd.Run()
		cancel()
		last := 0
		for line := range strings.Lines(said.String()) {
			if m := lineOfError.FindStringSubmatch(line); m != nil &&
				!strings.Contains(line, "Unsupported option") &&
				!strings.Contains(line, "Deprecated option") {
				last, _ = strconv.Atoi(m[1])
				refused[last] = strings.TrimSpace(line)
			}
		}
		if err == nil || strings.Contains(said.String(), "bad configuration options") || last == 0 {
			return refused
		}
		lines[last-1] = "# " + lines[last-1]
	}
	t.Fatal("ssh does not come to an end")
	return nil
}

// TestValuesAreSSHs: what ssh accepts as a value of a key is accepted here, unless the table says
// that the key is refused; and what ssh refuses is refused.
func TestValuesAreSSHs(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	more := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(special)) {
		key, values, _ := strings.Cut(strings.TrimSpace(line), " ")
		if keyNamed(key) == nil {
			t.Errorf("no key %s", key)
		}
		more[key] = strings.Split(values, "|")
	}
	_, keys := Table()
	names := []string{}
	for _, key := range keys {
		if !key.File {
			names = append(names, key.Name)
		}
	}
	for _, alias := range keyAliases {
		names = append(names, alias[0])
	}
	var lines []string
	for _, name := range names {
		for _, value := range append(append([]string(nil), pool...), more[name]...) {
			lines = append(lines, name+" "+value)
		}
	}
	refused := sshRefuses(t, ssh, lines)
	if len(refused) < 500 || len(refused) > len(lines)-500 {
		t.Fatalf("ssh refuses %d of %d lines", len(refused), len(lines))
	}
	env := testEnv(t)
	file := filepath.Join(env.Home, "config")
	for i, line := range lines {
		theirs, why := refused[i+1] != "", refused[i+1]
		if strings.Contains(why, "Bad configuration option") {
			continue // newer than this ssh, or of another system
		}
		write(t, file, line+"\n", 0o600)
		o, err := env.Parse([]string{"-F", file, "h"})
		ours := err
		if err == nil {
			ours = o.Refuse()
		}
		name, value, _ := strings.Cut(line, " ")
		switch {
		case theirs && ours == nil:
			t.Errorf("%q: ssh refuses it (%s), minissh does not", line, why)
		case !theirs && err != nil && !different[name+" "+value]:
			t.Errorf("%q: ssh takes it, minissh says %v", line, err)
		case !theirs && ours != nil && err == nil && keyNamed(name).class != Refused &&
			keyNamed(name).class != Holds:
			t.Errorf("%q is refused, and the table says that it is %s: %v", line,
				keyNamed(name).class, ours)
		}
	}
}

// different are lines that ssh accepts and minissh refuses while it parses: ssh -G does not check
// what it would refuse later, and reads 30s as a mask.
var different = map[string]bool{
	"ForkAfterAuthentication yes": true, "ForkAfterAuthentication true": true,
	"ForkAfterAuthentication 'yes'": true, "ForkAfterAuthentication Yes": true,
	"ConnectionAttempts 0": true, "HostName -1": true, "User -1": true,
	"ProxyJump -1": true, "ProxyJump 1 2": true, "ProxyJump a b": true, "ProxyJump yes no": true,
	"ProxyJump 'yes'":       true, // names of hops, of which ssh judges those that count
	"SessionType subsystem": true, "StreamLocalBindMask 30s": true,
	"StreamLocalBindMask 4294967296": true,
}

// TestNothingIsDropped: what forbids something is obeyed, or is an error, in each place where it
// may be written.
func TestNothingIsDropped(t *testing.T) {
	forbids := []string{
		"KnownHostsCommand false", "VerifyHostKeyDNS yes", "VerifyHostKeyDNS ask",
		"PubkeyAuthentication no", "PreferredAuthentications password",
		"ProxyJump a b", "ProxyCommand nc %q", "Tunnel yes",
		"RefuseConnection no", "Ciphers bogus", "MACs bogus",
		"KexAlgorithms bogus", "HostKeyAlgorithms bogus", "RequiredRSASize many",
		"BindAddres 127.0.0.1",
		"RemoteForward 1 h:0", "RemoteForward x h:1", "PermitRemoteOpen a",
		"LocalForward 1 h:0", "LocalForward 0 h:1", "DynamicForward 0",
		"Match bogus x",
	}
	holds := map[string]func(*Options) bool{
		"RevokedHostKeys ~/revoked": func(o *Options) bool {
			return strings.HasSuffix(o.RevokedHostKeys, "/revoked") && o.RevokedHostKeys[0] == '/'
		},
		"ProxyJump gate": func(o *Options) bool {
			return len(o.Jumps) == 1 && o.Jumps[0].Host == "gate"
		},
		"ProxyCommand nc %h %p": func(o *Options) bool { return o.ProxyCommand == "nc h 7422" },
		"BindAddress 127.0.0.9": func(o *Options) bool {
			return o.BindAddress == "127.0.0.9"
		},
		"BindInterface lo": func(o *Options) bool { return o.BindInterface == "lo" },
		"CheckHostIP yes":  func(o *Options) bool { return o.CheckHostIP },
		"HostKeyAlgorithms ssh-rsa": func(o *Options) bool {
			return !o.AcceptsHostKey("ssh-ed25519") && o.AcceptsHostKey("ssh-rsa")
		},
		"PubkeyAcceptedAlgorithms -ssh*": func(o *Options) bool {
			return !o.OffersKey("ssh-ed25519") && o.OffersKey("ecdsa-sha2-nistp256")
		},
		"RequiredRSASize 4096": func(o *Options) bool {
			return o.RequiredRSASize == 4096
		},
		"StrictHostKeyChecking yes": func(o *Options) bool {
			return o.StrictHostKeyChecking == StrictYes
		},
		"AddressFamily inet6": func(o *Options) bool {
			return o.AddressFamily == "inet6"
		},
		"RemoteCommand date %h": func(o *Options) bool {
			return o.CommandLine() == "date h"
		},
	}
	for place, arrange := range map[string]func(t *testing.T, env *Environment,
		lines string) []string{
		"-o": func(_ *testing.T, _ *Environment, lines string) (args []string) {
			for line := range strings.Lines(lines) {
				args = append(args, "-o", strings.TrimSpace(line))
			}
			return append(args, "h")
		},
		"-F": func(t *testing.T, env *Environment, lines string) []string {
			return []string{"-F", write(t, filepath.Join(env.Home, "f"), lines, 0o600), "h"}
		},
		"minissh's file": func(t *testing.T, env *Environment, lines string) []string {
			write(t, filepath.Join(env.Home, ".config", "minissh", "config"), lines, 0o600)
			return []string{"h"}
		},
		"ssh's file": func(t *testing.T, env *Environment, lines string) []string {
			write(t, filepath.Join(env.Home, ".ssh", "config"), "Host h\n"+lines, 0o600)
			return []string{"h"}
		},
		"an included file": func(t *testing.T, env *Environment, lines string) []string {
			write(t, filepath.Join(env.Home, ".ssh", "config"), "Host x h\nInclude conf.d/*\n",
				0o600)
			write(t, filepath.Join(env.Home, ".ssh", "conf.d", "one"), lines, 0o600)
			return []string{"h"}
		},
		"a Match block": func(t *testing.T, env *Environment, lines string) []string {
			write(t, filepath.Join(env.Home, ".ssh", "config"),
				"Match host h exec \"test %p = 7422\"\n"+lines, 0o600)
			return []string{"h"}
		},
	} {
		for _, lines := range forbids {
			if place == "-o" && strings.Contains(lines, "Match") {
				continue
			}
			env := testEnv(t)
			o, err := env.Parse(arrange(t, env, lines))
			if err == nil {
				err = o.Refuse()
			}
			if err == nil {
				t.Errorf("%q by %s is dropped", lines, place)
			}
		}
		for line, ok := range holds {
			env := testEnv(t)
			o, err := env.Parse(arrange(t, env, line))
			if err == nil {
				err = o.Refuse()
			}
			if err != nil || !ok(o) {
				t.Errorf("%q by %s: %v", line, place, err)
			}
		}
	}
}

// TestTold: what has no effect is reported in one line; what asks for nothing is silent.
func TestTold(t *testing.T) {
	const without = "without effect in this version: "
	for args, want := range map[string]string{
		"h": "", "-a -x -2 -C -k h": "",
		"-oForwardAgent=no -oForwardX11=no -oClearAllForwardings=yes -oPermitLocalCommand=no h": "",
		"-C -oControlMaster=auto -oControlPersist=60s -oControlPath=/p h x":                     "",
		"-oServerAliveInterval=15 h": "", "-oServerAliveInterval=60 -oServerAliveCountMax=1 h": "",
		"-M h": "",
		"-X -A -I /lib -y h": without +
			"-X (windows of the other side); -I (keys in PKCS#11 devices)",
		"-oForwardX11=yes h":        without + "-o ForwardX11 (windows of the other side)",
		"-oServerAliveInterval=5 h": "", "-oServerAliveCountMax=2 -oServerAliveInterval=20 h": "",
	} {
		o := mustParse(t, testEnv(t), words(args)...)
		if got := strings.Join(o.Warnings, "\n"); got != want || o.Refuse() != nil {
			t.Errorf("%s: %q, want %q (%v)", args, got, want, o.Refuse())
		}
	}
	env := testEnv(t)
	file := write(t, filepath.Join(env.Home, ".ssh", "config"),
		"Host h\nForwardX11 yes\nHost other\nChannelTimeout x=1\n", 0o600)
	o := mustParse(t, env, "h")
	want := fmt.Sprintf("%s%s:2: ForwardX11 (windows of the other side)", without, file)
	if len(o.Warnings) != 1 || o.Warnings[0] != want || o.Refuse() != nil {
		t.Errorf("%q\nwant %q, %v", o.Warnings, want, o.Refuse())
	}
	if o = mustParse(t, env, "-o", "ClearAllForwardings=yes", "-x", "h"); len(o.Warnings) > 0 {
		t.Errorf("%q", o.Warnings)
	}
	write(t, file, "Tunnel yes\n", 0o600)
	hint := "-o Tunnel=no goes on without it; Tunnel no for this host in " +
		"~/.config/minissh/config does so for good"
	if o = mustParse(t, env, "h"); o.Refuse() == nil ||
		o.Refuse().(*UnsupportedError).Hint() != hint {
		t.Errorf("Tunnel: %v", o.Refuse())
	}
	write(t, filepath.Join(env.Home, ".config", "minissh", "config"), "Host h\nTunnel no\n",
		0o600)
	if o = mustParse(t, env, "h"); o.Refuse() != nil {
		t.Errorf("Tunnel no in minissh's file: %v", o.Refuse())
	}
}
