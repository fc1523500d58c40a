package authorized

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// maxLine bounds a line, in bytes: sshd's SSH_MAX_PUBKEY_BYTES, enough for an RSA key of 16,384
// bits.
const maxLine = 16 << 10

// File is what a file holds.
type File struct {
	Entries []*Entry // in their order
	Remarks []string // on lines that count, but perhaps not as their author thinks
}

// Entry is a line with a key that may log in, and how.
type Entry struct {
	Restrictions
	Key     ssh.PublicKey
	Comment string // the user's words: quote them before you show them
	File    string
	Line    int // from 1
}

// Where is "file:line", for the log.
func (e *Entry) Where() string { return fmt.Sprintf("%s:%d", shown(e.File), e.Line) }

// Problem is a line that is disabled, and why.
type Problem struct {
	File string
	Line int // from 1
	Why  string

	// sshd uses such lines (kinds of keys that TLS cannot carry): not a mistake of their author
	Elsewhere bool
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", shown(p.File), p.Line, p.Why) }

// Parse reads a file's text. Nothing in it makes the whole file fail: what cannot be used becomes a
// Problem.
func Parse(name string, text []byte) (*File, []Problem) { return parse(name, text, time.Local) }

func parse(name string, text []byte, local *time.Location) (*File, []Problem) {
	file := &File{}
	var problems []Problem
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		line = bytes.Trim(line, " \t")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		entry := &Entry{File: name, Line: number}
		remarks, err := entry.parse(line, local)
		if err != nil {
			var elsewhere *elsewhereError
			problems = append(problems, Problem{File: name, Line: number, Why: err.Error(),
				Elsewhere: errors.As(err, &elsewhere)})
			continue
		}
		for _, remark := range remarks {
			file.Remarks = append(file.Remarks, entry.Where()+": "+remark)
		}
		file.Entries = append(file.Entries, entry)
	}
	return file, problems
}

// parse reads `[options] type key [comment]`. As in sshd, the first field holds options only if the
// line is not a key without them.
func (e *Entry) parse(line []byte, local *time.Location) (remarks []string, err error) {
	if len(line) > maxLine {
		return nil, fmt.Errorf("it has more than %d KiB", maxLine>>10)
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return nil, errors.New("it holds a zero byte")
	}
	text := string(line)
	options := ""
	e.Key, e.Comment, err = parseKey(text)
	if errors.Is(err, errNoKey) {
		if options, text, err = cutOptions(text); err != nil {
			return nil, err
		}
		e.Key, e.Comment, err = parseKey(text)
	}
	if err != nil {
		return nil, err
	}
	if e.Restrictions, remarks, err = parseOptions(options, local); err != nil {
		return nil, err
	}
	if err := keys.Allowed(e.Key); err != nil {
		return remarks, &elsewhereError{err.Error()}
	}
	return remarks, nil
}

// errNoKey says that a text does not begin with a key.
var errNoKey = errors.New("it does not hold a key")

// parseKey reads `type key [comment]`. The type must be the one that the key itself names.
func parseKey(text string) (ssh.PublicKey, string, error) {
	kind, rest := cutField(text)
	encoded, comment := cutField(rest)
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || kind == "" {
		return nil, "", errNoKey
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || key.Type() != kind {
		return nil, "", errNoKey
	}
	return key, comment, nil
}

// cutField cuts off the first field, and the blanks after it.
func cutField(text string) (field, rest string) {
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], " \t")
}

// cutOptions cuts off the options: everything up to the first blank outside double quotes. Inside
// them, \" does not end the quote.
func cutOptions(text string) (options, rest string, err error) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t'):
			return text[:i], strings.TrimLeft(text[i:], " \t"), nil
		}
	}
	if quoted {
		return "", "", errors.New("a double quote is not closed")
	}
	return "", "", errNoKey
}

// shown is the user's text as it is where it can be shown, else quoted and cut short: the log
// belongs to somebody else.
func shown(s string) string {
	const most = 256
	if len(s) > most {
		s = s[:most] + "…"
	}
	if q := protocol.Quote(s); q[1:len(q)-1] != s {
		return q
	}
	return s
}

// Describe tells people who look at their configuration what holds for the key, "" if nothing does.
// Values are quoted.
func (r *Restrictions) Describe() string {
	var parts []string
	add := func(is bool, text string) {
		if is {
			parts = append(parts, text)
		}
	}
	add(r.HasCommand, "command="+strconv.QuoteToASCII(clipWords(r.Command)))
	add(r.Authority, "cert-authority")
	add(r.Principals != nil, "principals="+
		strconv.QuoteToASCII(clipWords(strings.Join(r.Principals, ","))))
	add(r.From.set, "from="+strconv.QuoteToASCII(clipWords(r.From.String())))
	add(!r.Expiry.IsZero(), "expires "+r.Expiry.Format(time.RFC3339))
	add(r.Restricted, "restrict")
	add(r.Restricted && !r.NoPty, "pty")
	add(!r.Restricted && r.NoPty, "no-pty")
	add(r.NoTouchRequired, "no-touch-required")
	add(r.VerifyRequired, "verify-required")
	add(!r.Restricted && r.NoPortForwarding, "no-port-forwarding")
	limited := r.Restricted || r.HasCommand || r.FilesFolder != ""
	add(limited && r.NamesPortForwarding, "port-forwarding")
	for _, target := range r.PermitOpen {
		parts = append(parts, "permitopen="+strconv.QuoteToASCII(clipWords(target)))
	}
	for _, address := range r.PermitListen {
		parts = append(parts, "permitlisten="+strconv.QuoteToASCII(clipWords(address)))
	}
	if r.FilesFolder != "" {
		value := r.FilesFolder
		if r.FilesMode != "" {
			value += "," + r.FilesMode
		}
		parts = append(parts, "minissh-files="+strconv.QuoteToASCII(clipWords(value)))
	}
	for _, pair := range r.Environment {
		parts = append(parts, "environment="+strconv.QuoteToASCII(clipWords(pair)))
	}
	return strings.Join(parts, " ")
}

// String is the list as sshd would read it.
func (f From) String() string {
	var list []string
	for _, p := range f.patterns {
		text := p.text
		if p.not {
			text = "!" + text
		}
		list = append(list, text)
	}
	return strings.Join(list, ",")
}

func clipWords(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
