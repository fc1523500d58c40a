package options

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// testEnv is an environment with an empty home.
func testEnv(t testing.TB) *Environment {
	t.Helper()
	vars := map[string]string{"SSH_AUTH_SOCK": "/run/agent.sock", "NUMBER": "7"}
	return &Environment{
		Home: t.TempDir(), User: func() string { return "me" }, UID: os.Getuid(),
		Hostname: "desk.example",
		Getenv:   func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
	}
}

func mustParse(t *testing.T, env *Environment, args ...string) *Options {
	t.Helper()
	o, err := env.Parse(args)
	if err != nil {
		t.Fatalf("Parse(%q): %v", args, err)
	}
	return o
}

// TestPrograms has each argument vector in SSH_CONTRACT's table of programs. ⟨…⟩ is one word.
func TestPrograms(t *testing.T) {
	type want struct {
		user, host string
		port       int
		line       string // the command
		words      int    // how many words it came in
		refused    string // the option that Refuse reports
		check      func(t *testing.T, o *Options)
	}
	tests := []struct {
		name, args string
		want       want
	}{
		{"rsync push", "-l u h rsync --server -vlogDtpre.iLsfxCIvu . path",
			want{"u", "h", 7422, "rsync --server -vlogDtpre.iLsfxCIvu . path", 5, "", nil}},
		{"rsync pull", "-p 22 h rsync --server --sender -vlogDtpre.iLsfxCIvu . a b",
			want{"me", "h", 22, "rsync --server --sender -vlogDtpre.iLsfxCIvu . a b", 7, "", nil}},
		{"git fetch", "-o SendEnv=GIT_PROTOCOL -p 2222 u@h ⟨git-upload-pack '/r'⟩",
			want{"u", "h", 2222, "git-upload-pack '/r'", 1, "", func(t *testing.T, o *Options) {
				if len(o.SendEnv) != 1 || o.SendEnv[0] != "GIT_PROTOCOL" {
					t.Errorf("SendEnv %q", o.SendEnv)
				}
			}}},
		{"git push", "u@h ⟨git-receive-pack '/r'⟩", want{"u", "h", 7422, "git-receive-pack '/r'", 1, "", nil}},
		{"git probe", "-G -p 2222 u@h",
			want{"u", "h", 2222, "", 0, "", func(t *testing.T, o *Options) {
				if !o.PrintConfig {
					t.Error("PrintConfig is not set")
				}
			}}},
		{"scp", "-x -oPermitLocalCommand=no -oClearAllForwardings=yes -oRemoteCommand=none " +
			"-oRequestTTY=no -oForwardAgent=no -p 5 -l u -s -- h sftp",
			want{"u", "h", 5, "sftp", 1, "", func(t *testing.T, o *Options) {
				if o.SessionType != SessionSubsystem || o.RequestTTY != TTYNo {
					t.Errorf("session %v, tty %v", o.SessionType, o.RequestTTY)
				}
			}}},
		{"scp -O", "-x -oPermitLocalCommand=no -oClearAllForwardings=yes -oRemoteCommand=none " +
			"-oRequestTTY=no -oForwardAgent=no -- h ⟨scp -t p⟩",
			want{"me", "h", 7422, "scp -t p", 1, "", nil}},
		{"sftp", "⟨-oForwardX11 no⟩ ⟨-oPermitLocalCommand no⟩ ⟨-oClearAllForwardings yes⟩ " +
			"⟨-obatchmode yes⟩ ⟨-oForwardAgent no⟩ ⟨-oPort 8⟩ -l u -s -- h sftp",
			want{"u", "h", 8, "sftp", 1, "", func(t *testing.T, o *Options) {
				if !o.BatchMode {
					t.Error("BatchMode is not set")
				}
			}}},
		{"sshfs", "-x -a -oClearAllForwardings=yes -oServerAliveInterval=15 -2 -s -- u@h sftp",
			want{"u", "h", 7422, "sftp", 1, "", func(t *testing.T, o *Options) {
				if o.ServerAliveInterval != 15*time.Second {
					t.Errorf("ServerAliveInterval %v", o.ServerAliveInterval)
				}
			}}},
		{"ansible",
			`-vvv -C -o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=no -o Port=9 -o IdentityFile="/k" -o KbdInteractiveAuthentication=no -o PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey -o PasswordAuthentication=no -o User="u" -o ConnectTimeout=10 -o ControlPath="/p/%h" h ⟨/bin/sh -c 'echo ~u && sleep 0'⟩`,
			want{"u", "h", 9, "/bin/sh -c 'echo ~u && sleep 0'", 1, "",
				func(t *testing.T, o *Options) {
					if o.StrictHostKeyChecking != StrictNo || o.ConnectTimeout != 10*time.Second ||
						o.LogLevel != LevelDebug3 ||
						len(o.IdentityFiles) != 1 || o.IdentityFiles[0] != "/k" ||
						len(o.DefaultIdentityFiles) != 0 {
						t.Errorf("%+v", o)
					}
				}}},
		{"ansible -tt", "-C -tt h ⟨/bin/sh -c x⟩", want{"me", "h", 7422, "/bin/sh -c x", 1, "",
			func(t *testing.T, o *Options) {
				if o.RequestTTY != TTYForce {
					t.Errorf("RequestTTY %v", o.RequestTTY)
				}
			}}},
		{"ansible check", "-vvv -C -o ControlMaster=auto -O check h", want{"me", "h", 7422, "", 0, "", nil}},
		{"ansible stop", "-O stop h", want{"me", "h", 7422, "", 0, "", nil}},
		{"clush", "-oForwardAgent=no -oForwardX11=no -l u -oConnectTimeout=15 -oBatchMode=yes h " +
			"⟨uname -r⟩",
			want{"u", "h", 7422, "uname -r", 1, "", nil}},
		{"pdsh", "-2 -a -x -lUSER h uname -r", want{"USER", "h", 7422, "uname -r", 2, "", nil}},
		{"pssh", "-T h -o NumberOfPasswordPrompts=1 -o SendEnv=⟨PSSH_NODENUM PSSH_HOST⟩ -l u -p " +
			"3 ⟨date -u⟩",
			want{"u", "h", 3, "date -u", 1, "", func(t *testing.T, o *Options) {
				if o.RequestTTY != TTYNo || len(o.SendEnv) != 2 {
					t.Errorf("tty %v, SendEnv %q", o.RequestTTY, o.SendEnv)
				}
			}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := mustParse(t, testEnv(t), words(test.args)...)
			w := test.want
			if o.User != w.user || o.HostName != w.host || o.Port != w.port {
				t.Errorf("goes to %s, want %s@%s:%d", o, w.user, w.host, w.port)
			}
			if o.CommandLine() != w.line || len(o.Command) != w.words {
				t.Errorf("runs %q, want %q in %d words", o.Command, w.line, w.words)
			}
			refused := ""
			if u, ok := o.Refuse().(*UnsupportedError); ok {
				refused = u.Option
			}
			if refused != w.refused {
				t.Errorf("refuses %q, want %q", refused, w.refused)
			}
			if w.check != nil {
				w.check(t, o)
			}
		})
	}
}

