package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// Keys that were paired are in a file of minissh's own in the user's home: pairing never grants an
// sshd login. It is changed with the user's rights, by the helper "paired" (RULES A7).

// PairedFile is the file of an account's paired keys.
func PairedFile(acct process.Account) string {
	return filepath.Join(acct.Home, ".config", "minissh", "authorized_keys")
}

// PairedKey is one of them.
type PairedKey struct {
	Fingerprint string `json:"fingerprint"`
	Type        string `json:"type"`
	Limits      string `json:"limits,omitempty"`  // options of its line, in words, values quoted
	Comment     string `json:"comment,omitempty"` // when, and from where; to be quoted
}

// pairedJob is what the helper is told, and does.
type pairedJob struct {
	Do      string `json:"do"` // add, remove or list
	File    []byte `json:"file"`
	Options string `json:"options,omitempty"`
	Key     string `json:"key,omitempty"` // as in authorized_keys; for remove, a fingerprint
	Comment string `json:"comment,omitempty"`
}

type pairedResult struct {
	Error string      `json:"error,omitempty"`
	Found bool        `json:"found,omitempty"`
	Keys  []PairedKey `json:"keys,omitempty"`
}

const (
	pairedVerb    = "paired"
	pairedTime    = 5 * time.Second // for a helper's whole work
	pairedReplies = 4 << 20         // bytes
)

func init() {
	process.Helper(pairedVerb, func([]string) int {
		var job pairedJob
		if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
			return 1
		}
		r, err := job.run()
		if err != nil {
			r.Error = err.Error()
		}
		if json.NewEncoder(os.Stdout).Encode(r) != nil {
			return 1
		}
		return 0
	})
}

// run does the job with the rights of this process.
func (j *pairedJob) run() (r pairedResult, err error) {
	path := string(j.File)
	if j.Do == "add" {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(j.Key))
		if err == nil {
			err = authorized.Append(path, j.Options, key, j.Comment)
		}
		return r, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	file, _ := authorized.Parse(path, text)
	for _, entry := range file.Entries {
		key := PairedKey{keys.Fingerprint(entry.Key), keys.TypeName(entry.Key), entry.Describe(),
			entry.Comment}
		if j.Do == "list" {
			r.Keys = append(r.Keys, key)
		} else if key.Fingerprint == j.Key {
			r.Found, err = authorized.Remove(path, entry.Key)
			return r, err
		}
	}
	return r, err
}

// as does the job with an account's rights.
func (j *pairedJob) as(acct process.Account) (r pairedResult, err error) {
	j.File = []byte(PairedFile(acct))
	if acct.Credential == nil || acct.Credential.UID == uint32(os.Geteuid()) {
		return j.run()
	}
	return j.help(acct)
}

func (j *pairedJob) help(acct process.Account) (r pairedResult, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), pairedTime)
	defer cancel()
	p, err := process.StartSelf(acct.Sheltered(), pairedVerb)
	if err != nil {
		return r, err
	}
	defer p.Retire()
	stop := context.AfterFunc(ctx, func() { p.End() })
	defer stop()
	p.Stderr.Close()
	if err = json.NewEncoder(p.Stdin).Encode(j); err == nil {
		p.Stdin.Close()
		err = json.NewDecoder(io.LimitReader(p.Stdout, pairedReplies)).Decode(&r)
	}
	if err != nil {
		return r, fmt.Errorf("the helper for %s: %w", acct.Name, err)
	}
	if r.Error != "" {
		err = errors.New(protocol.Quote(r.Error)) // the user may have had a hand in it
	}
	return r, err
}

// ListPaired lists an account's paired keys in the order in which they came.
func ListPaired(acct process.Account) ([]PairedKey, error) {
	r, err := (&pairedJob{Do: "list"}).as(acct)
	return r.Keys, err
}

// RemovePaired takes a key back, and says whether it was there.
func RemovePaired(acct process.Account, fingerprint string) (bool, error) {
	r, err := (&pairedJob{Do: "remove", Key: fingerprint}).as(acct)
	return r.Found, err
}

// AddPaired lists a key. from and at go into the comment.
func AddPaired(acct process.Account, key ssh.PublicKey, limits Limits, from string,
	at time.Time) error {
	_, err := (&pairedJob{
		Do: "add", Options: limits.Options(),
		Key:     strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))),
		Comment: "paired " + at.UTC().Format(time.RFC3339) + " from " + from,
	}).as(acct)
	return err
}

// Limits are what a paired key may do.
type Limits struct {
	HasCommand bool
	Command    string    // it runs whatever is asked
	Expires    time.Time // zero: never
}

// Check says what cannot be written into authorized_keys.
func (l Limits) Check() error {
	switch {
	case strings.ContainsAny(l.Command, "\r\n\x00"):
		return errors.New("a command of one line is wanted")
	case strings.Contains(l.Command, `\"`), strings.HasSuffix(l.Command, `\`):
		return errors.New("a command with a backslash at its end or before a double quote cannot " +
			"be written into authorized_keys")
	case len(l.Command) > 8192:
		return errors.New("the command is too long for a line of authorized_keys")
	case !l.Expires.IsZero() && !l.Expires.After(time.Now()):
		return errors.New("that time is over")
	}
	return nil
}

// Options are those of authorized_keys.
func (l Limits) Options() string {
	var list []string
	if l.HasCommand {
		list = append(list, `restrict,command="`+strings.ReplaceAll(l.Command, `"`, `\"`)+`"`)
	}
	if !l.Expires.IsZero() {
		list = append(list, `expiry-time="`+l.Expires.UTC().Format("20060102150405")+`Z"`)
	}
	return strings.Join(list, ",")
}
