package authorized

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

var (
	noon = time.Date(2025, 6, 15, 12, 0, 0, 0, time.UTC)
	lan  = netip.MustParseAddr("192.0.2.7")
)

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

// The options of a line, as the fields that they set, or why the line is disabled.
func TestOptions(t *testing.T) {
	all := Restrictions{Restricted: true, NoPty: true, NoPortForwarding: true,
		NoAgentForwarding: true, NoX11Forwarding: true, NoUserRC: true, NoJobs: true}
	with := func(change func(*Restrictions)) Restrictions {
		r := all
		change(&r)
		return r
	}
	for _, c := range []struct {
		options string
		want    Restrictions
		why     string // part of the reason
	}{
		{`command="date"`, Restrictions{HasCommand: true, Command: "date"}, ""},
		{`COMMAND="Date"`, Restrictions{HasCommand: true, Command: "Date"}, ""},
		{`command=""`, Restrictions{HasCommand: true}, ""},
		{`command="echo \"a b\",c\\ #x"`, Restrictions{HasCommand: true, Command: `echo "a b",c\\ #x`}, ""},
		{`command="a",command="b"`, Restrictions{}, "twice"},
		{`command=date`, Restrictions{}, "double quotes"},
		{`command`, Restrictions{}, "needs a value"},
		{`command="a"b`, Restrictions{}, "after its value"},
		{`command="a""b"`, Restrictions{}, "after its value"},

		{`restrict`, all, ""},
		{`ReStRiCt`, all, ""},
		{`restrict,pty`, with(func(r *Restrictions) { r.NoPty = false }), ""},
		{`pty,restrict`, all, ""}, // the last one counts
		{`restrict,command="x"`, with(func(r *Restrictions) { r.HasCommand, r.Command = true, "x" }), ""},
		{`restrict,port-forwarding,X11-forwarding,agent-forwarding,user-rc`,
			Restrictions{Restricted: true, NoPty: true, NamesPortForwarding: true,
				NamesAgentForwarding: true, NoJobs: true}, ""},
		{`restrict,minissh-jobs`, with(func(r *Restrictions) { r.NoJobs = false }), ""},
		{`minissh-jobs,restrict`, all, ""},
		{`no-minissh-jobs`, Restrictions{NoJobs: true}, ""},
		{`no-restrict`, Restrictions{}, `"no-restrict" is not supported`},
		{`restrict="x"`, Restrictions{}, "takes no value"},
		{`no-pty`, Restrictions{NoPty: true}, ""},
		{`no-pty,pty`, Restrictions{}, ""},

		// Options that forbid what does not exist count as honoured: this is the commonest
		// restricted line there is.
		{`no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-pty,command="rsync --server"`,
			Restrictions{
				HasCommand: true, Command: "rsync --server", NoPortForwarding: true,
				NoX11Forwarding: true, NoAgentForwarding: true, NoPty: true}, ""},
		{`no-user-rc,NO-X11-FORWARDING`, Restrictions{NoUserRC: true, NoX11Forwarding: true}, ""},
		{`permitopen="localhost:80",permitopen="[::1]:81",permitlisten="8080",tunnel="0"`,
			Restrictions{
				PermitOpen: []string{"localhost:80", "[::1]:81"}, PermitListen: []string{"8080"}},
			""},
		{`permitopen=""`, Restrictions{}, "names no port"},
		{`tunnel=""`, Restrictions{}, "empty"},

		{`environment="A=1",environment="B_2=x=y",environment="A=3"`, Restrictions{Environment: []string{"A=1", "B_2=x=y"}}, ""},
		{`environment="A"`, Restrictions{}, "NAME=value"},
		{`environment="=x"`, Restrictions{}, "NAME=value"},
		{`environment="A B=x"`, Restrictions{}, "NAME=value"},
		{`environment="A-B=x"`, Restrictions{}, "NAME=value"},

		{`expiry-time="20250615"`, Restrictions{Expiry: time.Date(2025, 6, 15, 0, 0, 0, 0, time.FixedZone("", 7200))}, ""},
		{`expiry-time="20300101Z",expiry-time="20250615Z",expiry-time="20310101Z"`, Restrictions{Expiry: time.Date(2025, 6, 15, 0, 0, 0, 0, time.UTC)}, ""},
		{`expiry-time="tomorrow"`, Restrictions{}, "not a time"},

		{`Cert-Authority`, Restrictions{Authority: true}, ""},
		{`cert-authority,principals="u,v",no-pty`, Restrictions{Authority: true,
			Principals: []string{"u", "v"}, NoPty: true}, ""},

		// Not honoured, so the line is disabled.
		{`no-cert-authority`, Restrictions{}, "not supported"},
		{`cert-authority,principals`, Restrictions{}, "needs a value"},
		{`cert-authority,principals="u",principals="u"`, Restrictions{}, "twice"},
		{`principals="u"`, Restrictions{}, "cert-authority"},
		{`verify-required`, Restrictions{VerifyRequired: true}, ""},
		{`no-touch-required`, Restrictions{NoTouchRequired: true}, ""},
		{`touch-required`, Restrictions{}, ""},
		{`no-verify-required`, Restrictions{}, ""},
		{`verify-required,no-verify-required`, Restrictions{}, ""},
		{`no-verify-required,verify-required`, Restrictions{VerifyRequired: true}, ""},
		{`no-command`, Restrictions{}, "not supported"},
		{`restrict,new-in-2030`, Restrictions{}, `"new-in-2030" is not supported`},
		{`restrict=`, Restrictions{}, "double quotes"},
		{"evil\x1b[2J", Restrictions{}, `evil\x1b[2J`},

		// Malformed lists.
		{`no-pty,`, Restrictions{NoPty: true}, ""}, // as sshd
		{`,no-pty`, Restrictions{NoPty: true}, ""},
		{`no-pty,,no-user-rc`, Restrictions{NoPty: true, NoUserRC: true}, ""},
		{`restrict;pty`, Restrictions{}, "not supported"},
		{`="x"`, Restrictions{}, "without a name"},
	} {
		_, key := newKey(t)
		file, problems := parse("f", []byte(c.options+" "+key+" comment\n"),
			time.FixedZone("", 7200))
		if c.why != "" {
			if len(file.Entries) != 0 || len(problems) != 1 ||
				!strings.Contains(problems[0].String(), c.why) {
				t.Errorf("%s: %v, want a reason with %q", c.options, problems, c.why)
			}
			continue
		}
		if len(file.Entries) != 1 {
			t.Errorf("%s: %v", c.options, problems)
			continue
		}
		got := file.Entries[0].Restrictions
		if !got.Expiry.Equal(c.want.Expiry) {
			t.Errorf("%s: until %v, want %v", c.options, got.Expiry, c.want.Expiry)
		}
		got.Expiry, c.want.Expiry = time.Time{}, time.Time{}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.options, got, c.want)
		}
	}
}