// words splits at blanks, but not between ⟨ and ⟩; bytes stay as they are.
func words(s string) (out []string) {
	inside, word := false, ""
	for s += " "; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '⟨':
			inside = true
		case r == '⟩':
			inside = false
		case r == ' ' && !inside:
			if word != "" {
				out = append(out, word)
			}
			word = ""
		default:
			word += s[:size]
		}
		s = s[size:]
	}
	return out
}

// TestLettersAreSSHs: every letter of SSH_CONTRACT rule 3 is in the table, and
// takes an argument exactly if ssh's does.
func TestLettersAreSSHs(t *testing.T) {
	const plain, withArg = "1246ACGKMNTVXYZafgknqstvxy", "BDEFIJLOPQRSWbceilmopw"
	n := 0
	for _, letters := range []string{plain, withArg} {
		for _, letter := range []byte(letters) {
			row := findLetter(letter)
			if row == nil {
				t.Errorf("-%c is missing", letter)
			} else if row.arg != (letters == withArg) {
				t.Errorf("-%c: arg %v", letter, row.arg)
			}
			n++
		}
	}
	flags, keys := Table()
	for _, f := range flags {
		if !strings.HasPrefix(f.Name, "--") {
			n--
		}
	}
	if n != 0 {
		t.Errorf("the table differs from ssh's letters by %d", n)
	}
	seen := make(map[string]bool)
	for _, k := range keys {
		if lower := strings.ToLower(k.Name); seen[lower] {
			t.Errorf("%s is in the table twice", k.Name)
		} else {
			seen[lower] = true
		}
	}
}

// write puts a file below dir.
func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}
