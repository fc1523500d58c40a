//go:build unix

package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Who lets a certificate in.
const (
	us = 1 << iota
	sshd
	both = us | sshd
)

type rawCase struct {
	name            string
	judged          int
	change          func(*raw)
	trusted, listed string // as in TestCertificatesAsSSHDJudges; neither: the authority is trusted
	revoked         string
}

// forms are about what is where.
func (l *rawLab) forms() []rawCase {
	sig := func(of func(made []byte) []byte) func(*raw) {
		return func(r *raw) {
			r.sign = func(data []byte) []byte { return of(signs(l.ca)(data)) }
		}
	}
	nested := func(r *raw) {
		inner := *r
		inner.key = l.ca.PublicKey().Marshal()[19:]
		inner.authority, inner.sign = l.other.PublicKey().Marshal(), signs(l.other)
		r.authority = inner.marshal()
	}
	return []rawCase{
		{"usual", both, nil, "", "", ""},
		{"another form", 0, func(r *raw) { r.form = ssh.CertAlgoECDSA256v01 }, "", "", ""},
		{"form of a key", 0, func(r *raw) { r.form = ssh.KeyAlgoED25519 }, "", "", ""},
		{"type 0", 0, func(r *raw) { r.kind = 0 }, "", "", ""},
		{"type 2^32-1", 0, func(r *raw) { r.kind = math.MaxUint32 }, "", "", ""},
		{"authority with certificate", 0, nested, "", "", ""},
		{"signed by another", 0, func(r *raw) { r.sign = signs(l.other) }, "", "", ""},
		{"signed by itself", 0, func(r *raw) { r.sign = signs(l.client) }, "", "", ""},
		{"no signature", 0, sig(func([]byte) []byte { return nil }), "", "", ""},
		{"empty signature", 0, sig(func([]byte) []byte { return texts("ssh-ed25519", "") }), "", "",
			""},
		{"signature named RSA", 0, sig(func(made []byte) []byte {
			return append(text("ssh-rsa"), made[15:]...)
		}), "", "", ""},
		{"bytes after the signature", 0, sig(func(made []byte) []byte { return append(made, 0) }),
			"", "", ""},
		{"bytes after all", 0, func(r *raw) { r.tail = []byte{0} }, "", "", ""},
		{"bytes after the key", 0, func(r *raw) { r.more = text("") }, "", "", ""},
		{"key of 31 bytes", 0, func(r *raw) { r.key = r.key[:31] }, "", "", ""},
		{"reserved", both, func(r *raw) { r.reserved = []byte("later") }, "", "", ""},
		{"no authority", 0, func(r *raw) { r.authority = nil }, "", "", ""},
		{"bytes after the authority", 0, func(r *raw) {
			r.authority = append(l.ca.PublicKey().Marshal(), 0)
		}, "", "", ""},
		{"NUL in the key ID", 0, func(r *raw) { r.id = "a\x00b" }, "", "", ""},
	}
}

// options are about critical options and extensions.
func (l *rawLab) options() []rawCase {
	critical := func(b ...[]byte) func(*raw) {
		return func(r *raw) { r.critical = join(b...) }
	}
	extensions := func(b ...[]byte) func(*raw) {
		return func(r *raw) { r.extensions = join(b...) }
	}
	forced := option("force-command", "a")
	return []rawCase{
		{"unknown", 0, critical(flag("x")), "", "", ""},
		{"without a name", 0, critical(flag("")), "", "", ""},
		{"twice", 0, critical(forced, forced), "", "", ""},
		{"out of order", sshd, critical(option("source-address", "127.0.0.1"), forced), "", "", ""},
		{"in capitals", 0, critical(option("Force-Command", "a")), "", "", ""},
		{"forced with NUL", 0, critical(option("force-command", "a\x00b")), "", "", ""},
		{"forced without a value", 0, critical(flag("force-command")), "", "", ""},
		{"two values", 0, critical(text("force-command"), text(string(texts("a", "b")))), "", "",
			""},
		{"cut short", 0, critical([]byte{0, 0, 0, 9, 'x'}), "", "", ""},
		{"huge", 0, critical([]byte{0xff, 0xff, 0xff, 0xff, 'x'}), "", "", ""},
		{"a name alone", 0, critical(text("force-command")), "", "", ""},
		{"verify-required with a value", 0, critical(option("verify-required", "x")), "", "", ""},
		{"an extension that is critical", 0, critical(flag("no-touch-required")), "", "", ""},
		{"an extension with a value", 0, extensions(option("permit-pty", "x")), "", "", ""},
		{"an extension twice", sshd, extensions(flag("permit-pty"), flag("permit-pty")), "", "",
			""},
		{"an extension cut short", 0, extensions([]byte{0, 0, 0, 9, 'x'}), "", "", ""},
	}
}

