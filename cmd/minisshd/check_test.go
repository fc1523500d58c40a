package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// asDaemon, set in the environment, makes this test binary be minisshd.
const asDaemon = "MINISSHD_TEST_IS_THE_DAEMON"

func TestMain(m *testing.M) {
	process.BeHelper()
	if os.Getenv(asDaemon) != "" {
		main()
		os.Exit(0)
	}
	testend.Strict(m)
}

// runCheck runs `minisshd check` for this test's own account.
func runCheck(t *testing.T, args ...string) (string, error) {
	t.Helper()
	app := newApp()
	var out bytes.Buffer
	app.Writer = &out
	err := app.Run(append([]string{"minisshd", "check"}, args...))
	return out.String(), err
}

func publicLine(t *testing.T) (string, keys.Identity) {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(id.Public))), id
}

// place is a directory with a host key, for a check of the given authorized_keys.
func place(t *testing.T, text string) (dir string, args []string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs file modes")
	}
	dir = t.TempDir()
	if _, _, err := keys.HostKey(filepath.Join(dir, "host_key")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args = []string{"--host-key", filepath.Join(dir, "host_key"), "--authorized-keys",
		filepath.Join(dir, "keys")}
	if os.Getuid() == 0 {
		// the machine's other accounts are not the test's
		args = append(args, "--allow-users", "root")
	}
	return dir, args
}

func TestCheck(t *testing.T) {
	line, id := publicLine(t)
	expired, _ := publicLine(t)
	text := fmt.Sprintf("%s ann@\x1b[31mlaptop\n# comment\nexpiry-time=\"20200101\" %s old\n"+
		"command=\"backup\",from=\"192.0.2.0/24,host.example\",restrict %s\n"+
		"cert-authority %s ca\nverify-required %s\n",
		line, expired, line, line, line)
	_, args := place(t, text)
	out, err := runCheck(t, append(args, "--listen", "127.0.0.1:0", "--listen", ":7422", "--listen",
		"unix:/run/x")...)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"listen 127.0.0.1:0 (this machine only)", "listen :7422 (beyond loopback)",
		"listen unix:/run/x (mode 0600)",
		"a session whose connection is lost is kept for 24 hours at most (--hold)",
		"line 1: ED25519 " + keys.Fingerprint(id.Public) + ` "ann@\x1b[31mlaptop"`,
		`"old" expires ` + time.Date(2020, 1, 1, 0, 0, 0, 0, time.Local).Format(time.RFC3339) +
			" - expired",
		`command="backup" from="192.0.2.0/24,host.example" restrict`,
		"line 5: ED25519 ", `"ca" cert-authority`,
		"line 6: ED25519 ", "verify-required",
		"note: ", "host names in from= never match", "could log in: ", "host_key: ED25519 SHA256:",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("a comment reaches the terminal as it is")
	}
}

