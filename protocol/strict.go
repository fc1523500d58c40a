package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

const maxDepth = 8 // P4.1

// Decode reads the JSON payload of f into message, a pointer to one of this package's structs, refusing what P4.2 refuses.
// A code that has not the form of one is CodeInternal then, and text for people is at most MaxMessage bytes.
// The error is a *Violation with CodeBadJSON.
func (f Frame) Decode(message any) error {
	if err := DecodeJSON(f.Payload, message); err != nil {
		return Violate(CodeBadJSON, "%v: %v", f.Type, err)
	}
	switch m := message.(type) { // P8.2, P8.3
	case *Reason:
		if m.Code != "" {
			m.Code = m.Code.plain()
		}
		m.Message = clip(m.Message)
	case *Notice:
		m.Message = clip(m.Message)
	}
	return nil
}

// DecodeJSON reads one JSON object into message, refusing what P4.2 refuses.
func DecodeJSON(text []byte, message any) error {
	err := checkJSON(text)
	if err == nil {
		err = json.Unmarshal(text, message)
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		err = fmt.Errorf("the field %s is of the wrong type", mistyped.Field)
	}
	return err
}

// checkJSON walks the whole text once, because encoding/json lets pass what two readers understand differently:
// keys that stand twice, keys in another case, bytes that are no UTF-8.
func checkJSON(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("it is not UTF-8")
	}
	if err := checkSurrogates(text); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	first, err := d.Token()
	if err != nil {
		return err
	}
	if first != json.Delim('{') {
		return fmt.Errorf("it is not an object")
	}
	if err := checkObject(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the object")
	}
	return nil
}

func checkObject(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string) // a Decoder gives nothing else where a key stands
		if !plainKey(key) {
			return fmt.Errorf("the key %s has characters other than a-z, 0-9 and _", Quote(key))
		}
		if seen[key] {
			return fmt.Errorf("the key %q stands twice", key)
		}
		seen[key] = true
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func checkValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if number, ok := token.(json.Number); ok {
		if _, err := strconv.ParseInt(string(number), 10, 64); err != nil {
			return fmt.Errorf("%s is not a whole number of 63 bits", number)
		}
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	if delim == '{' {
		return checkObject(d, depth+1)
	}
	for d.More() {
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func plainKey(key string) bool {
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return key != ""
}

// checkSurrogates refuses \ud800 to \udfff escapes that do not come as a pair: decoders replace them by U+FFFD without a word.
func checkSurrogates(text []byte) error {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		unit, ok := unicodeEscape(text[i:])
		i++ // past the character that was escaped
		if !ok || unit < 0xd800 || unit > 0xdfff {
			continue
		}
		low, ok := unicodeEscape(text[min(i+5, len(text)):])
		if unit > 0xdbff || !ok || low < 0xdc00 || low > 0xdfff {
			return fmt.Errorf("it holds half of a surrogate pair")
		}
		i += 10
	}
	return nil
}

func unicodeEscape(text []byte) (uint64, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return unit, err == nil
}