func (l *rawLab) principals() []rawCase {
	are := func(names ...string) func(*raw) {
		return func(r *raw) { r.principals = texts(names...) }
	}
	many := strings.Split(strings.Repeat("a,", 256), ",")
	return []rawCase{
		{"empty", 0, are(""), "", "", ""},
		{"with NUL at the end", sshd, are(l.user + "\x00"), "", "", ""},
		{"with NUL", 0, are(l.user + "\x00x"), "", "", ""},
		{"another with NUL", 0, are("a\x00b", l.user), "", "", ""},
		{"with a comma", 0, are("a," + l.user), "", "", ""},
		{"with a blank", 0, are(l.user + " "), "", "", ""},
		{"a pattern", 0, are(l.user[:1] + "*"), "", "", ""},
		{"cut short", 0, func(r *raw) { r.principals = append(texts(l.user), 0, 0, 0, 9) }, "", "",
			""},
		{"257", us, are(append(many, l.user)...), "", "", ""}, // CE1 bounds the bytes
		{"empty, principals=", 0, are(""), "", `cert-authority,principals="" $CA`, ""},
		{"empty, principals= with a comma too many", 0, are(""), "",
			`cert-authority,principals="a,,b" $CA`, ""},
		{"with a comma, principals=", 0, are("a," + l.user), "",
			`cert-authority,principals="$USER" $CA`, ""},
		{"principals= is a pattern", 0, nil, "", `cert-authority,principals="*" $CA`, ""},
		{"principals= with a blank", 0, nil, "", `cert-authority,principals="a, $USER" $CA`, ""},
		{"principals= twice", 0, nil, "", `cert-authority,principals="a",principals="$USER" $CA`, ""},
		{"principals= alone", 0, nil, "", `principals="$USER" $CA`, ""},
	}
}

func (l *rawLab) times() []rawCase {
	from := func(after, before uint64) func(*raw) {
		return func(r *raw) { r.after, r.before = after, before }
	}
	return []rawCase{
		{"always", both, from(0, math.MaxUint64), "", "", ""},
		{"from the end to the end", 0, from(math.MaxUint64, math.MaxUint64), "", "", ""},
		{"never", 0, from(0, 0), "", "", ""},
		{"for no time", 0, from(l.now+900, l.now+900), "", "", ""},
		{"upside down", 0, from(l.now+900, l.now-900), "", "", ""},
		{"until 2^63", both, from(0, 1<<63), "", "", ""},
		{"until the end but one", both, from(0, math.MaxUint64-1), "", "", ""},
		{"from 2^63 on", 0, from(1<<63, math.MaxUint64), "", "", ""},
	}
}

func (l *rawLab) sources() (cases []rawCase) {
	for list, judged := range map[string]int{"127.0.0.1%lo": 0, "::1%lo,127.0.0.1": 0,
		"127.0.0.0/08": sshd, "127.0.0.1/33": 0, "127.0.0.1/": 0, "127.0.0.1/-1": 0,
		"127.0.0.1/0": 0, "127.0.0.1,": 0, ",127.0.0.1": 0, " 127.0.0.1": 0,
		"10.0.0.1, 127.0.0.1": 0, "!10.0.0.0/8,127.0.0.1": 0, "0.0.0.0/0": both, "::/0": 0,
		"::ffff:127.0.0.1": 0, "::ffff:127.0.0.0/104": 0, "127.1": sshd, "localhost": 0,
		"127.0.0.1,x": 0, "127.0.0.1\x00": sshd} {
		cases = append(cases, rawCase{name: "source " + list, judged: judged,
			change: func(r *raw) { r.critical = option("source-address", list) }})
	}
	return cases
}

