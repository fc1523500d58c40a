package dial

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// candidate is a key that we could log in with.
type candidate struct {
	source      string
	fingerprint string
	public      ssh.PublicKey
	cert        *ssh.Certificate // to log in with; nil: none
	file        string           // of the private half, if that is not source
	locked      bool             // its file needs a passphrase
	identity    *keys.Identity
	tried       bool
}

// load returns the private half, asking for a passphrase if it needs one.
func (c *candidate) load(shared *Shared, asker terminal.Asker) (*keys.Identity, error) {
	c.tried = true
	if c.identity != nil {
		return c.identity, nil
	}
	id, err := shared.load(cmp.Or(c.file, c.source), secret(asker))
	if err != nil {
		return nil, err
	}
	id.Cert = c.cert
	c.identity = &id
	return c.identity, nil
}

// publicLine is what goes into authorized_keys.
func (c *candidate) publicLine() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c.public)))
}

// keyRing holds our keys in the order in which they are tried: -i and configuration, the key that
// last worked for this host, the agent's, the default files. Those that need a passphrase come
// after the others of their kind, because the daemon says which one it would accept.
type keyRing struct {
	options  *options.Options
	messages *report.Messages
	shared   *Shared
	list     []*candidate
	agent    []keys.Identity
	useless  []keys.Unusable // of the agent's
	host     string
	named    bool     // files were named that cannot be used
	missing  []string // those of them that are missing
}

// keyRing looks for keys. It reports named files that cannot be used, but not default files that
// are missing.
func (d *Dialer) keyRing() (*keyRing, error) {
	o := d.Options
	r := &keyRing{options: o, messages: d.Messages, shared: d.Shared,
		host: fmt.Sprintf("%s@[%s]:%d", o.User, o.HostName, o.Port)}
	if d.Identity != nil {
		r.add(&candidate{source: d.Identity.Source, public: d.Identity.Public,
			identity: d.Identity})
		return r, nil
	}
	if o.NoPubkey {
		return nil,
			report.Failed(nil,
				"-o PubkeyAuthentication=yes -o PreferredAuthentications=publickey allows it",
				"no key may be shown, and minissh logs in with keys alone").Of(report.ClassAuth)
	}
	r.askAgent()
	for _, file := range o.IdentityFiles {
		r.addFile(file, true)
	}
	named := len(r.list)
	if !o.IdentitiesOnly {
		for i := range r.agent {
			if r.agent[i].Cert != nil {
				continue // its key is another of the agent's, or it is of no use without
			}
			r.add(&candidate{source: "agent: " + shownComment(r.agent[i].Comment),
				public: r.agent[i].Public, identity: &r.agent[i]})
		}
	}
	for _, file := range o.DefaultIdentityFiles {
		r.addFile(file, false)
	}
	last := r.shared.lastKey(r.host)
	if last != "" {
		slices.SortStableFunc(r.list[named:], func(a, b *candidate) int {
			return boolInt(b.fingerprint == last) - boolInt(a.fingerprint == last)
		})
	}
	r.addCertificates(slices.Concat(o.IdentityFiles, o.DefaultIdentityFiles), last)
	r.list = slices.DeleteFunc(r.list, r.forbidden)
	slices.SortStableFunc(r.list, func(a, b *candidate) int {
		return boolInt(a.locked) - boolInt(b.locked)
	})
	return r, nil
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

func (r *keyRing) askAgent() {
	if r.options.IdentityAgent == "" {
		return
	}
	var err error
	r.agent, r.useless, err = r.shared.agent(r.options.IdentityAgent)
	if err != nil {
		// It is not worth mentioning that no agent runs. One that accepts the call and does not
		// answer has just cost the user seconds, and keys.
		level, dial := options.LevelInfo, (*net.OpError)(nil)
		if errors.As(err, &dial) && dial.Op == "dial" {
			level = options.LevelDebug1
		}
		r.messages.Say(level, "%v; its keys are left out", err)
	}
	for _, key := range r.useless {
		r.messages.Debug("the agent's key %s (%s) is left out: %s", shownComment(key.Comment),
			keys.Fingerprint(key.Key), key.Why)
	}
}

// addFile adds a key file. If the agent holds the same key, the agent signs and no passphrase is
// needed. A public key's file names a key in the agent, as in ssh, or else the private key next to
// it.
func (r *keyRing) addFile(file string, named bool) {
	public, locked, err := r.shared.publicOf(file)
	if err != nil {
		if !named && errors.Is(err, os.ErrNotExist) {
			return
		}
		if errors.Is(err, os.ErrNotExist) {
			r.missing = append(r.missing, file)
		}
		r.named = r.named || named
		r.unusableFile(err)
		return
	}
	c := &candidate{source: file, public: public, locked: locked}
	for i := range r.agent {
		if r.agent[i].Cert == nil && bytes.Equal(r.agent[i].Public.Marshal(), public.Marshal()) {
			c.identity, c.locked = &r.agent[i], false
		}
	}
	if keys.IsHardware(public) && c.identity == nil {
		if !named {
			r.messages.Debug("the hardware key %s is left out: it is not in the agent", file)
			return
		}
		r.named = true
		r.unusableFile(&keys.Error{Subject: file,
			Msg:    "is a hardware key, and only an ssh-agent can ask its device to sign",
			Advice: "ssh-add FILE, with the name of the private file, hands it to the agent"})
		return
	}
	if private, of := strings.CutSuffix(file, ".pub"); of && c.identity == nil && locked {
		if err := c.besides(private, r.useless); err != nil {
			r.named = true
			r.unusableFile(err)
			return
		}
	}
	r.add(c)
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
			return &keys.Error{
				Subject: c.source, Msg: "the private half is in the agent alone, and " + key.Why,
				Advice: key.Hint}
		}
	}
	return &keys.Error{
		Subject: c.source, Msg: "the private half is neither beside it nor in an agent",
		Advice: "ssh-add hands it to an agent; minissh -i FILE names its file"}
}