// Lines: what separates them, what is around them, what is not a key. KEY stands for a good one.
func TestLines(t *testing.T) {
	_, key := newKey(t)
	blob := strings.Fields(key)[1]
	for _, c := range []struct {
		text     string
		lines    []int // that count
		problems []int
	}{
		{"", nil, nil},
		{"KEY", []int{1}, nil}, // no newline at the end
		{"KEY comment with words\nKEY\n", []int{1, 2}, nil},
		{"KEY\r\nno-pty KEY\r\n\r\nKEY\r", []int{1, 2, 4}, nil},
		{"# KEY\n\n \t \n\t# x\n  KEY", []int{5}, nil},
		{"no-pty\tKEY", []int{1}, nil},
		{"no-pty  \t KEY", []int{1}, nil},
		{`command="a	b" KEY`, []int{1}, nil},
		{"hello world\nKEY", []int{2}, []int{1}},
		{"hello\nKEY", []int{2}, []int{1}},
		{"KE\x00Y\nKEY x\x00\nKEY", []int{3}, []int{1, 2}},
		{"KEY " + strings.Repeat("x", maxLine) + "\nKEY", []int{2}, []int{1}},
		{`command="a KEY` + "\nKEY", []int{2},
			[]int{1}}, // a quote that is not closed ends with its line
		{`command="a KEY` + "\n" + `" KEY`, nil, []int{1, 2}},
		// Two fields of options: the second would be lost in x/crypto's parser, which cuts off one
		// more.
		{"no-pty restrict KEY\nKEY", []int{2}, []int{1}},
		{"no-pty , KEY\nKEY", []int{2}, []int{1}},
		{", KEY\nKEY", []int{1, 2}, nil},
		// A type that is not the key's, a key that is not one, junk after it.
		{"ssh-rsa " + blob, nil, []int{1}},
		{"ssh-ed25519 %%%%", nil, []int{1}},
		{"ssh-ed25519 " + blob[:len(blob)-4], nil, []int{1}},
		{"ssh-ed25519", nil, []int{1}},
		{"restrict " + blob, nil, []int{1}}, // "restrict" in the place of the type
		{"1024 35 12345678901234567890", nil, []int{1}},
	} {
		file, problems := Parse("f", []byte(strings.ReplaceAll(c.text, "KEY", key)))
		var lines, bad []int
		for _, entry := range file.Entries {
			lines = append(lines, entry.Line)
		}
		for _, problem := range problems {
			bad = append(bad, problem.Line)
		}
		if !slices.Equal(lines, c.lines) || !slices.Equal(bad, c.problems) {
			t.Errorf("%.60q: lines %v, problems %v", c.text, lines, problems)
		}
	}
	file, _ := Parse("f", []byte("\n"+key+"  me @ home \n"))
	if e := file.Entries[0]; e.Comment != "me @ home" || e.Where() != "f:2" {
		t.Errorf("%q at %s", e.Comment, e.Where())
	}
}

