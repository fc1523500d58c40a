package authorized

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Append adds a line with a key to a file, which it makes if it is missing (0600, its directory
// 0700). It replaces lines with the same key. options come before the key, as in sshd(8), comment
// after it. The rest of the file stays as it is, byte by byte, and nobody ever sees a half-written
// file.
func Append(path, options string, key ssh.PublicKey, comment string) error {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	if options != "" {
		line = options + " " + line
	}
	if comment != "" {
		line += " " + comment
	}
	if strings.ContainsAny(line, "\r\n\x00") || len(line) > maxLine {
		return errors.New("options or comment do not fit in a line of authorized_keys")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return edit(path, func(text []byte) []byte {
		text, _ = without(path, text, key)
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		return append(text, line+"\n"...)
	})
}

// Remove takes every line with a key out of a file, and says whether there was one.
func Remove(path string, key ssh.PublicKey) (found bool, err error) {
	err = edit(path, func(text []byte) []byte {
		text, found = without(path, text, key)
		return text
	})
	return found, err
}

// without is text without the lines that have a key, including those that an option disables.
func without(path string, text []byte, key ssh.PublicKey) (rest []byte, found bool) {
	for line := range bytes.Lines(text) {
		listed, _, _, _, err := ssh.ParseAuthorizedKey(line)
		if err == nil && bytes.Equal(listed.Marshal(), key.Marshal()) {
			found = true
			continue
		}
		rest = append(rest, line...)
	}
	return rest, found
}

// edit changes a file's text, one edit at a time, by a new file that takes the old one's name. The
// text is on the disk when it returns.
func edit(path string, change func([]byte) []byte) error {
	old, err := lock(path)
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", shown(path))
	}
	text, err := io.ReadAll(io.LimitReader(old, MaxFile+1))
	if err != nil {
		return err
	}
	changed := change(bytes.Clone(text))
	if bytes.Equal(changed, text) {
		return nil
	}
	if len(changed) > MaxFile {
		return fmt.Errorf("%s would have more than 1 MiB", shown(path))
	}
	dir := filepath.Dir(path)
	next, err := os.CreateTemp(dir, ".authorized_keys-*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // fails once it has its new name
	_, err = next.Write(changed)
	for _, step := range []func() error{func() error { return next.Chmod(info.Mode().Perm()) },
		next.Sync} {
		if err == nil {
			err = step()
		}
	}
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return err
}
