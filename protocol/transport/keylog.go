package transport

import (
	"fmt"
	"os"

	"minissh/protocol"
)

// KeyLogError is a key log that will not be written.
type KeyLogError struct {
	Path   string
	Reason string
	Advice string // what to type
}

func (e *KeyLogError) Error() string {
	return "no key log is written to " + shown(e.Path) + ": " + e.Reason
}

// Hint is what the user can type.
func (e *KeyLogError) Hint() string { return e.Advice }

// OpenKeyLog opens a file for the secrets of TLS connections, in the format that Wireshark reads
// (NSS's), to append to it; a missing file is made with mode 0600. Whoever reads it can read the
// connections. A link, a file that is not regular, belongs to another user, or is open to others is
// refused with a *KeyLogError (RULES A13).
func OpenKeyLog(path string) (*os.File, error) {
	refused := func(reason, advice string) (*os.File, error) {
		return nil, &KeyLogError{Path: path, Reason: reason, Advice: advice}
	}
	// for the message; keyLogFlags makes sure of it
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return refused("it is a symbolic link", "name the file itself")
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|keyLogFlags, 0o600)
	if err != nil {
		return refused(reasonOf(err), "")
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	reason, advice := "", ""
	if !info.Mode().IsRegular() {
		reason = "it is not a regular file"
	} else {
		reason, advice = keyLogFault(path, info)
	}
	if reason != "" {
		file.Close()
		return refused(reason, advice)
	}
	return file, nil
}

// shown is a file's name as a message may show it and, mostly, as it can be typed.
func shown(path string) string {
	if q := protocol.Quote(path); path == "" || q[1:len(q)-1] != path {
		return q
	}
	return path
}

// reasonOf is a system's error without the file's name, which the message has already.
func reasonOf(err error) string {
	if at, ok := err.(*os.PathError); ok {
		err = at.Err
	}
	return err.Error()
}

// KeyLogWarning is what a person reads when keys are logged.
func KeyLogWarning(path string) string {
	return fmt.Sprintf("the TLS secrets are written to %s: whoever reads that file can read all "+
		"that is sent", shown(path))
}
