package knownhosts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// newKey makes an ed25519 key; line is its type and base64.
func newKey(t testing.TB) (key ssh.PublicKey, line string) {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = ssh.NewPublicKey(public); err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func newECDSA(t testing.TB) (ssh.PublicKey, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func check(t testing.TB, db *DB, host string, port int, key ssh.PublicKey) Verdict {
	t.Helper()
	v, err := db.Check(host, port, "", key)
	if err != nil {
		t.Fatalf("%s:%d: %v", host, port, err)
	}
	return v
}

// In the files of this table, KEY is the host's key, OTHER another one of its type, EC one of
// another type.
func TestCheck(t *testing.T) {
	key, line := newKey(t)
	_, other := newKey(t)
	_, ec := newECDSA(t)
	fill := strings.NewReplacer("KEY", line, "OTHER", other, "EC", ec, `\n`, "\n", `\r`, "\r", `\0`,
		"\x00")
	for _, c := range []struct {
		file string
		host string
		port int
		want Status
		at   int // line
	}{
		{"", "lab", 7422, Unknown, 0},
		{"[lab]:7422 KEY", "lab", 7422, Known, 1},
		{"[lab]:7422 KEY comment with words", "lab", 7422, Known, 1},
		{"# [lab]:7422 OTHER\n\n  [lab]:7422\tKEY\r\n", "lab", 7422, Known, 3},
		{"[lab]:7422 OTHER", "lab", 7422, Changed, 1},
		{"[lab]:7422 EC", "lab", 7422, Changed,
			1}, // another type is changed too (RULES A5; so does OpenSSH)
		{"[lab]:7422 OTHER\n[lab]:7422 KEY", "lab", 7422, Known, 2},
		{"[lab]:7423 OTHER", "lab", 7422, Unknown, 0},

		// The plain name counts when its key is the same, and never as changed.
		{"lab KEY", "lab", 7422, KnownUnderPlainName, 1},
		{"lab OTHER", "lab", 7422, Unknown, 0},
		{"lab OTHER\nlab KEY", "lab", 7422, KnownUnderPlainName, 2},
		{"lab KEY\n[lab]:7422 OTHER", "lab", 7422, Changed, 2}, // `[host]:port` first
		{"lab OTHER\n[lab]:7422 KEY", "lab", 7422, Known, 2},
		{"lab KEY", "lab", 22, Known, 1},
		{"lab OTHER", "lab", 22, Changed, 1},
		{"[lab]:22 KEY", "lab", 22, Unknown, 0}, // as ssh

		// Names: case, lists, patterns, negation, addresses.
		{"[LAB.Example]:7422 KEY", "lab.EXAMPLE", 7422, Known, 1},
		{"a,[lab]:7422,b KEY", "lab", 7422, Known, 1},
		{"*.example OTHER", "lab.example", 22, Changed, 1},
		{"*.example,!lab.example OTHER", "lab.example", 22, Unknown, 0},
		{"!lab.example,*.example OTHER", "lab.example", 22, Unknown, 0},
		{"!lab.example OTHER", "lab.example", 22, Unknown, 0},
		{"!lab.example OTHER", "other.example", 22, Unknown,
			0}, // a list of refusals alone matches nothing
		{"l?b OTHER", "lab", 22, Changed, 1},
		{"l?b OTHER", "laab", 22, Unknown, 0},
		{"* OTHER", "lab", 7422, Changed, 1},
		{"[*.example]:7422 KEY", "a.b.example", 7422, Known, 1},
		{"[*]:7422 KEY", "lab", 7423, Unknown, 0},
		{"*.example KEY", "lab.example", 7422, KnownUnderPlainName, 1},
		{"[192.0.2.1]:7422 KEY", "192.0.2.1", 7422, Known, 1},
		{"2001:db8::1 KEY", "2001:0DB8:0::1", 22, Known, 1},
		{"[2001:db8::1]:7422 KEY", "2001:db8::1", 7422, Known, 1},

		// Markers.
		{"@revoked * KEY", "lab", 7422, Revoked, 1},
		{"@revoked elsewhere KEY\n[lab]:7422 KEY", "lab", 7422, Revoked, 1},
		{"[lab]:7422 KEY\n@revoked lab KEY", "lab", 7422, Revoked, 2},
		{"@revoked * OTHER\n[lab]:7422 KEY", "lab", 7422, Known, 2},
		{"@revoked [lab]:7422 OTHER", "lab", 7422, Unknown, 0},
		{"@cert-authority * OTHER", "lab", 7422, Unknown, 0},
		{"@cert-authority * KEY", "lab", 7422, Unknown, 0},
		{"@cert-authority @revoked * KEY", "lab", 7422, Unknown, 0},
		{"@new * KEY\n[lab]:7422 KEY", "lab", 7422, Known, 2},

		// Bad lines are skipped and do not harm others (x/crypto's parser gives up the whole file).
		{"[lab]:7422 1024 65537 123456789\n[lab]:7422 KEY", "lab", 7422, Known, 2}, // SSH version 1
		{"[lab]:7422\n[lab]:7422 ssh-ed25519\n[lab]:7422 ssh-ed25519 %%%\n[lab]:7422 KEY", "lab", 7422, Known, 4},
		{"[lab]:7422 ssh-ed25519 AAAA\n[lab]:7422 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\nKEY\n[lab]:7422 KEY", "lab", 7422, Known, 4},
		{"[lab]:7422 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "lab", 7422, Unknown,
			0}, // a key without its 32 bytes
		{"[lab]:7422 ssh-rsa" + strings.TrimPrefix(other, "ssh-ed25519"), "lab", 7422, Unknown,
			0}, // says another type than it holds
		{`[lab]:7422 ssh-ed25519\0 x` + "\n[lab]:7422 KEY", "lab", 7422, Known, 2},
		{"[lab]:7422 OTHER " + strings.Repeat("x", maxLine) + "\n[lab]:7422 KEY", "lab", 7422, Known, 2},
		{"|1|bad|bad OTHER\n|2|x|y OTHER\n| OTHER\n[lab]:7422 KEY", "lab", 7422, Known, 4},
	} {
		db := Open(write(t, fill.Replace(c.file)))
		v := check(t, db, c.host, c.port, key)
		if v.Status != c.want || v.Line != c.at {
			t.Errorf("%.80q, %s:%d: %v in line %d, want %v in %d", c.file, c.host, c.port, v.Status,
				v.Line, c.want, c.at)
		}
		if (v.Line > 0) != (v.EntryKey != nil) {
			t.Errorf("%.80q: no key of the entry", c.file)
		}
	}
}

// Hashed names, the user's file before the global one, files that are missing or unreadable.
func TestOpen(t *testing.T) {
	key, line := newKey(t)
	_, other := newKey(t)
	hashed := encodeHash("[lab]:7422")
	user, global := write(t, hashed+" "+line+"\n"),
		write(t, "[lab]:7422 "+other+"\n[elsewhere]:1 "+line+"\nbad line here\n")
	missing := filepath.Join(t.TempDir(), "none")
	db := Open(missing, user, global, t.TempDir(), os.DevNull)
	if v := check(t, db, "LAB", 7422, key); v.Status != Known || v.File != user {
		t.Errorf("%+v", v)
	}
	if v := check(t, Open(global, user), "lab", 7422, key); v.Status != Known || v.File != user {
		t.Errorf("the equal key in the second file: %+v", v)
	}
	v := check(t, db, "unknown", 7422, key)
	want := []Place{{user, 1, ""}, {global, 2, "[elsewhere]:1"}}
	if v.Status != Unknown || !slices.Equal(v.Others, want) {
		t.Errorf("others: %+v", v.Others)
	}
	if len(db.Problems) != 2 || !strings.Contains(db.Problems[0].Error(), global+":3: ") ||
		!strings.Contains(db.Problems[1].Error(), "not a regular file") {
		t.Errorf("problems: %v", db.Problems)
	}
}

// Names that would mean something else in the file are refused, both when they are looked for and
// when they are written.
func TestName(t *testing.T) {
	key, _ := newKey(t)
	file := filepath.Join(t.TempDir(), "known_hosts")
	for _, host := range []string{"", "*", "a,b", "a b", "a\nb", "!a", "a?", "|1|x", "#a",
		"@revoked", "[a]", "a\x1b", "a\xff", `a\b`, "fe80::1%a,b", strings.Repeat("a", 2000)} {
		if name, err := Name(host, 7422); err == nil {
			t.Errorf("%q became %q", host, name)
		}
		if _, err := Open().Check(host, 7422, "", key); err == nil {
			t.Errorf("%q was looked for", host)
		}
		if err := Append(file, host, 7422, key, false); err == nil {
			t.Errorf("%q was written", host)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made for a bad name")
	}
	for host, want := range map[string]string{
		"LAB": "[lab]:7422", "192.0.2.1": "[192.0.2.1]:7422", "2001:DB8:0::1": "[2001:db8::1]:7422",
		"fe80::1%eth0": "[fe80::1%eth0]:7422", "münchen.example": "[münchen.example]:7422",
	} {
		if name, err := Name(host, 7422); err != nil || name != want {
			t.Errorf("%q became %q, %v", host, name, err)
		}
	}
}

// What Append writes is found again; a last line without a newline stays whole; the file and its
// directory are private.
func TestAppend(t *testing.T) {
	key, line := newKey(t)
	for _, hash := range []bool{false, true} {
		for _, before := range []string{"", "old " + line, "old " + line + "\n"} {
			file := filepath.Join(t.TempDir(), ".ssh", "known_hosts")
			if before != "" {
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := Append(file, "Lab", 7422, key, hash); err != nil {
				t.Fatal(err)
			}
			db := Open(file)
			if v := check(t, db, "lab", 7422, key); v.Status != Known {
				t.Errorf("hash %v after %.10q: %v", hash, before, v.Status)
			}
			if v := check(t, db, "old", 22, key); before != "" && v.Status != Known {
				t.Errorf("hash %v: the line before was harmed", hash)
			}
			text, _ := os.ReadFile(file)
			if lines := bytes.Count(text, []byte("\n")); lines != 1+min(len(before), 1) ||
				bytes.Contains(text, []byte("ab]:7422")) == hash {
				t.Errorf("hash %v: %q", hash, text)
			}
			if runtime.GOOS != "windows" {
				info, _ := os.Stat(file)
				dir, _ := os.Stat(filepath.Dir(file))
				if info.Mode().Perm() != 0o600 || dir.Mode().Perm() != 0o700 {
					t.Errorf("modes %v %v", info.Mode(), dir.Mode())
				}
			}
		}
	}
	home := filepath.Join(t.TempDir(), "home") // it is not for us to make an account's missing home
	if err := Append(filepath.Join(home, ".ssh", "known_hosts"), "lab", 7422, key,
		false); err == nil {
		t.Error("written below a directory that is not there")
	}
	if _, err := os.Stat(home); err == nil {
		t.Error("a home was made")
	}
	if err := Append(os.DevNull, "lab", 7422, key, false); err != nil {
		t.Errorf("UserKnownHostsFile=%s: %v", os.DevNull, err)
	}
}

// Many writers at once lose no line.
func TestAppendTogether(t *testing.T) {
	key, _ := newKey(t)
	file := write(t, "# no newline at the end")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := Append(file, fmt.Sprintf("host%d", i), 7422, key, i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	db := Open(file)
	for i := range 20 {
		if v := check(t, db, fmt.Sprintf("host%d", i), 7422, key); v.Status != Known {
			t.Errorf("host%d: %v", i, v.Status)
		}
	}
	if len(db.Problems) > 0 {
		t.Error(db.Problems)
	}
}

func FuzzOpen(f *testing.F) {
	key, line := newKey(f)
	for _, seed := range []string{"lab " + line, "@revoked * " + line,
		encodeHash("lab") + " " + line, "[lab]:7422,!x,* " + line, "lab 1024 1 1", "@ x y z",
		"|1|"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		db := new(DB)
		db.parse("known_hosts", text)
		before := len(db.entries)
		if _, err := db.Check("lab", 7422, "::1", key); err != nil {
			t.Fatal(err)
		}
		// Whatever is in the file, one more line is understood and counts.
		db.parse("more", []byte("[lab]:7422 "+line))
		v, err := db.Check("lab", 7422, "", key)
		if err != nil || len(db.entries) != before+1 || v.Status != Known && v.Status != Revoked {
			t.Fatalf("%+v %v", v, err)
		}
	})
}

// A host is known by its name, on its port or hashed; not by a pattern, nor by a key that is
// revoked or certifies others.
func TestKnows(t *testing.T) {
	const key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" +
		"AAAAIIiw9aD8e0tqVKO9CSEZ3QPXvE0d6HTIHBV3Z1qS2YkJ\n"
	db := new(DB)
	db.Add("lines", []byte("Plain,other"+key+"[port]:7422"+key+encodeHash("hashed")+key+
		encodeHash("[both]:7422")+key+"pat*"+key+"@revoked gone"+key+"@cert-authority ca"+key+
		"[elsewhere]:9"+key))
	for name, want := range map[string]bool{"plain": true, "other": true, "port": true,
		"hashed": true, "both": true, "pattern": false, "gone": false, "ca": false,
		"elsewhere": false, "nobody": false, "a b": false, "": false} {
		if db.Knows(name, 7422) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