// What a daemon would refuse gives exit code 1, and says what to type.
func TestCheckRefuses(t *testing.T) {
	line, _ := publicLine(t)
	for _, c := range []struct {
		name  string
		text  string
		spoil func(dir string) error
		args  []string
		words []string
	}{
		{"a line that is not a key", line + "\nnonsense\n", nil, nil, []string{"line 2: error: it does not hold a key", "could log in: "}},
		{"an unknown option", line + "\nno-such " + line, nil, nil, []string{`line 2: error: the option "no-such" is not supported`}},
		{"an option whose value is cut off", line + "\n" + `command="x ` + line, nil, nil, []string{"line 2: error: a double quote is not closed"}},
		{"a list of revoked keys that is not there", line, nil,
			[]string{"--revoked-keys", "/nonexistent"},
			[]string{"refused: no key is accepted", "the file of --revoked-keys is refused"}},
		{"authorities that are not there", line, nil,
			[]string{"--trusted-user-ca", "/nonexistent"},
			[]string{"refused: the file of --trusted-user-ca"}},
		{"no keys", "", nil, nil, []string{"no keys", "nobody could log in"}},
		{"only an expired key", `expiry-time="20200101" ` + line, nil, nil, []string{"expired", "nobody could log in"}},
		{"a writable file", line, func(dir string) error {
			return os.Chmod(filepath.Join(dir, "keys"), 0o666)
		}, nil, []string{"refused: bad ownership or modes", "hint: chmod go-w "}},
		{"a readable host key", line, func(dir string) error {
			return os.Chmod(filepath.Join(dir, "host_key"), 0o644)
		}, nil, []string{"refused:", "hint: chmod 600 "}},
		{"an audit log nowhere", line, nil, []string{"--audit", "/nonexistent/audit.json"},
			[]string{"refused: ", "/nonexistent", "the daemon does not start"}},
		{"an audit log that is a directory", line, nil, []string{"--audit", "/dev"},
			[]string{"refused: /dev is not a regular file", "the daemon does not start"}},
		{"a banner that is not there", line, nil, []string{"--banner", "/nonexistent"},
			[]string{"banner /nonexistent:", "refused: ", "a banner cannot be shown"}},
		{"no address", line, nil, []string{"--listen", "127.0.0.1:99999"}, []string{"refused:", `the port "99999"`, "hint: --listen "}},
		{"another machine's address", line, nil, []string{"--listen", "192.0.2.1:7422"}, []string{"refused:", `"192.0.2.1" is not an address of this machine`, "hint: ip address"}},
		{"a port after a bare IPv6 address", line, nil, []string{"--listen", "::1:7422"}, []string{"refused:", `"::1:7422" is not an address of this machine`, "hint: --listen [::1]:7422"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, args := place(t, c.text)
			if c.spoil != nil {
				if err := c.spoil(dir); err != nil {
					t.Fatal(err)
				}
			}
			out, err := runCheck(t, append(args, c.args...)...)
			if err == nil {
				t.Fatal("all is well")
			}
			out += complaint(err, false)
			for _, want := range c.words {
				if !strings.Contains(out, want) {
					t.Errorf("lacks %q:\n%s", want, out)
				}
			}
			if strings.Count(out, "nobody could log in") > 1 {
				t.Errorf("it says so twice:\n%s", out)
			}
		})
	}
	for _, args := range [][]string{
		{"--permit-root", "maybe"}, {"--penalty-exempt", "x"}, {"--unix-mode", "0999"},
		{"--allow-forwarding", "some"}, {"--allow-agent-forwarding", "local"},
		{"--unix-mode", "0066"}, {"--authorized-keys", "%i"}, {"--allow-users", "a@b"}, {"extra"},
	} {
		if out, err := runCheck(t, args...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
	if err := newApp().Run([]string{"minisshd", "--listen", ":1", "check"}); err == nil {
		t.Error("options before the verb are lost in silence")
	}
	for args, want := range map[[3]string]string{
		{"--control", "x", "end"}:      "options follow the verb: minisshd end --control …",
		{"--log-level", "warn", "who"}: "who has no --log-level; its options: minisshd who --help",
	} {
		err := newApp().Run(append([]string{"minisshd"}, args[:]...))
		if text := complaint(err, false); !strings.HasSuffix(text, "hint: "+want+"\n") {
			t.Errorf("%q: %s", args, text)
		}
	}
}

// What is wrong in an account's file counts for the exit code if the administrator is responsible
// for the file, and if the account is served.
func TestCheckJudges(t *testing.T) {
	bad := access.FileReport{Path: "/home/bob/.ssh/authorized_keys", Err: errors.New("bad modes")}
	slip := access.FileReport{Path: "/home/bob/keys", File: &authorized.File{},
		Problems: []authorized.Problem{{Line: 3, Why: "it does not hold a key"}}}
	elsewhere := access.FileReport{Path: "/home/bob/keys", File: &authorized.File{},
		Problems: []authorized.Problem{{Line: 3, Why: "certificates", Elsewhere: true}}}
	for _, c := range []struct {
		report access.AccountReport
		wrong  int
	}{
		{access.AccountReport{Name: "bob", Meant: true, Files: []access.FileReport{bad, slip, elsewhere}}, 2},
		{access.AccountReport{Name: "bob", Files: []access.FileReport{bad, slip, elsewhere}}, 0},
		{access.AccountReport{Name: "bob", Meant: true, Refused: errors.New("it is locked"), Files: []access.FileReport{bad, slip, elsewhere}}, 0},
	} {
		k := &check{w: io.Discard}
		if k.account(&c.report); len(k.wrong) != c.wrong {
			t.Errorf("%+v: %q", c.report, k.wrong)
		}
	}
}

// --hold 0 is how sessions end with their connections; what is neither that nor a second is a slip.
func TestHoldValues(t *testing.T) {
	line, _ := publicLine(t)
	_, args := place(t, line+"\n")
	for value, want := range map[string]string{
		"1m --hold-memory 1M":      "is kept for 60 seconds at most (--hold)",
		"1m --hold-memory 1023K":   `--hold-memory is a size of at least 1M, like 256M or 1G, not "1023K"`,
		"1m --hold-memory 1MB":     `--hold-memory is a size of at least 1M, like 256M or 1G, not "1MB"`,
		"1m --hold-memory -5M":     `--hold-memory is a size of at least 1M, like 256M or 1G, not "-5M"`,
		"1m --hold-memory 2097152": "is kept for 60 seconds at most (--hold)",
		"0":                        "a session ends when its connection is lost (--hold 0)",
		"90m":                      "is kept for 90 minutes at most (--hold)",
		"999ms": "--hold is at least 1s, like 10m or 24h, not 999ms; with 0 a session " +
			"ends with",
		"-1h": "--hold is at least 1s, like 10m or 24h, not -1h0m0s",
	} {
		out, err := runCheck(t, append(append(args, "--listen", "127.0.0.1:0", "--hold"),
			strings.Fields(value)...)...)
		if strings.HasPrefix(want, "--hold") {
			out = fmt.Sprint(err)
		}
		if !strings.Contains(out, want) {
			t.Errorf("--hold %s: %q, not %q", value, out, want)
		}
	}
}

// A value that is not understood is reported in the option's terms.
func TestValuesThatAreNotUnderstood(t *testing.T) {
	for args, want := range map[[3]string]string{
		{"--idle-timeout", "5"}:         `--idle-timeout is a time such as 90s or 5m, not "5"`,
		{"--max-sessions", "x"}:         `--max-sessions is a number, not "x"`,
		{"check", "--stop-grace", "5x"}: `--stop-grace is a time such as 90s or 5m, not "5x"`,
		{"pair", "--count", "x"}:        `--count is a number, not "x"`,
	} {
		if err := newApp().Run(append([]string{"minisshd"}, args[:]...)); err == nil ||
			err.Error() != want {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// An option or a setting of which nothing is left is an error: what it was to keep out would come
// in.
func TestValuesThatAreEmpty(t *testing.T) {
	_, place := place(t, "")
	for _, f := range pairFlags() {
		name := f.Names()[0]
		verb := "check"
		if slices.Contains([]string{"user", "command", "expires", "remove"}, name) {
			verb = "pair"
		}
		values := []string{""}
		switch f.(type) {
		case *cli.StringFlag:
		case *cli.StringSliceFlag:
			values = []string{"", ",", " , "}
		default:
			continue
		}
		for _, value := range values {
			args := []string{"minisshd", verb, "--" + name, value}
			if verb == "check" && name != "host-key" {
				args = append(args, place[:2]...)
			}
			want := "--" + name + " is given without a value"
			if err := newApp().Run(args); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: %v", args, err)
			}
			want = "a.conf:1: " + name + " needs a value after it"
			_, err := confOf(t, nil, name+" \""+value+"\"")
			// the rest of a force-command's line is the shell's, quotes and all
			if verb == "check" && name != "config" && name != "force-command" && (err == nil ||
				!strings.Contains(err.Error(), want)) {
				t.Errorf("%s %q in a file: %v", name, value, err)
			}
			if isList(f) { // something is left of the list, and not what was meant
				args = []string{"minisshd", verb, "--" + name, "a", "--" + name, value}
				if err := newApp().Run(args); err == nil ||
					!strings.HasPrefix(err.Error(), "--"+name+" is given without a value") {
					t.Errorf("%q: %v", args, err)
				}
			}
		}
	}
	for _, verb := range []string{"who", "end", "upgrade"} { // or another daemon is asked
		args := []string{"minisshd", verb, "--control", ""}
		if verb == "end" {
			args = append(args, "1")
		}
		if err := newApp().Run(args); err == nil ||
			!strings.HasPrefix(err.Error(), "--control is given without a value") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
