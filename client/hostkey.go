package client

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/protocol/keys"
)

// unknownHost ends an attempt whose host key the user must be asked about.
type unknownHost struct{ verdict knownhosts.Verdict }

func (*unknownHost) Error() string { return "Host key verification failed." }

// knownHosts reads the files of host keys; nil where the daemon has told its key itself.
func (d *Dialer) knownHosts() *knownhosts.DB {
	if d.Host != nil {
		return nil
	}
	return knownhosts.Open(slices.Concat(d.Options.UserKnownHostsFiles, d.Options.GlobalKnownHostsFiles)...)
}

// checkHost decides about the key that a host shows, in the middle of the handshake: the host has not yet proved that it holds the key, so nothing
// is written here. An *unknownHost error asks for the question.
func (d *Dialer) checkHost(key ssh.PublicKey, addr net.Addr, shown *offer) error {
	if d.Host != nil {
		if !bytes.Equal(d.Host.Marshal(), key.Marshal()) {
			return fail(nil, "", "the daemon shows another key than it told")
		}
		return nil
	}
	if err := d.forbidden(key); err != nil {
		return err
	}
	o := d.Options
	host, port := o.HostName, o.Port
	if o.HostKeyAlias != "" {
		host, port = o.HostKeyAlias, 22 // an alias stands in known_hosts without a port
	}
	address, _, _ := net.SplitHostPort(addr.String())
	verdict, err := shown.known.Check(host, port, address, key)
	if err != nil {
		return fail(err, "", "%v", err)
	}
	if err := d.checkAddress(address, key, shown); err != nil {
		return err
	}
	if shown.pinned != nil {
		if !bytes.Equal(shown.pinned.Marshal(), key.Marshal()) {
			return fail(nil, "try again; if it happens again, somebody stands in between", "%s showed another key than the one that you were asked about", o.Alias)
		}
		if verdict.Status == knownhosts.Unknown { // not yet written: our first key may have been refused since
			d.remember = &verdict
			return nil
		}
	}
	policy := knownhosts.Policy(o.StrictHostKeyChecking)
	if verdict.Status == knownhosts.Unknown && policy == knownhosts.Ask && !o.BatchMode && d.Ask != nil {
		return &unknownHost{verdict}
	}
	decision, err := knownhosts.Decide(policy, verdict, true, nil)
	d.tell(decision.Messages)
	if err != nil {
		return d.nobodyAsked(verdict, err)
	}
	d.remember = nil
	if decision.Add {
		d.remember = &verdict
	}
	return nil
}

// askAboutHost puts ssh's question. No connection is open meanwhile.
func (d *Dialer) askAboutHost(u *unknownHost) error {
	decision, err := knownhosts.Decide(knownhosts.Ask, u.verdict, false, d.Ask.Line)
	d.tell(decision.Messages)
	if errors.Is(err, ErrNobodyToAsk) {
		return d.nobodyAsked(u.verdict, err)
	}
	return err
}

// nobodyAsked adds to the refusal of an unknown host what to type where no person can be asked: in batch mode, without a terminal, with strict checking.
func (d *Dialer) nobodyAsked(verdict knownhosts.Verdict, err error) error {
	var refusal *knownhosts.Refusal
	if !errors.As(err, &refusal) || refusal.Status != knownhosts.Unknown {
		return err
	}
	refusal.Advice = fmt.Sprintf("its %s key is %s, which minisshd shows there when it starts to listen; if it is the same: minissh -o StrictHostKeyChecking=accept-new %s, or connect once from a terminal",
		keys.TypeName(verdict.Key), keys.Fingerprint(verdict.Key), Target(d.Options))
	return err
}

// rememberHost writes a new host's key to the user's file, once the host has proved that it holds it. The user has been told of the error.
func (d *Dialer) rememberHost() error {
	o := d.Options
	if d.remember == nil || len(o.UserKnownHostsFiles) == 0 {
		return nil
	}
	host, port := o.HostName, o.Port
	if o.HostKeyAlias != "" {
		host, port = o.HostKeyAlias, 22
	}
	file := o.UserKnownHostsFiles[0]
	err := knownhosts.Append(file, host, port, d.remember.Key, o.HashKnownHosts)
	if err != nil {
		d.tell([]string{knownhosts.AddFailed(file)})
		d.say(options.LevelInfo, "the host's key was not written: %v", err)
	} else {
		d.tell([]string{knownhosts.Added(*d.remember)})
	}
	d.remember = nil
	return err
}

// tell writes ssh's own words, which programs look for.
func (d *Dialer) tell(lines []string) {
	if d.Options.LogLevel < options.LevelInfo {
		return
	}
	for _, line := range lines {
		fmt.Fprintln(d.Messages, line)
	}
}
