package knownhosts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Bounds on what is read, in bytes. A line holds a few names and one key; 64 KiB are four RSA keys
// of 16,384 bits.
const (
	maxFile = 16 << 20
	maxLine = 64 << 10
)

// DB is what the known_hosts files said when they were opened. It does not change afterwards.
type DB struct {
	// Problems says what was left out: files that could not be read, lines that were not
	// understood. It is for those who ask for details (-v). A missing file is not a problem.
	Problems []error

	entries []entry
	files   []string
	sums    sums
}

// entry is one line with a key.
type entry struct {
	file   string
	line   int // from 1
	marker marker
	names  string // as written: patterns with commas, or one hashed name
	// the key's wire form; parsed only where the names match, since elliptic curves take time
	encoded []byte
}

type marker int

const (
	plain marker = iota
	revoked
	authorityOf
)

// Open reads the files in their order. Opening does not wait, and only regular files are read.
func Open(files ...string) *DB {
	db := &DB{files: files}
	for _, path := range files {
		text, err := read(path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				db.Problems = append(db.Problems, err)
			}
			continue
		}
		db.parse(path, text)
	}
	return db
}

// Add takes lines of the same form from elsewhere, which messages call name.
func (db *DB) Add(name string, lines []byte) error {
	if len(lines) > maxFile {
		return fmt.Errorf("%s gives more than %d MiB", name, maxFile>>20)
	}
	db.files = append(db.files, name)
	db.parse(name, lines)
	return nil
}

func read(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		if info.Mode()&fs.ModeCharDevice != 0 {
			return nil, nil // UserKnownHostsFile=/dev/null
		}
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s has more than %d MiB", path, maxFile>>20)
	}
	return text, nil
}

func (db *DB) parse(path string, text []byte) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.Trim(line, " \t\r\n")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			db.Problems = append(db.Problems, fmt.Errorf("%s:%d: the line is left out: %w", path,
				number, err))
			continue
		}
		e.file, e.line = path, number
		db.entries = append(db.entries, e)
	}
}

// parseLine reads `[marker] names type key [comment]`.
func parseLine(line []byte) (entry, error) {
	var e entry
	if len(line) > maxLine {
		return e, errors.New("it is too long")
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return e, errors.New("it holds a zero byte")
	}
	fields := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' })
	if fields[0][0] == '@' {
		switch fields[0] {
		case "@revoked":
			e.marker = revoked
		case "@cert-authority":
			e.marker = authorityOf
		default:
			return e, errors.New("its marker is unknown")
		}
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return e, errors.New("it does not hold names, a type and a key")
	}
	e.names = fields[0]
	if e.names[0] == '@' {
		return e, errors.New("it has two markers")
	}
	if e.names[0] == '|' {
		if _, _, ok := decodeHash(e.names); !ok {
			return e, errors.New("its hashed name is malformed")
		}
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return e, errors.New("its key is not base64; keys of SSH version 1 are no longer used")
	}
	var head struct {
		Type string
		Rest []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(blob, &head); err != nil {
		return e, errors.New("its key is malformed")
	}
	if head.Type != fields[1] {
		return e, errors.New("its key is of another type than it says")
	}
	e.encoded = blob
	return e, nil
}
