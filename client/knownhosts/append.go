package knownhosts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/wholeline"
)

// Append adds a host's key to a file, by one write at its end, which does not harm what another
// process adds at the same time. If the last line has no newline, it gets one first. On a full disk
// nothing of the write is left behind. A missing file (mode 0600) and its directory (0700) are
// made, but nothing above it. hash hides the name (HashKnownHosts).
func Append(file, host string, port int, key ssh.PublicKey, hash bool) error {
	name, err := Name(host, port)
	if err != nil {
		return err
	}
	if hash {
		name = encodeHash(name)
	}
	line := name + " " + strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n") + "\n"
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	out, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE|nonBlocking, 0o600)
	if err != nil {
		return err
	}
	info, err := out.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		var last [1]byte
		if _, err = out.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if err == nil && !info.Mode().IsRegular() && info.Mode()&os.ModeCharDevice == 0 {
		err = fmt.Errorf("%s is not a regular file", file)
	}
	if err == nil {
		err = wholeline.Append(out, line)
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}
