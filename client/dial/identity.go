package dial

import (
	"errors"
	"os"

	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// WriteIdentity is `minissh identity --pem`: the key in a file, and its envelope, in PEM for other
// languages.
func WriteIdentity(from, to string, ask terminal.Asker) error {
	if from == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		for _, file := range keys.DefaultFiles(home) {
			if _, err := os.Stat(file); err == nil {
				from = file
				break
			}
		}
		if from == "" {
			return report.Failed(nil, "ssh-keygen -t ed25519 makes one; -i FILE names another",
				"there is no key in ~/.ssh")
		}
	}
	id, err := keys.LoadFile(from, ask.Secret)
	if err != nil {
		return report.Failed(err, "", "cannot read the key: %v", err)
	}
	text, err := keys.PEM(id)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return report.Failed(err, "choose another name, or remove it first", "%s is there already",
			to)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(to) // half a key is worth nothing
		return report.Failed(err, "", "%s was not written: %v", to, err)
	}
	return nil
}
