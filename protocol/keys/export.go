package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// PEM is what TLS in other languages takes: the private key in PKCS#8, then its envelope. The
// private key is not encrypted: write it with mode 0600. An agent's keys cannot be exported.
func PEM(identity Identity) ([]byte, error) {
	if identity.InAgent() {
		return nil, &Error{
			Msg:    "the key is in an ssh-agent, which never gives a private key away",
			Advice: "minissh identity -i FILE --pem OUT takes the key's file",
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(identity.Private)
	if err != nil {
		return nil, fmt.Errorf("cannot write the key as PEM: %w", err)
	}
	cert, err := Certificate(identity)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, block := range []*pem.Block{{Type: "PRIVATE KEY", Bytes: key},
		{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}} {
		if err := pem.Encode(&out, block); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
