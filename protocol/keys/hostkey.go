package keys

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// HostKey reads a daemon's key, an existing ssh_host_ed25519_key for instance. If the file is
// missing, it makes a key (ed25519, in OpenSSH's format, mode 0600); created says so. The file
// appears complete or not at all, and two daemons that start at once get the same key. A key that
// others can read is refused whoever owns it, and so is one with a passphrase: there is nobody to
// ask.
func HostKey(path string) (identity Identity, created bool, err error) {
	identity, err = loadHostKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return identity, false, err
	}
	if created, err = makeHostKey(path); err != nil {
		return Identity{}, false, err
	}
	identity, err = loadHostKey(path)
	return identity, created && err == nil, err
}

func loadHostKey(path string) (Identity, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() && tooOpen(info) {
		return Identity{}, &PermissionError{Path: path, Mode: info.Mode()}
	}
	identity, err := LoadFile(path, nil)
	var known *Error
	if errors.Is(err, ErrPassphrase) && errors.As(err, &known) {
		known.Msg = "is encrypted; a host key cannot have a passphrase"
		known.Advice = "ssh-keygen -p -f " + shown(path) + " removes it"
	}
	return identity, err
}

// makeHostKey writes a new key next to path and links it into place. If created is false without an
// error, another process was first.
func makeHostKey(path string) (created bool, err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fileError(dir, err)
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return false, err
	}
	block, err := ssh.MarshalPrivateKey(private, "minisshd")
	if err != nil {
		return false, fmt.Errorf("cannot write the host key: %w", err)
	}
	temp, err := os.CreateTemp(dir, ".new-host-key-") // O_EXCL and mode 0600
	if err != nil {
		return false, fileError(dir, err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(pem.EncodeToMemory(block))
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return false, fileError(path, err)
	}
	err = os.Link(temp.Name(), path) // never replaces what is there
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil { // a file system without hard links
		return writeNew(path, pem.EncodeToMemory(block))
	}
	return true, nil
}

// writeNew writes a file that must not exist yet. A reader may see it half written, which a link
// avoids.
func writeNew(path string, text []byte) (created bool, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fileError(path, err)
	}
	_, err = file.Write(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(path)
		return false, fileError(path, err)
	}
	return true, nil
}

// Certify reads a certificate for a host's key, as ssh-keygen -h -s makes it, and puts it into the
// identity: Certificate shows it (CE6).
func (id *Identity) Certify(path string) error {
	cert, err := LoadCertificate(path)
	if err != nil {
		return err
	}
	refuse := func(why string) error {
		return &Error{Subject: path, Msg: why,
			Advice: "ssh-keygen -s CA_KEY -h -I NAME -n HOST HOST_KEY.pub makes one"}
	}
	switch {
	case cert.CertType != ssh.HostCert:
		return refuse("is a user's certificate, and a host's is needed here")
	case !bytes.Equal(cert.Key.Marshal(), id.Public.Marshal()):
		return refuse("is a certificate for another key than the host key")
	}
	id.Cert = cert
	return nil
}
