package options

import (
	"fmt"
	"slices"
	"strings"

	"minissh/protocol/wildcard"
)

// Names that OpenSSH 9.2 and 10 know (ssh -Q). minissh uses none of the ciphers, MACs and key
// exchanges: the names are here to catch typing errors.
const (
	cipherNames = `3des-cbc aes128-cbc aes192-cbc aes256-cbc aes128-ctr aes192-ctr aes256-ctr
		aes128-gcm@openssh.com aes256-gcm@openssh.com chacha20-poly1305@openssh.com
		rijndael-cbc@lysator.liu.se`
	macNames = `hmac-sha1 hmac-sha1-96 hmac-sha2-256 hmac-sha2-512 hmac-md5 hmac-md5-96
		umac-64@openssh.com umac-128@openssh.com hmac-sha1-etm@openssh.com
		hmac-sha1-96-etm@openssh.com hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com
		hmac-md5-etm@openssh.com hmac-md5-96-etm@openssh.com umac-64-etm@openssh.com
		umac-128-etm@openssh.com`
	kexNames = `diffie-hellman-group1-sha1 diffie-hellman-group14-sha1 diffie-hellman-group14-sha256
		diffie-hellman-group16-sha512 diffie-hellman-group18-sha512
		diffie-hellman-group-exchange-sha1 diffie-hellman-group-exchange-sha256 ecdh-sha2-nistp256
		ecdh-sha2-nistp384 ecdh-sha2-nistp521 curve25519-sha256 curve25519-sha256@libssh.org
		sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com mlkem768x25519-sha256`
	gssNames = `gss-gex-sha1- gss-group1-sha1- gss-group14-sha1- gss-group14-sha256-
		gss-group16-sha512- gss-nistp256-sha256- gss-curve25519-sha256-`

	keyAlgorithms = `ssh-ed25519 ssh-ed25519-cert-v01@openssh.com sk-ssh-ed25519@openssh.com
		sk-ssh-ed25519-cert-v01@openssh.com ecdsa-sha2-nistp256
		ecdsa-sha2-nistp256-cert-v01@openssh.com ecdsa-sha2-nistp384
		ecdsa-sha2-nistp384-cert-v01@openssh.com ecdsa-sha2-nistp521
		ecdsa-sha2-nistp521-cert-v01@openssh.com sk-ecdsa-sha2-nistp256@openssh.com
		sk-ecdsa-sha2-nistp256-cert-v01@openssh.com webauthn-sk-ecdsa-sha2-nistp256@openssh.com
		ssh-dss ssh-dss-cert-v01@openssh.com ssh-rsa ssh-rsa-cert-v01@openssh.com rsa-sha2-256
		rsa-sha2-256-cert-v01@openssh.com rsa-sha2-512 rsa-sha2-512-cert-v01@openssh.com`
)

// isAlgorithms checks a list of names, which may begin with + or ^ (added to the usual ones) or -
// (removed; any pattern does, as in ssh). wildcards allows patterns that some name matches.
func isAlgorithms(known string, wildcards bool) func(*Options, []string) error {
	return func(_ *Options, v []string) error {
		list := v[0]
		switch list[0] {
		case '-':
			return nil
		case '+', '^':
			list = list[1:]
		}
		names := strings.Fields(known)
		for name := range strings.SplitSeq(strings.TrimSuffix(list, ","), ",") {
			ok := slices.Contains(names, name) ||
				wildcards &&
					slices.ContainsFunc(names, func(known string) bool {
						return wildcard.Match(known, name)
					})
			if !ok {
				return fmt.Errorf("%s is not the name of one of ssh's algorithms", shown(name))
			}
		}
		return nil
	}
}

// algorithmText is isAlgorithms for a list that has an effect here.
func algorithmText(field func(*Options) *string) func(*Options, []string) error {
	return func(o *Options, v []string) error {
		*field(o) = v[0]
		return isAlgorithms(keyAlgorithms, true)(o, v)
	}
}

// AcceptsHostKey says whether HostKeyAlgorithms allows host keys of a type (as in authorized_keys:
// ssh-ed25519, …).
func (o *Options) AcceptsHostKey(keyType string) bool {
	return algorithmsAllow(o.HostKeyAlgorithms, keyType)
}

// OffersKey says whether PubkeyAcceptedAlgorithms allows logging in with keys of a type.
func (o *Options) OffersKey(keyType string) bool {
	return algorithmsAllow(o.PubkeyAlgorithms, keyType)
}

// algorithmsAllow judges a type of key by a list in ssh's form. The usual algorithms, which + and ^
// add to, hold every type that minissh has. An RSA key is allowed by any of its algorithms.
func algorithmsAllow(list, keyType string) bool {
	if list == "" || list[0] == '+' || list[0] == '^' {
		return true
	}
	names := []string{keyType}
	if keyType == "ssh-rsa" {
		names = []string{"rsa-sha2-512", "rsa-sha2-256"}
		if list[0] != '-' { // ssh-rsa itself is SHA-1, which is not among the usual ones
			names = append(names, keyType)
		}
	}
	taken := list[0] == '-'
	patterns := strings.Split(strings.TrimPrefix(list, "-"), ",")
	for _, name := range names {
		if slices.ContainsFunc(patterns,
			func(p string) bool { return wildcard.Match(name, p) }) != taken {
			return true
		}
	}
	return false
}