// A line has at most 16,384 bytes, whoever writes it.
func TestLongestLine(t *testing.T) {
	key, line := newKey(t)
	for n, ok := range map[int]bool{16_384: true, 16_385: false} {
		comment := strings.Repeat("c", n-len(line)-1)
		file, problems := Parse("f", []byte(line+" "+comment+"\n"))
		if (len(file.Entries) == 1) != ok || (len(problems) == 0) != ok {
			t.Errorf("%d bytes: %d keys, %v", n, len(file.Entries), problems)
		}
		if err := Append(t.TempDir()+"/keys", "", key, comment); (err == nil) != ok {
			t.Errorf("%d bytes are written: %v", n, err)
		}
	}
}

// Keys that nobody can log in with are reported, so that nobody believes that they can log in.
func TestUnusableKeys(t *testing.T) {
	encode := func(kind string, fields ...any) string {
		blob := ssh.Marshal(struct{ Type string }{kind})
		for _, f := range fields {
			blob = append(blob, ssh.Marshal(struct{ S string }{f.(string)})...)
		}
		return kind + " " + base64.StdEncoding.EncodeToString(blob)
	}
	webauthn := encode("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", "k", "ssh:")
	small := encode("ssh-rsa", "\x01\x00\x01", "\x00"+strings.Repeat("\xff", 128))
	for what, line := range map[string]string{"less than 2048": small,
		"not hold a key": encode("ssh-new", "x"), "hold a key": webauthn} {
		file, problems := Parse("f", []byte(line))
		if len(file.Entries) != 0 || len(problems) != 1 ||
			!strings.Contains(problems[0].Why, what) || file.AnyUsable(noon) {
			t.Errorf("%s: %v", what, problems)
		}
	}
}

