package dialect

import (
	"fmt"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"minissh/cmd/minissh-lab/playshell"
	"minissh/cmd/minissh-lab/speak"
)

// ParseEncoding reads the value of --encoding: utf-8 (nil), gbk as on a Chinese
// Windows, or gb18030.
func ParseEncoding(name string) (encoding.Encoding, error) {
	switch name {
	case "", "utf-8", "utf8", "UTF-8":
		return nil, nil
	case "gbk", "GBK", "cp936":
		return simplifiedchinese.GBK, nil
	case "gb18030", "GB18030":
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("--encoding %s: want utf-8, gbk or gb18030", speak.Quote([]byte(name)))
}

// Text decodes what the peer sent and makes it safe for a terminal. Half a
// character at a cut stays visible: an escape in UTF-8, \ufffd in gbk.
func (o Options) Text(b []byte) string { return speak.Clean(o.decode(b)) }

// decode turns the peer's bytes into UTF-8.
func (o Options) decode(b []byte) string {
	if o.Encoding == nil {
		return string(b)
	}
	text, err := o.Encoding.NewDecoder().Bytes(b)
	if err != nil { // a decoder replaces what it cannot read: no error is known
		return string(b)
	}
	return string(text)
}

// encode turns UTF-8 into the peer's bytes; what its encoding lacks becomes a
// replacement character.
func (o Options) encode(s string) []byte {
	if o.Encoding == nil {
		return []byte(s)
	}
	b, err := encoding.ReplaceUnsupported(o.Encoding.NewEncoder()).Bytes([]byte(s))
	if err != nil {
		return []byte(s)
	}
	return b
}

// run plays one line and encodes its output.
func (o Options) run(line string) (stdout, stderr []byte) {
	shell := o.Shell
	if shell == nil {
		shell = playshell.Run
	}
	stdout, stderr = shell(line)
	return o.encode(string(stdout)), o.encode(string(stderr))
}

func (w *wire) run(line string) (stdout, stderr []byte) { return w.o.run(line) }
