package dial

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/report"
	"minissh/protocol"
)

const (
	commandTime = 30 * time.Second
	commandMost = 16 << 20 // bytes of its output
)

// moreKeys takes what KnownHostsCommand says about the host whose key is to be judged, once for
// each login (ssh_config(5)). If it fails, no key is accepted.
func (c *hostCheck) moreKeys(key ssh.PublicKey) error {
	o := c.Options
	if len(o.KnownHostsCommand) == 0 || c.asked {
		return nil
	}
	host, port := o.KnownHostsName()
	name, err := knownhosts.Name(host, port)
	if err != nil {
		return report.Failed(err, "", "%v", err)
	}
	argv, err := o.KnownHostsArguments(name, "HOSTNAME", key.Type(),
		knownhosts.Shown{Hash: o.FingerprintHash}.Fingerprint(key),
		base64.StdEncoding.EncodeToString(key.Marshal()))
	if err != nil {
		return err
	}
	c.Messages.Debug("more host keys come from: %q", argv)
	lines, err := output(argv)
	if err == nil {
		err = c.known.Add("KnownHostsCommand-HOSTNAME", lines)
	}
	if err != nil {
		return report.Failed(err, "-o KnownHostsCommand=none goes on without it, -v shows it",
			"no host key is accepted, since KnownHostsCommand failed: %s: %v",
			protocol.Quote(argv[0]), report.Plain(err)).Of(report.ClassHostKey)
	}
	c.asked = true
	return nil
}

// output runs a program without a shell and returns what it writes. It reads nothing, and has a
// limited time.
func output(argv []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	var written bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &limited{to: &written, left: commandMost}, os.Stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	if ctx.Err() != nil {
		err = errors.New("it takes too long")
	}
	return written.Bytes(), err
}

// limited is a writer that takes a limited number of bytes.
type limited struct {
	to   io.Writer
	left int
}

func (w *limited) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errors.New("it writes too much")
	}
	return w.to.Write(b)
}
