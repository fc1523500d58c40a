// Package vectors reads the test vectors next to it: text files that a test in any language can
// read. Each says at its top what its lines mean. Tests import this package, and the lab's
// conformance kit, which makes probes of them and hands the files out.
package vectors

import (
	"bytes"
	"embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Files are the vectors as they are.
//
//go:embed *.txt
var Files embed.FS

// Vector is one block of "key: value" lines.
type Vector struct {
	Name string
	keys map[string][]string
}

// Read returns the vectors of a file. It panics if the file is malformed or empty: a test must not
// pass then.
func Read(file string) []Vector {
	text, err := Files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var all []Vector
	for block := range strings.SplitSeq(string(text), "\n\n") {
		v := Vector{keys: map[string][]string{}}
		for line := range strings.Lines(block) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				panic(fmt.Sprintf("%s: a line without a key: %q", file, line))
			}
			v.keys[key] = append(v.keys[key], strings.TrimPrefix(value, " "))
		}
		if len(v.keys) == 0 {
			continue
		}
		if v.Name = v.Text("name"); v.Name == "" {
			panic(fmt.Sprintf("%s: a vector without a name: %q", file, block))
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		panic(file + " holds no vectors")
	}
	return all
}

// Has says whether the vector has lines with this key.
func (v Vector) Has(key string) bool { return len(v.keys[key]) > 0 }

// Text is the value of a key, "" if it is missing.
func (v Vector) Text(key string) string { return strings.Join(v.keys[key], "") }

// All are the values of a key, one for each line.
func (v Vector) All(key string) []string { return v.keys[key] }

// Number is the value of a key in base 10 or 16.
func (v Vector) Number(key string, base int) uint64 {
	n, err := strconv.ParseUint(v.Text(key), base, 64)
	if err != nil {
		panic(fmt.Sprintf("%s: %s: %v", v.Name, key, err))
	}
	return n
}

// Bytes are all lines of a key as hex, joined.
func (v Vector) Bytes(key string) []byte { return bytes.Join(v.Lines(key), nil) }

// Lines are the lines of a key as hex, one each.
func (v Vector) Lines(key string) [][]byte {
	var lines [][]byte
	for _, line := range v.keys[key] {
		b, err := Hex(line)
		if err != nil {
			panic(fmt.Sprintf("%s: %s: %v", v.Name, key, err))
		}
		lines = append(lines, b)
	}
	return lines
}

// Hex reads "61 62 63*1000".
func Hex(text string) ([]byte, error) {
	var out []byte
	for word := range strings.FieldsSeq(text) {
		digits, times, many := strings.Cut(word, "*")
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != 1 {
			return nil, fmt.Errorf("%q is not the hex of one byte", word)
		}
		n := 1
		if many {
			if n, err = strconv.Atoi(times); err != nil || n < 1 {
				return nil, fmt.Errorf("%q does not say how often", word)
			}
		}
		out = append(out, bytes.Repeat(b, n)...)
	}
	return out, nil
}
