package keys

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 such keys are named when they are refused
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxFile bounds key files, in bytes (OpenSSH's MAX_KEY_FILE_SIZE).
const maxFile = 1 << 20

// passphraseTries is how often a passphrase is asked for (ssh's NumberOfPasswordPrompts).
const passphraseTries = 3

// DefaultFiles are the key files that are tried when none is named, in order, whether they exist or
// not.
func DefaultFiles(home string) []string {
	var files []string
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk",
		"id_ecdsa_sk"} {
		files = append(files, filepath.Join(home, ".ssh", name))
	}
	return append(files, OwnFile(home))
}

// OwnFile is minissh's own key file, which pairing makes for somebody without any key. It is tried
// last.
func OwnFile(home string) string { return filepath.Join(home, ".config", "minissh", "id_ed25519") }

// LoadFile reads a private key file in one of OpenSSH's or OpenSSL's formats. A file that others
// can read is refused, as in ssh. If the file is encrypted, ask is called with ssh's question, up
// to three times. ask may be nil, and an empty answer gives up: the error is then ErrPassphrase. A
// missing file gives fs.ErrNotExist.
func LoadFile(path string, ask func(prompt string) ([]byte, error)) (Identity, error) {
	text, info, err := readFile(path)
	if err != nil {
		return Identity{}, err
	}
	if looksPublic(text) {
		return Identity{},
			&Error{Subject: path, Msg: "is a public key, and the private key is needed here",
				Advice: "name the file without .pub"}
	}
	if tooOpen(info) && ownedByUs(info) {
		return Identity{}, &PermissionError{Path: path, Mode: info.Mode()}
	}
	private, err := parsePrivate(path, text, ask)
	if err != nil {
		return Identity{}, err
	}
	identity, err := newIdentity(private, path, "")
	if err != nil {
		return Identity{}, about(path, err)
	}
	identity.Comment = commentOf(path, identity.Public)
	return identity, nil
}

// PublicOf finds the public key of a key file without asking for a passphrase. Like ssh it looks,
// in this order, whether the file is a public key itself, tells it next to the private one, or has
// it in FILE.pub. locked says that the private half needs more than this file: a passphrase, or an
// agent that holds it. A private key that others can read is a *PermissionError.
func PublicOf(path string) (key ssh.PublicKey, locked bool, err error) {
	text, info, err := readFile(path)
	if err == nil {
		if key, _, ok := parsePublic(text); ok {
			return key, true, nil
		}
		if tooOpen(info) && ownedByUs(info) {
			return nil, false, &PermissionError{Path: path, Mode: info.Mode()}
		}
		if key, locked = publicPart(text); key != nil {
			if err := Allowed(key); err != nil {
				return nil, locked, about(path, err)
			}
			return key, locked, nil
		}
	}
	if beside, _, missing := readFile(path + ".pub"); missing == nil {
		if key, _, ok := parsePublic(beside); ok {
			return key, true, nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	if block, _ := pem.Decode(text); block == nil || !strings.Contains(string(text), "ENCRYPTED") {
		return nil, false, explain(path, text, errors.New("no key found"))
	}
	return nil, true, &Error{
		Subject: path, Msg: "does not tell its public key without the passphrase",
		Advice: "ssh-keygen -y -f " + shown(path) + " > " + shown(path) + ".pub",
	}
}

// readFile reads a regular file of bounded size. Opening does not wait, as it would on a pipe that
// nobody writes to.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, nil, fileError(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, fileError(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &Error{Subject: path, Msg: "is not a regular file"}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, nil, fileError(path, err)
	}
	if len(text) > maxFile {
		return nil, nil, &Error{Subject: path, Msg: "is too large for a key file"}
	}
	return text, info, nil
}

// fileError is an operating system's error without the names of the operation and the path, which
// Error gives.
func fileError(path string, err error) *Error {
	known := &Error{Subject: path, Msg: err.Error(), Err: err}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		known.Msg = cause.Err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) {
		known.Advice = makeOne
	}
	return known
}

// PermissionError is a private key that others can read. ssh does not use such a file.
type PermissionError struct {
	Path string
	Mode fs.FileMode
}

func (e *PermissionError) Error() string {
	return fmt.Sprintf("Permissions 0%03o for '%s' are too open.", e.Mode.Perm(), shown(e.Path))
}

// Hint is what the user can type.
func (e *PermissionError) Hint() string { return "chmod 600 " + shown(e.Path) }

// Is lets errors.Is find fs.ErrPermission.
func (e *PermissionError) Is(target error) bool { return target == fs.ErrPermission }

// Warning is ssh's whole warning, word for word, without a newline at its end.
func (e *PermissionError) Warning() string {
	const line = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
	return line + "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n" + line +
		e.Error() + "\n" +
		"It is required that your private key files are NOT accessible by others.\n" +
		"This private key will be ignored."
}

