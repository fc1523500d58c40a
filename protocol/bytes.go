package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bytes is a byte string inside JSON (JS3): a JSON string if it is valid UTF-8, else {"b64":"…"}.
type Bytes []byte

// What cannot be sent, and is never tried.
var (
	ErrNUL      = errors.New("a byte string holds NUL") // JS3
	ErrTooLarge = errors.New("does not fit a frame")    // FR2, JS1
)

// MarshalJSON writes b by JS3. NUL is refused here too: the peer would end the session for it.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, ErrNUL
	}
	if utf8.Valid(b) {
		return marshal(string(b))
	}
	return marshal(struct {
		B64 []byte `json:"b64"`
	}{b})
}

// UnmarshalJSON reads b by JS3. NUL is refused: no command, name or path can hold it.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var plain string
	if len(text) > 0 && text[0] == '{' {
		var boxed struct {
			B64 *string `json:"b64"`
		}
		if err := json.Unmarshal(text, &boxed); err != nil {
			return err
		}
		if boxed.B64 == nil {
			return errors.New(`an object with "b64" was expected`)
		}
		if strings.ContainsAny(*boxed.B64, "\r\n") { // the decoder would skip them
			return errors.New("line breaks in base64")
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(*boxed.B64)
		if err != nil {
			return err
		}
		plain = string(raw)
	} else if len(text) == 0 || text[0] != '"' { // null too: json would take it for ""
		return errors.New("a string was expected")
	} else if err := json.Unmarshal(text, &plain); err != nil {
		return err
	}
	if strings.IndexByte(plain, 0) >= 0 {
		return ErrNUL
	}
	*b = Bytes(plain)
	return nil
}

// marshal is json.Marshal without the escaping of <, > and &, which nobody on this wire needs.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Quote makes text from the other side safe for a terminal: printable characters stay, everything
// else is escaped, and double quotes surround it.
func Quote(s string) string { return strconv.QuoteToGraphic(s) }
