package options

import "strings"

// What minissh itself has of what -Q asks for: that of TLS 1.3 as Go offers it, and the keys that
// its protocol allows (ID2). There is nothing to choose.
const (
	hostKeysHere = "ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 ssh-rsa"
	ciphersHere  = "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256"
	groupsHere   = `X25519MLKEM768 SecP256r1MLKEM768 SecP384r1MLKEM1024 X25519 CurveP256 CurveP384
		CurveP521`
)

// queries are those of ssh -Q, in its order, and what is listed.
var queries = [][2]string{
	{"cipher", ciphersHere}, {"cipher-auth", ciphersHere}, {"compression", "none"},
	{"kex", groupsHere}, {"kex-gss", ""}, {"key", hostKeysHere}, {"key-cert", ""},
	{"key-plain", hostKeysHere}, {"key-sig", hostKeysHere}, {"mac", ""},
	{"protocol-version", "2"}, {"sig", hostKeysHere},
	// keys of ssh_config(5), which ssh takes too
	{"CASignatureAlgorithms", ""}, {"Ciphers", ciphersHere}, {"HostKeyAlgorithms", hostKeysHere},
	{"HostbasedAcceptedAlgorithms", ""}, {"HostbasedKeyTypes", ""}, {"KexAlgorithms", groupsHere},
	{"MACs", ""}, {"PubkeyAcceptedAlgorithms", hostKeysHere},
	{"PubkeyAcceptedKeyTypes", hostKeysHere},
}

// plainQueries is how many of them help lists.
const plainQueries = 12

// setQuery is -Q.
func (p *commandLine) setQuery(arg string) error {
	if oneOf(arg, "help") {
		for _, q := range queries[:plainQueries] {
			p.o.Answer = append(p.o.Answer, q[0])
		}
		return nil
	}
	for _, q := range queries {
		if strings.EqualFold(q[0], arg) {
			p.o.Answer = append([]string{}, strings.Fields(q[1])...)
			return nil
		}
	}
	return usage("minissh -Q help lists what can be asked", "there is nothing to list of %s",
		shown(arg))
}
