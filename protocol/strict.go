package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

const maxDepth = 8 // JS1

// Decode reads the JSON payload of f into message, a pointer to one of this package's structs, and
// refuses what JS2 refuses. A code without the form of one becomes CodeInternal, and text for
// people is cut to MaxMessage bytes. The error is a *Violation with CodeBadJSON.
func (f Frame) Decode(message any) error {
	if err := DecodeJSON(f.Payload, message); err != nil {
		return Violate(CodeBadJSON, "%v: %v", f.Type, err)
	}
	switch m := message.(type) { // CO2, CO3
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

// DecodeJSON reads one JSON object into message, and refuses what JS2 refuses.
func DecodeJSON(text []byte, message any) error {
	err := checkJSON(text, reflect.TypeOf(message))
	if err == nil {
		err = json.Unmarshal(text, message)
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		err = fmt.Errorf("the field %s is of the wrong type", mistyped.Field)
	}
	return err
}

// checkJSON walks the whole text once, because encoding/json accepts what two readers may
// understand differently: repeated keys, keys in another case, bytes that are not UTF-8, null
// instead of a value, and lists of another length. want is the type that the text is decoded into.
func checkJSON(text []byte, want reflect.Type) error {
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
	if err := checkObject(d, 1, want); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the object")
	}
	return nil
}

func checkObject(d *json.Decoder, depth int, want reflect.Type) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string) // where a key is due, a Decoder returns nothing else
		if !plainKey(key) {
			return fmt.Errorf("the key %s has characters other than a-z, 0-9 and _", Quote(key))
		}
		if seen[key] {
			return fmt.Errorf("the key %q is there twice", key)
		}
		seen[key] = true
		if err := checkValue(d, depth, fieldType(want, key)); err != nil {
			return fmt.Errorf("the field %s: %w", key, err)
		}
	}
	_, err := d.Token()
	return err
}

// checkValue checks one value; want is the type that it is decoded into, nil for an unknown field.
func checkValue(d *json.Decoder, depth int, want reflect.Type) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch value := token.(type) {
	case nil:
		if want != nil {
			return fmt.Errorf("null is not a value")
		}
	case json.Number:
		if _, err := strconv.ParseInt(string(value), 10, 64); err != nil {
			return fmt.Errorf("%s is not a whole number of 63 bits", value)
		}
	case string:
		if strings.IndexByte(value, 0) >= 0 {
			return ErrNUL
		}
	case json.Delim:
		if depth == maxDepth {
			return fmt.Errorf("it is nested more than %d deep", maxDepth)
		}
		if value == '{' {
			return checkObject(d, depth+1, want)
		}
		return checkList(d, depth+1, want)
	}
	return nil
}

func checkList(d *json.Decoder, depth int, want reflect.Type) error {
	n := 0
	for ; d.More(); n++ {
		if err := checkValue(d, depth, elementType(want)); err != nil {
			return err
		}
	}
	if want != nil && want.Kind() == reflect.Array && n != want.Len() {
		return fmt.Errorf("%d values in a list of %d", n, want.Len())
	}
	_, err := d.Token()
	return err
}

// fieldType is what the value of a key is decoded into; nil if nothing takes it.
func fieldType(t reflect.Type, key string) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return nil
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() != reflect.Struct:
		return nil
	}
	known, ok := fieldTypes.Load(t)
	if !ok {
		known, _ = fieldTypes.LoadOrStore(t, fieldsByKey(t))
	}
	return known.(map[string]reflect.Type)[key]
}

// fieldTypes has the fieldsByKey of each struct that has been decoded into: there is a header for
// every file, and looking at the tags each time would take as long as reading it.
var fieldTypes sync.Map

func fieldsByKey(t reflect.Type) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			maps.Copy(types, fieldsByKey(field.Type))
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		types[name] = field.Type
	}
	return types
}

// elementType is what the values of a list are decoded into; nil if nothing takes them.
func elementType(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Array ||
		t == reflect.TypeFor[Bytes]() {
		return nil
	}
	return t.Elem()
}

func plainKey(key string) bool {
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return key != ""
}

// checkSurrogates refuses \ud800 to \udfff escapes that are not in pairs: decoders silently replace
// them by U+FFFD.
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