// tooOpen says whether others can read a file, where modes tell.
func tooOpen(info fs.FileInfo) bool { return checksModes && info.Mode().Perm()&0o077 != 0 }

// parsePrivate decodes a private key, with as many questions as it takes.
func parsePrivate(path string, text []byte, ask func(string) ([]byte, error)) (crypto.Signer,
	error) {
	raw, err := ssh.ParseRawPrivateKey(text)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		raw, err = decrypt(path, text, ask)
	}
	if err != nil {
		return nil, explain(path, text, err)
	}
	switch private := raw.(type) {
	case *ed25519.PrivateKey:
		return *private, nil
	case ed25519.PrivateKey:
		return private, nil
	case *ecdsa.PrivateKey:
		return private, nil
	case *rsa.PrivateKey:
		return private, nil
	case *dsa.PrivateKey:
		return nil, &Error{Subject: path, Msg: "DSA keys are not supported", Advice: makeOne}
	}
	return nil, &Error{Subject: path, Msg: "holds a kind of key that cannot be used",
		Advice: makeOne}
}

func decrypt(path string, text []byte, ask func(string) ([]byte, error)) (any, error) {
	withheld := &Error{Subject: path, Msg: "is encrypted and no passphrase was given",
		Advice: "ssh-add " + shown(path) + " hands it to an agent", Err: ErrPassphrase}
	if ask == nil {
		return nil, withheld
	}
	for range passphraseTries {
		passphrase, err := ask("Enter passphrase for key '" + shown(path) + "': ")
		if err != nil {
			withheld.Err = errors.Join(ErrPassphrase, err)
			return nil, withheld
		}
		if len(passphrase) == 0 {
			return nil, withheld
		}
		raw, err := ssh.ParseRawPrivateKeyWithPassphrase(text, passphrase)
		clear(passphrase)
		if !errors.Is(err, x509.IncorrectPasswordError) {
			return raw, err
		}
	}
	withheld.Msg = "incorrect passphrase supplied to decrypt private key"
	return nil, withheld
}

// explain says what is known about a file that could not be read as a key.
func explain(path string, text []byte, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	known = &Error{Subject: path, Msg: "is not a private key that can be read", Err: err}
	block, _ := pem.Decode(text)
	switch {
	case bytes.HasPrefix(text, []byte("PuTTY-User-Key-File")):
		known.Msg = "is a key in PuTTY's format"
		known.Advice = "puttygen " + shown(path) + " -O private-openssh -o NEW_FILE"
	case block != nil && block.Type == "ENCRYPTED PRIVATE KEY":
		known.Msg = "is an encrypted key in PKCS#8, which cannot be read"
		known.Advice = "ssh-keygen -p -f " + shown(path) + " rewrites it in OpenSSH's format"
	case block != nil:
		if key, _ := publicPart(text); key != nil {
			if why := Usable(key); why != nil {
				known.Msg = why.Error()
				known.Advice = makeOne
				return known
			}
		}
		known.Msg += " (" + strings.TrimPrefix(err.Error(), "ssh: ") + ")"
	}
	return known
}

// looksPublic tells public keys by their first line.
func looksPublic(text []byte) bool {
	_, _, ok := parsePublic(text)
	return ok
}

// parsePublic reads the one line of a .pub file.
func parsePublic(text []byte) (ssh.PublicKey, string, bool) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")) {
		return nil, "", false
	}
	key, comment, options, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil || len(options) > 0 {
		return nil, "", false
	}
	return key, comment, true
}

// publicPart is the public key in a private key file, nil if the file does not tell it without the
// passphrase that locked speaks of.
func publicPart(text []byte) (key ssh.PublicKey, locked bool) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, false
	}
	if block.Type == "OPENSSH PRIVATE KEY" { // openssh's PROTOCOL.key
		const magic = "openssh-key-v1\x00"
		var outer struct {
			Cipher, KDF, KDFOptions string
			Keys                    uint32
			Public                  []byte
			Private                 []byte `ssh:"rest"`
		}
		inner, ok := bytes.CutPrefix(block.Bytes, []byte(magic))
		if !ok || ssh.Unmarshal(inner, &outer) != nil || outer.Keys != 1 {
			return nil, false
		}
		key, err := ssh.ParsePublicKey(outer.Public)
		if err != nil {
			return nil, false
		}
		return key, outer.Cipher != "none"
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		return nil, true
	}
	private, ok := raw.(crypto.Signer)
	if !ok {
		return nil, false
	}
	key, err = ssh.NewPublicKey(private.Public())
	if err != nil {
		return nil, false
	}
	return key, false
}

// commentOf is the comment in FILE.pub, if that is the same key.
func commentOf(path string, key ssh.PublicKey) string {
	text, _, err := readFile(path + ".pub")
	if err != nil {
		return ""
	}
	beside, comment, ok := parsePublic(text)
	if !ok || !bytes.Equal(beside.Marshal(), key.Marshal()) {
		return ""
	}
	return comment
}
