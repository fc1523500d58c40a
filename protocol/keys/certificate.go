package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
)

// MaxCertificate bounds an OpenSSH certificate, in bytes (CE1).
const MaxCertificate = 4096

// Critical options of a user's certificate (CE4).
const (
	ForceCommand   = "force-command"
	SourceAddress  = "source-address"
	VerifyRequired = "verify-required"
)

// CheckForm says what makes a certificate useless wherever it is shown (CE1). The error is an
// *Error.
func CheckForm(cert *ssh.Certificate) error {
	refuse := func(why string) error {
		return &Error{Msg: why, Advice: "ssh-keygen -L -f FILE shows what a certificate says"}
	}
	switch {
	case len(cert.Marshal()) > MaxCertificate:
		return refuse(fmt.Sprintf("a certificate has more than %d bytes", MaxCertificate))
	case strings.Contains(cert.KeyId+strings.Join(cert.ValidPrincipals, ""), "\x00"):
		return refuse("a certificate has NUL in its key ID or in a principal")
	case cert.SignatureKey.Type() == ssh.KeyAlgoRSA &&
		cert.Signature.Format != ssh.KeyAlgoRSASHA256 &&
		cert.Signature.Format != ssh.KeyAlgoRSASHA512:
		return refuse("a certificate is signed with SHA-1: ssh-keygen -t rsa-sha2-512 -s signs " +
			"it anew")
	case cert.SignatureKey.Type() != ssh.KeyAlgoRSA &&
		cert.Signature.Format != cert.SignatureKey.Type():
		return refuse("a certificate is signed by another algorithm than its authority's")
	}
	for what, key := range map[string]ssh.PublicKey{"key": cert.Key,
		"authority": cert.SignatureKey} {
		if err := Allowed(key); err != nil {
			return refuse("the " + what + " of a certificate is not accepted: " + err.Error())
		}
	}
	return nil
}

// ErrNotYet says that a certificate is not valid yet.
var ErrNotYet = errors.New("the certificate is not valid yet")

// CheckCertificate says why a certificate does not hold for any of some names, nil if it does: who
// the user is, or which host. kind is ssh.UserCert or ssh.HostCert. The caller knows the authority,
// and heeds the critical options, of which no others may be there. The error is for the log.
func CheckCertificate(cert *ssh.Certificate, kind uint32, now time.Time, critical []string,
	matches func(principal string) bool) error {
	if err := CheckForm(cert); err != nil {
		return err
	}
	meant := slices.ContainsFunc(cert.ValidPrincipals, matches)
	switch {
	case cert.CertType != kind && kind == ssh.UserCert:
		return errors.New("the certificate is not a user's")
	case cert.CertType != kind:
		return errors.New("the certificate is not a host's")
	case len(cert.ValidPrincipals) == 0 && kind == ssh.UserCert:
		return errors.New("the certificate has no principals")
	case len(cert.ValidPrincipals) > 0 && !meant:
		return errors.New("none of the certificate's principals is meant")
	case now.Unix() < 0 || uint64(now.Unix()) < cert.ValidAfter:
		return ErrNotYet
	case uint64(now.Unix()) >= cert.ValidBefore:
		return errors.New("the certificate has expired")
	}
	for option := range cert.CriticalOptions {
		if !slices.Contains(critical, option) {
			return errors.New("the certificate has the critical option " + clip(option) +
				", which is not supported")
		}
	}
	// not by ssh.CertChecker, for which times from 2^63 on are in the past
	if cert.SignatureKey.Verify(signedPart(cert), cert.Signature) != nil {
		return errors.New("the authority's signature of the certificate is wrong")
	}
	return nil
}

// signedPart is what an authority signs: all but its signature.
func signedPart(cert *ssh.Certificate) []byte {
	unsigned := *cert
	unsigned.Signature = nil
	encoded := unsigned.Marshal()
	return encoded[:len(encoded)-4] // the length of no signature
}

// DescribeCertificate is what a log says of a certificate, as sshd does; what its authority wrote
// is quoted.
func DescribeCertificate(cert *ssh.Certificate) string {
	return fmt.Sprintf("ID %s serial %d CA %s %s", clip(cert.KeyId), cert.Serial,
		TypeName(cert.SignatureKey), Fingerprint(cert.SignatureKey))
}

// clip quotes a text and cuts it short.
func clip(text string) string {
	const most = 128
	if len(text) > most {
		text = text[:most] + "…"
	}
	return protocol.Quote(text)
}

// LoadCertificate reads a certificate as ssh-keygen -s writes it. A missing file gives
// fs.ErrNotExist.
func LoadCertificate(path string) (*ssh.Certificate, error) {
	text, _, err := readFile(path)
	if err != nil {
		return nil, err
	}
	key, _, ok := parsePublic(text)
	cert, is := key.(*ssh.Certificate)
	if !ok || !is {
		return nil, &Error{Subject: path, Msg: "is not an OpenSSH certificate",
			Advice: "ssh-keygen -s CA_KEY -I NAME -n USER KEY.pub makes one"}
	}
	if err := CheckForm(cert); err != nil {
		return nil, about(path, err)
	}
	return cert, nil
}
