package access

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// KeysCommand is a program that lists keys of an account, as the lines of an authorized_keys file
// (sshd_config(5), AuthorizedKeysCommand). It is asked about a key that no line of a file admits.
type KeysCommand struct {
	Words []string // the program and its arguments, with tokens
	User  string   // the account that it runs as
}

// mostListed is how many bytes such a program may say.
const mostListed = 1 << 20

// commandsAtOnce is how often such programs may run at once for the logins from one address.
const commandsAtOnce = 8

// commandName stands for a file's name where its lines are spoken of.
const commandName = "--authorized-keys-command"

// Check finds what is wrong with a command as it is written.
func (k *KeysCommand) Check() error {
	switch {
	case len(k.Words) == 0 || !filepath.IsAbs(k.Words[0]):
		return errors.New("--authorized-keys-command is a program with its whole path, from / on")
	case k.User == "":
		return errors.New("--authorized-keys-command needs --authorized-keys-command-user: an " +
			"account that does nothing else")
	}
	for _, word := range k.Words[1:] {
		if _, err := expanded(word, func(byte) (string, bool) { return "", true }); err != nil {
			return err
		}
	}
	return nil
}

// Safe says why the program may not be run: it is root's, and nobody else can write it or a
// directory above it.
func (k *KeysCommand) Safe() error {
	if err := authorized.SafeProgram(k.Words[0]); err != nil {
		return fmt.Errorf("--authorized-keys-command: %w", err)
	}
	return nil
}

// OfKey says whether what the program is told depends on the whole key.
func (k *KeysCommand) OfKey() bool {
	text := strings.ReplaceAll(strings.Join(k.Words, " "), "%%", "")
	return strings.Contains(text, "%k") || strings.Contains(text, "%t") ||
		strings.Contains(text, "%f")
}

