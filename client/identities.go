package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/protocol/keys"
)

// candidate is a key that we could log in with.
type candidate struct {
	source      string
	fingerprint string
	public      ssh.PublicKey
	locked      bool // its file needs a passphrase
	identity    *keys.Identity
	tried       bool
}

// load gives the private half, asking for a passphrase if there must be one.
func (c *candidate) load(d *Dialer) (*keys.Identity, error) {
	c.tried = true
	if c.identity != nil {
		return c.identity, nil
	}
	var ask func(string) ([]byte, error)
	if d.Ask != nil {
		ask = d.Ask.Secret
	}
	id, err := keys.LoadFile(c.source, ask)
	if err != nil {
		return nil, err
	}
	c.identity = &id
	return c.identity, nil
}

// publicLine is what goes into authorized_keys.
func (c *candidate) publicLine() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c.public)))
}

// keyRing holds our keys in the order in which they are tried: -i and configuration, the key that last worked for this host, the agent's, the
// default files; those that need a passphrase after the others of their kind, because the daemon says which one would do.
type keyRing struct {
	list    []*candidate
	host    string
	target  string   // what is typed to reach it
	named   bool     // files were named that cannot be used
	missing []string // those of them that are not there
}

// keyRing looks for keys. What is named and cannot be used is told; default files that are not there are not.
func (d *Dialer) keyRing() (*keyRing, error) {
	ring := &keyRing{host: fmt.Sprintf("%s@[%s]:%d", d.Options.User, d.Options.HostName, d.Options.Port), target: Target(d.Options)}
	if d.Identity != nil {
		ring.add(&candidate{source: d.Identity.Source, public: d.Identity.Public, identity: d.Identity})
		return ring, nil
	}
	if d.Options.NoPubkey {
		return nil, fail(nil, "-o PubkeyAuthentication=yes -o PreferredAuthentications=publickey allows it", "no key may be shown, and minissh logs in with keys alone")
	}
	agent, unusable := d.agentKeys()
	for _, file := range d.Options.IdentityFiles {
		d.addFile(ring, file, agent, unusable, true)
	}
	named := len(ring.list)
	if !d.Options.IdentitiesOnly {
		for i := range agent {
			ring.add(&candidate{source: "agent: " + shownComment(agent[i].Comment), public: agent[i].Public, identity: &agent[i]})
		}
	}
	for _, file := range d.Options.DefaultIdentityFiles {
		d.addFile(ring, file, agent, unusable, false)
	}
	if last := lastKey(ring.host); last != "" {
		slices.SortStableFunc(ring.list[named:], func(a, b *candidate) int {
			return boolInt(b.fingerprint == last) - boolInt(a.fingerprint == last)
		})
	}
	d.onlyOffered(ring)
	slices.SortStableFunc(ring.list, func(a, b *candidate) int { return boolInt(a.locked) - boolInt(b.locked) })
	return ring, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shownComment quotes an agent key's comment if it is not plain: comments come from elsewhere.
func shownComment(comment string) string {
	for _, r := range comment {
		if r <= ' ' || r >= 0x7f {
			return fmt.Sprintf("%+q", comment)
		}
	}
	return comment
}

func (d *Dialer) agentKeys() ([]keys.Identity, []keys.Unusable) {
	if d.Options.IdentityAgent == "" {
		return nil, nil
	}
	usable, unusable, err := keys.Agent(d.Options.IdentityAgent)
	if err != nil {
		// That no agent runs is no news. One that takes the call and does not answer has just cost the user seconds, and keys.
		level, dial := options.LevelInfo, (*net.OpError)(nil)
		if errors.As(err, &dial) && dial.Op == "dial" {
			level = options.LevelDebug1
		}
		d.say(level, "%v; its keys are left out", err)
	}
	for _, key := range unusable {
		d.debug("the agent's key %s (%s) is left out: %s", shownComment(key.Comment), keys.Fingerprint(key.Key), key.Why)
	}
	return usable, unusable
}

// addFile adds a key file; if the agent holds the same key, the agent signs and no passphrase is needed. A public key's file names what the agent holds,
// as with ssh, and where that is of no use, the private key beside it.
func (d *Dialer) addFile(ring *keyRing, file string, agent []keys.Identity, unusable []keys.Unusable, named bool) {
	public, locked, err := keys.PublicOf(file)
	if err != nil {
		if !named && errors.Is(err, os.ErrNotExist) {
			return
		}
		if errors.Is(err, os.ErrNotExist) {
			ring.missing = append(ring.missing, file)
		}
		ring.named = ring.named || named
		d.unusableFile(err)
		return
	}
	c := &candidate{source: file, public: public, locked: locked}
	for i := range agent {
		if bytes.Equal(agent[i].Public.Marshal(), public.Marshal()) {
			c.identity, c.locked = &agent[i], false
		}
	}
	if private, of := strings.CutSuffix(file, ".pub"); of && c.identity == nil && locked {
		if err := c.besides(private, unusable); err != nil {
			ring.named = true
			d.unusableFile(err)
			return
		}
	}
	ring.add(c)
}

// besides finds the private half of a public key's file that no agent can sign for.
func (c *candidate) besides(private string, unusable []keys.Unusable) error {
	if _, err := os.Stat(private); err == nil {
		public, locked, err := keys.PublicOf(private)
		if err != nil {
			return err
		}
		if bytes.Equal(public.Marshal(), c.public.Marshal()) {
			c.source, c.locked = private, locked
			return nil
		}
	}
	for _, key := range unusable {
		if bytes.Equal(key.Key.Marshal(), c.public.Marshal()) {
			return &keys.Error{Subject: c.source, Msg: "the private half is in the agent alone, and " + key.Why, Advice: key.Hint}
		}
	}
	return &keys.Error{Subject: c.source, Msg: "the private half is neither beside it nor in an agent", Advice: "ssh-add hands it to an agent; minissh -i FILE names its file"}
}

// unusableFile tells why a key file, which err names, cannot be used, and what to type.
func (d *Dialer) unusableFile(err error) {
	d.say(options.LevelInfo, "a key cannot be used: %v", err)
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) && hinter.Hint() != "" && !errors.Is(err, os.ErrNotExist) { // of those that are not there, empty tells
		d.say(options.LevelInfo, "hint: %s", hinter.Hint())
	}
}