func (l *rawLab) authorities(t *testing.T) (cases []rawCase) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	add := func(name string, judged int, key any, err error, algorithm string) {
		if err != nil {
			t.Fatal(err)
		}
		ca, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		sign := func(data []byte) []byte {
			signature, err := ca.(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, data,
				algorithm)
			if err != nil {
				t.Fatal(err)
			}
			return ssh.Marshal(signature)
		}
		cases = append(cases, rawCase{name: name, judged: judged, trusted: line(ca.PublicKey()),
			change: func(r *raw) { r.authority, r.sign = ca.PublicKey().Marshal(), sign }})
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	add("RSA, SHA-1", 0, large, err, ssh.KeyAlgoRSA)
	add("RSA, SHA-256", both, large, err, ssh.KeyAlgoRSASHA256)
	add("RSA, SHA-512", both, large, err, ssh.KeyAlgoRSASHA512)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	add("RSA of 1,024 bits", sshd, small, err, ssh.KeyAlgoRSASHA512)
	curve, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	add("P-521", both, curve, err, ssh.KeyAlgoECDSA521)
	return cases
}

func join(list ...[]byte) (b []byte) {
	for _, one := range list {
		b = append(b, one...)
	}
	return b
}

// section is a part of a key revocation list.
func section(kind byte, data ...[]byte) []byte {
	return append([]byte{kind}, text(string(join(data...)))...)
}

func (l *rawLab) lists() (cases []rawCase) {
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	list := func(sections ...[]byte) string {
		return "SSHKRL\n\x00" + string(join([]byte{0, 0, 0, 1}, number(1), number(1), number(0),
			texts("", ""), join(sections...)))
	}
	of := func(authority string, sections ...[]byte) string {
		return list(section(1, texts(authority, ""), join(sections...)))
	}
	bits := func(first uint64, number ...byte) []byte {
		return section(0x22, binary.BigEndian.AppendUint64(nil, first), text(string(number)))
	}
	ca, other := string(l.ca.PublicKey().Marshal()), string(l.other.PublicKey().Marshal())
	more := make([]byte, 2047)
	mine, its := line(l.client.PublicKey()), line(l.other.PublicKey())
	for name, c := range map[string]struct {
		judged  int
		revoked string
	}{
		"without sections":         {both, list()},
		"format 2":                 {0, strings.Replace(list(), "\x01", "\x02", 1)},
		"its first bytes":          {0, "SSHKRL\n"},
		"another serial number":    {both, of(ca, section(0x20, number(8)))},
		"the serial number":        {0, of(ca, section(0x20, number(7)))},
		"of any authority":         {0, of("", section(0x20, number(7)))},
		"of another authority":     {both, of(other, section(0x20, number(7)))},
		"of what is not a key":     {0, of("garbage", section(0x20, number(8)))},
		"half a number":            {0, of(ca, section(0x20, number(8)[:7]))},
		"the serial number 0":      {0, of(ca, section(0x20, number(0)))},
		"all numbers":              {0, of(ca, section(0x21, number(1), number(math.MaxUint64)))},
		"from 0 on":                {0, of(ca, section(0x21, number(0), number(6)))},
		"upside down":              {0, of(ca, section(0x21, number(9), number(8)))},
		"bytes after a range":      {0, of(ca, section(0x21, number(8), number(9), []byte{0}))},
		"bitmap":                   {0, of(ca, bits(6, 2))},
		"bitmap with zeros":        {0, of(ca, bits(6, 0, 0, 0, 2))},
		"bitmap of others":         {both, of(ca, bits(6, 1))},
		"negative bitmap":          {0, of(ca, bits(6, 0x80))},
		"empty bitmap":             {both, of(ca, bits(6))},
		"bitmap beyond the end":    {0, of(ca, bits(math.MaxUint64-2, 1, 0xff))},
		"bitmap of 2 KiB":          {both, of(ca, bits(9, append([]byte{1}, more...)...))},
		"key ID cut short":         {0, of(ca, section(0x23, text("six"), []byte{0, 0, 0, 5}))},
		"unknown section":          {0, list(section(77))},
		"unknown kind of number":   {0, of(ca, section(0x30))},
		"critical extension":       {0, list(section(255, text("x@y"), []byte{1}, text("")))},
		"huge section":             {0, list() + "\x01\xff\xff\xff\xff"},
		"half a section":           {0, of(ca, section(0x20, number(7)))[:60]},
		"a byte more":              {0, list() + "\x01"},
		"the authority as a key":   {0, list(section(2, text(ca)))},
		"short digest":             {0, list(section(3, text(strings.Repeat("x", 19))))},
		"lines without keys":       {0, "garbage garbage\n"},
		"half a line":              {0, its[:20]},
		"a key and half a line":    {0, its + "\n" + mine[:40]},
		"comments and another key": {both, "# a\n\n" + its + " b\n"},
	} {
		cases = append(cases, rawCase{name: "list: " + name, judged: c.judged, revoked: c.revoked})
	}
	return cases
}