// Of several lines with a key, the first one that admits it counts.
func TestFind(t *testing.T) {
	key, line := newKey(t)
	other, otherLine := newKey(t)
	text := strings.Join([]string{
		otherLine,
		`expiry-time="20250614Z",command="expired" ` + line,
		`from="10.0.0.0/8",command="inside" ` + line,
		`cert-authority,command="for certificates" ` + line,
		`from="192.0.2.0/24",command="lan" ` + line,
		`from="*",command="anywhere" ` + line,
		`command="socket" ` + line,
	}, "\n")
	file, problems := Parse("f", []byte(text))
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	for addr, want := range map[netip.Addr]string{
		lan: "lan", netip.MustParseAddr("10.1.2.3"): "inside",
		netip.MustParseAddr("::1"): "anywhere", {}: "socket",
	} {
		entry, err := file.Find(key, addr, noon)
		if err != nil || entry.Command != want {
			t.Errorf("%v: %+v, %v", addr, entry, err)
		}
	}
	if entry, err := file.Find(key, lan, noon.AddDate(-1, 0, 0)); err != nil ||
		entry.Command != "expired" {
		t.Errorf("before it expired: %+v, %v", entry, err)
	}
	if entry, err := file.Find(other, lan, noon); err != nil || entry.HasCommand {
		t.Errorf("the other key: %+v, %v", entry, err)
	}
	stranger, _ := newKey(t)
	if _, err := file.Find(stranger, lan, noon); err != ErrNotListed {
		t.Errorf("a stranger: %v", err)
	}
	only, _ := Parse("f", []byte("expiry-time=\"20250614Z\" "+line+"\nfrom=\"10.0.0.1\" "+line))
	if _, err := only.Find(key, lan, noon); err == nil ||
		!strings.Contains(err.Error(), "f:1: the key expired") ||
		!strings.Contains(err.Error(), "f:2: from= does not allow 192.0.2.7") {
		t.Errorf("refused: %v", err)
	}
	// The second itself still counts, as in sshd.
	at := time.Date(2025, 6, 14, 0, 0, 0, 0, time.UTC)
	for after, ok := range map[time.Duration]bool{-time.Second: true, 0: true, time.Second: false} {
		if _, err := only.Find(key, lan, at.Add(after)); (err == nil) != ok {
			t.Errorf("%v after its end: %v", after, err)
		}
	}
}

func TestAnyUsable(t *testing.T) {
	_, key := newKey(t)
	for text, want := range map[string]bool{
		"": false, "# KEY": false, "KEY": true, "junk\nKEY": true, "cert-authority KEY": true,
		"unknown KEY":                 false,
		`expiry-time="20250614Z" KEY`: false, `expiry-time="20250616Z" KEY`: true,
		`from="10.0.0.1" KEY`: true, `from="lab.example" KEY`: false,
		`from="!10.0.0.1" KEY`: false, `from="*" KEY`: true,
		`command="x" KEY`: true, "restrict KEY": true,
	} {
		file, _ := Parse("f", []byte(strings.ReplaceAll(text, "KEY", key)))
		if file.AnyUsable(noon) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	key, line := newKey(f)
	for _, seed := range []string{
		line, "restrict,pty " + line, `command="a \" b",from="10.0.0.0/8,!10.1.*" ` +
			line, `environment="A=b",expiry-time="20300101Z" ` + line,
		"no-pty restrict " + line, "from=\"!10.1.*\x0e\x19\" " + line, "cert-authority " + line,
		"\"\\\" ", ",=", "x\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, problems := Parse("f", text)
		for _, p := range problems {
			if strings.ContainsFunc(p.String(), func(r rune) bool {
				return r < ' ' || r == 0x7f ||
					r == 0x9b
			}) {
				t.Fatalf("%q", p.String())
			}
		}
		for _, entry := range file.Entries {
			entry.refuses(lan, noon)
			if (entry.Allows(Exec) == nil) == (entry.FilesFolder != "") {
				t.Fatal("exec is closed, or open to a key for files")
			}
		}
		// Whatever comes before it, a good line counts.
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		file, _ = Parse("f", append(text, line...))
		if last := file.Entries[len(file.Entries)-1]; string(last.Key.Marshal()) != string(
			key.Marshal()) {
			t.Fatal("a good line was lost")
		}
	})
}