// unusableFile says why a key file, which err names, cannot be used, and what to type.
func (r *keyRing) unusableFile(err error) {
	r.messages.Say(options.LevelInfo, "a key cannot be used: %v", err)
	// of missing files, empty says so
	if hint := report.Hint(err); hint != "" && !errors.Is(err, os.ErrNotExist) {
		r.messages.Say(options.LevelInfo, "hint: %s", hint)
	}
}

// forbidden says whether the options forbid showing a key.
func (r *keyRing) forbidden(c *candidate) bool {
	why := ""
	switch o := r.options; {
	case !o.OffersKey(c.keyType()):
		why = "PubkeyAcceptedAlgorithms forbids keys of the type " + c.keyType()
	case tooSmall(c.public, o.RequiredRSASize):
		why = fmt.Sprintf("RequiredRSASize wants %d bits", o.RequiredRSASize)
	default:
		return false
	}
	r.named = true
	r.messages.Say(options.LevelInfo, "the key %s (%s) is left out: %s", c.source, c.fingerprint,
		why)
	return true
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
		if c != than && !c.tried && c.cert == nil && len(list) < 16 {
			list = append(list, c.fingerprint)
		}
	}
	return list
}

// after chooses what to try when c was refused: the key that the daemon says it would accept, else
// one that it was not told about.
func (r *keyRing) after(c *candidate, wouldDo string) *candidate {
	told := r.others(c)
	for _, next := range r.list {
		if !next.tried && (next.cert == nil && next.fingerprint == wouldDo || wouldDo == "" &&
			(c.identity == nil || next.cert != nil || !slices.Contains(told, next.fingerprint))) {
			return next
		}
	}
	return nil
}

// untried is the next key if one could not even be shown: the daemon knows nothing about the others
// yet.
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
		source := c.source
		if doubt := c.doubt(r.options.User); doubt != "" {
			source += " (" + doubt + ")"
		}
		list = append(list, source)
	}
	return strings.Join(list, ", ")
}

// empty says what to do without a key; first the hint for what is perhaps not a host, if any.
func (r *keyRing) empty(noHost string) error {
	switch {
	case len(r.missing) > 0:
		return report.Failed(nil, "ssh-keygen -t ed25519 -f "+r.missing[0]+" makes one",
			"none of the keys that were named can be used").Of(report.ClassAuth)
	case r.named:
		return report.Failed(nil, "minissh -i FILE names another key",
			"none of the keys that were named can be used").Of(report.ClassAuth)
	}
	if noHost != "" {
		noHost += " If " + r.options.Alias + " is a host: "
	}
	return report.Failed(nil, noHost+"minissh pair "+report.Target(r.options)+
		" makes a key and has it listed there, with the code that minisshd pair shows there; or "+
		"ssh-keygen -t ed25519 makes one, whose public half belongs in "+
		"~/.ssh/authorized_keys there",
		"there is no key to log in with: no ~/.ssh/id_ed25519, id_ecdsa or id_rsa, and no agent "+
			"with a usable key").Of(report.ClassAuth)
}