func (r *keyRing) add(c *candidate) {
	c.fingerprint = keys.Fingerprint(c.public)
	for _, have := range r.list {
		if have.fingerprint == c.fingerprint {
			return
		}
	}
	r.list = append(r.list, c)
}

func (r *keyRing) first() *candidate {
	if len(r.list) == 0 {
		return nil
	}
	return r.list[0]
}

// others lists the fingerprints of at most 16 keys that have not been tried (SE1).
func (r *keyRing) others(than *candidate) []string {
	var list []string
	for _, c := range r.list {
		if c != than && !c.tried && len(list) < 16 {
			list = append(list, c.fingerprint)
		}
	}
	return list
}

// after picks what to try when c was refused: the key that the daemon says would do, else one that it was not told of.
func (r *keyRing) after(c *candidate, wouldDo string) *candidate {
	told := r.others(c)
	for _, next := range r.list {
		if !next.tried && (next.fingerprint == wouldDo || wouldDo == "" && (c.identity == nil || !slices.Contains(told, next.fingerprint))) {
			return next
		}
	}
	return nil
}

// untried is the next key when one could not even be shown: the daemon knows nothing of the others yet.
func (r *keyRing) untried() *candidate {
	for _, next := range r.list {
		if !next.tried {
			return next
		}
	}
	return nil
}

func (r *keyRing) sources() string {
	var list []string
	for _, c := range r.list {
		list = append(list, c.source)
	}
	return strings.Join(list, ", ")
}

func (r *keyRing) empty() error {
	switch {
	case len(r.missing) > 0:
		return fail(nil, "ssh-keygen -t ed25519 -f "+r.missing[0]+" makes one", "none of the keys that were named can be used")
	case r.named:
		return fail(nil, "minissh -i FILE names another key", "none of the keys that were named can be used")
	}
	return fail(nil, "minissh pair "+r.target+" makes a key and has it listed there, with the code that minisshd pair shows there; or ssh-keygen -t ed25519 makes one, whose public half belongs in ~/.ssh/authorized_keys there", "there is no key to log in with: no ~/.ssh/id_ed25519, id_ecdsa or id_rsa, and no agent with a usable key")
}

// The file of keys that last worked: one line a host, "user@[host]:port SHA256:…", newest last. It only saves a refused attempt: whatever
// goes wrong with it is nobody's concern.
const mostRemembered = 500

func lastKeyFile() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "minissh", "last-keys")
}

func readLastKeys() (lines []string) {
	f, err := os.Open(lastKeyFile())
	if err != nil {
		return nil
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); scanner.Scan() && len(lines) < 2*mostRemembered; {
		lines = append(lines, scanner.Text())
	}
	return lines
}

func lastKey(host string) (fingerprint string) {
	for _, line := range readLastKeys() {
		if h, f, ok := strings.Cut(line, " "); ok && h == host {
			fingerprint = f
		}
	}
	return fingerprint
}

// worked remembers the key for next time, if another would be tried first.
func (r *keyRing) worked(c *candidate) {
	if r.first() == c || len(r.list) == 1 {
		return
	}
	lines := slices.DeleteFunc(readLastKeys(), func(line string) bool { return strings.HasPrefix(line, r.host+" ") })
	lines = append(lines[max(0, len(lines)-mostRemembered):], r.host+" "+c.fingerprint)
	file := lastKeyFile()
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid())
	if os.WriteFile(temporary, []byte(strings.Join(lines, "\n")+"\n"), 0o600) != nil || os.Rename(temporary, file) != nil {
		os.Remove(temporary)
	}
}

// WriteIdentity is `minissh identity --pem`: the key in a file, and its envelope, in PEM for other languages.
func WriteIdentity(from, to string, ask Asker) error {
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
			return fail(nil, "ssh-keygen -t ed25519 makes one; -i FILE names another", "there is no key in ~/.ssh")
		}
	}
	id, err := keys.LoadFile(from, ask.Secret)
	if err != nil {
		return fail(err, "", "cannot read the key: %v", err)
	}
	text, err := keys.PEM(id)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fail(err, "choose another name, or remove it first", "%s is there already", to)
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
		return fail(err, "", "%s was not written: %v", to, err)
	}
	return nil
}
