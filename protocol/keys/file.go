package keys

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// maxKeyFile bounds what is read of a key file, in bytes: an RSA key of 8192 bits has about 6 KiB.
const maxKeyFile = 64 << 10

// DefaultFiles are the private keys that ssh looks for without being told.
func DefaultFiles(home string) []string {
	var files []string
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		files = append(files, filepath.Join(home, ".ssh", name))
	}
	return files
}

// PermissionError says that others can read a private key; ssh does not use such a file.
type PermissionError struct {
	Path string
	Mode os.FileMode
}

func (e *PermissionError) Error() string {
	return fmt.Sprintf("Permissions %04o for '%s' are too open", e.Mode.Perm(), e.Path)
}

// Hint is what to type.
func (e *PermissionError) Hint() string { return "chmod 600 " + e.Path }

// readFile reads a small regular file. private refuses one that others can read, if it is ours, as ssh does.
func readFile(path string, private bool) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if private && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &PermissionError{Path: path, Mode: info.Mode()}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("%s is too large for a key", path)
	}
	return text, err
}

// LoadFile reads a private key file: OpenSSH's format, or PEM. ask is called for a passphrase if it needs one, with a question; nil: an encrypted
// key is an error (*ssh.PassphraseMissingError).
func LoadFile(path string, ask func(question string) ([]byte, error)) (Identity, error) {
	text, err := readFile(path, true)
	if err != nil {
		return Identity{}, err
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) && ask != nil {
		for tries := 0; tries < 3; tries++ {
			var passphrase []byte
			if passphrase, err = ask(fmt.Sprintf("Enter passphrase for key '%s': ", path)); err != nil {
				return Identity{}, err
			}
			raw, err = ssh.ParseRawPrivateKeyWithPassphrase(text, passphrase)
			clear(passphrase)
			if err == nil {
				break
			}
		}
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", path, err)
	}
	if pointer, ok := raw.(*ed25519.PrivateKey); ok {
		raw = *pointer
	}
	signer, ok := raw.(crypto.Signer)
	if !ok {
		return Identity{}, fmt.Errorf("%s holds a key of type %T, which cannot be used", path, raw)
	}
	id, err := fromSigner(signer, path, "")
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// PublicOf finds the public half of a private key file without asking for a passphrase, in the file itself or in the .pub file beside it. encrypted says that the
// private half needs one.
func PublicOf(path string) (key ssh.PublicKey, encrypted bool, err error) {
	text, err := readFile(path, true)
	if err != nil {
		return nil, false, err
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	if err == nil {
		if pointer, ok := raw.(*ed25519.PrivateKey); ok {
			raw = *pointer
		}
		signer, ok := raw.(crypto.Signer)
		if !ok {
			return nil, false, fmt.Errorf("%s holds a key of type %T, which cannot be used", path, raw)
		}
		key, err = publicOf(signer.Public())
		return key, false, err
	}
	var missing *ssh.PassphraseMissingError
	if !errors.As(err, &missing) {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	if missing.PublicKey != nil {
		return missing.PublicKey, true, nil
	}
	if text, err = readFile(path+".pub", false); err != nil {
		return nil, true, err
	}
	key, _, _, _, err = ssh.ParseAuthorizedKey(text)
	return key, true, err
}

// HostKey reads a daemon's host key, or makes one (Ed25519, mode 0600, its directory 0700) where there is none.
func HostKey(path string) (id Identity, made bool, err error) {
	id, err = LoadFile(path, nil)
	if !errors.Is(err, os.ErrNotExist) {
		return id, false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return id, false, err
	}
	if id, err = Generate(); err != nil {
		return id, false, err
	}
	text, err := marshal(id)
	if err != nil {
		return id, false, err
	}
	// Written aside and linked into place: whoever looks finds a whole key or none, and of two daemons starting at once one wins.
	f, err := os.CreateTemp(filepath.Dir(path), ".host_key")
	if err != nil {
		return id, false, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if errors.Is(err, os.ErrExist) {
		id, err = LoadFile(path, nil)
		return id, false, err
	}
	var link *os.LinkError
	if errors.As(err, &link) && !errors.Is(err, syscall.EACCES) { // a file system without hard links
		err = os.Rename(f.Name(), path)
	}
	id.Source = path
	return id, err == nil, err
}