// expanded replaces the tokens of a word.
func expanded(word string, token func(byte) (string, bool)) (string, error) {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '%' {
			b.WriteByte(word[i])
			continue
		}
		i++
		if i < len(word) && word[i] == '%' {
			b.WriteByte('%')
			continue
		}
		text, ok := "", false
		if i < len(word) && strings.IndexByte("uUhfktC", word[i]) >= 0 {
			text, ok = token(word[i])
		}
		if !ok {
			return "", fmt.Errorf("--authorized-keys-command: it takes %%u, %%U, %%h, %%f, %%k, "+
				"%%t, %%C and %%%%, and not what is in %q", logbook.Shorten(word, 80))
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// told is the argument vector for a login.
func (k *KeysCommand) told(acct process.Account, who *Client, proof keys.Proof) (args []string,
	err error) {
	for i, word := range k.Words {
		if i > 0 {
			word, err = expanded(word, func(c byte) (string, bool) {
				switch c {
				case 'u':
					return acct.Name, true
				case 'U':
					return strconv.FormatUint(uint64(acct.UID), 10), true
				case 'h':
					return acct.Home, true
				case 'C':
					return connection(who), true
				}
				if proof.Key == nil {
					return "", false
				}
				switch c {
				case 'f':
					return keys.Fingerprint(proof.Key), true
				case 'k':
					return base64.StdEncoding.EncodeToString(proof.Key.Marshal()), true
				}
				return proof.Key.Type(), true
			})
		}
		if err != nil {
			return nil, err
		}
		args = append(args, word)
	}
	return args, nil
}

// connection is the client's address and port, and the daemon's, with blanks between (%C).
func connection(who *Client) string {
	local := "UNKNOWN 65535" // as sshd has it
	if who.Local != nil {
		local = strings.Join(splitPort(who.Local.String()), " ")
	}
	return fmt.Sprintf("%s %d %s", who.Addr.Addr(), who.Addr.Port(), local)
}

func splitPort(addr string) []string {
	i := strings.LastIndexByte(addr, ':')
	return []string{strings.Trim(addr[:max(i, 0)], "[]"), addr[i+1:]}
}

// findListed is find in what a command lists, for a key that no line of a file admits; why is what
// the files say. What a file leaves open stays so.
func (a *Accounts) findListed(ctx context.Context, k *KeysCommand, acct process.Account,
	who *Client, trust *Trust, why error) (*authorized.Entry, error) {
	report := a.listed(ctx, k, acct, who, who.Proof)
	if report.Err != nil {
		return nil, fmt.Errorf("no file lists the key, and %s cannot tell: %w", commandName,
			report.Err)
	}
	entry, no := a.find([]FileReport{report}, acct.Name, who, trust)
	files, sure := errors.AsType[Revoked](why)
	if no != nil && !sure {
		return nil, why
	}
	if revoked, both := errors.AsType[Revoked](no); both {
		no = Revoked{revoked.Err, append(revoked.Missing, files.Missing...)}
	}
	return entry, no
}

// pretend takes as long as a command that is asked, and asks none: for a user that is not served,
// so that time does not tell which accounts there are.
func (a *Accounts) pretend(ctx context.Context, who *Client) {
	who.filesAreRead()
	over, err := a.commands.Take(ctx, Source(who.Addr.Addr()))
	if err != nil {
		return
	}
	defer over()
	timer := time.NewTimer(time.Duration(a.asking.Load()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// listed are the keys that the command lists for an account. An error means that nobody knows.
func (a *Accounts) listed(ctx context.Context, k *KeysCommand, acct process.Account, who *Client,
	proof keys.Proof) FileReport {
	report := FileReport{Path: commandName}
	// Strangers can have it asked about anybody. So they take no place of that user's logins, and
	// each address has its own turns.
	who.filesAreRead()
	var text []byte
	over, err := a.commands.Take(ctx, Source(who.Addr.Addr()))
	if err == nil {
		began := time.Now()
		text, err = k.run(ctx, acct, who, proof)
		a.asking.Store(int64(time.Since(began)))
		over()
	}
	about := commandName + " for " + acct.Name
	if err != nil {
		report.Err = err
		if a.told.news(about, err.Error()) { // each refusal says it, too
			a.log.Warn("The command that lists keys failed", "user", logbook.Name(acct.Name),
				"program", k.Words[0], "error", err.Error())
		}
		return report
	}
	a.told.news(about, "")
	report.File, report.Problems = authorized.Parse(commandName, text)
	return report
}

// run runs the command to its end. Its account's paths may hang: then it is given up with ctx.
func (k *KeysCommand) run(ctx context.Context, acct process.Account, who *Client,
	proof keys.Proof) ([]byte, error) {
	args, err := k.told(acct, who, proof)
	if err != nil {
		return nil, err
	}
	if err := k.Safe(); err != nil {
		return nil, err
	}
	as, err := process.LookupAccount(ctx, k.User)
	if err != nil {
		return nil, fmt.Errorf("--authorized-keys-command-user %s: %w", logbook.Name(k.User), err)
	}
	p, err := process.StartContext(ctx, process.Spec{Path: args[0], Args: args,
		Env: process.Environment(as), Dir: "/", Credential: as.Credential})
	if err != nil {
		return nil, err
	}
	defer p.Retire()
	stop := context.AfterFunc(ctx, func() { p.Stdout.Close(); p.Signal("KILL") })
	defer stop()
	p.Stdin.Close()
	go io.Copy(io.Discard, p.Stderr)
	text, err := io.ReadAll(io.LimitReader(p.Stdout, mostListed+1))
	if ctx.Err() != nil {
		return nil, errors.New("it has not answered in time")
	}
	if err != nil {
		return nil, err
	}
	if len(text) > mostListed {
		p.Signal("KILL")
		return nil, fmt.Errorf("it says more than %d bytes", mostListed)
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return nil, errors.New("it has not ended in time")
	}
	switch r := p.Result(); {
	case r.How == process.Exited && r.Code == 0:
		return text, nil
	case r.How == process.Exited:
		return nil, fmt.Errorf("it ended with code %d", r.Code)
	case r.How == process.Signalled:
		return nil, fmt.Errorf("it was ended by the signal %s", r.Signal)
	default:
		return nil, fmt.Errorf("nobody can tell how it ended: %w", r.Err)
	}
}
