// Package keys holds the identities of both ends in OpenSSH's terms, and puts them into TLS (the
// rules ID of PROTOCOL.md).
//
// # The nouns
//
// An Identity is a public key with something that can sign for it: a key file, or an ssh-agent. An
// envelope is the certificate that TLS insists on: only the public key in it means anything. A
// fingerprint is `SHA256:…`, as ssh prints it.
//
// # What there is
//
//	LoadFile(path, ask)         (Identity, error)      a private key file; ask is for a passphrase
//	PublicOf(path)              (ssh.PublicKey, locked bool, error) the public key of a file,
//	                            without any question
//	DefaultFiles(home)          []string               ~/.ssh/id_ed25519, id_ecdsa, id_rsa, and
//	                            minissh's own: whether they exist or not
//	Agent(socket)               ([]Identity, []Unusable, error)  what an ssh-agent holds
//	HostKey(path)               (Identity, created bool, error)  a daemon's key, made at first
//	                            start
//	Generate()                  (Identity, error)      a throw-away key, in memory alone
//	Certificate(identity)       (tls.Certificate, error)         the envelope, for tls.Config
//	FromCertificate(cert)       (ssh.PublicKey, error) the peer's key out of its envelope
//	PEM(identity)               ([]byte, error)        key and envelope for other languages
//	Usable(key)                 error                  nil if TLS can carry such a key
//	Fingerprint(key), TypeName(key)                    for messages: SHA256:…, ED25519
//
// Every error that a user can do something about is an [Error] or a [PermissionError]: they have a
// Hint, and errors.Is finds the cause (fs.ErrNotExist, fs.ErrPermission, ErrPassphrase).
//
// # Reading order
//
// identity.go (the types, what is usable), envelope.go (certificates), file.go (key files),
// hostkey.go, agent.go and sign.go (signatures that an agent makes), export.go (PEM).
//
// # What it does not do
//
// RSA keys in an agent (agents cannot make RSA-PSS signatures, TLS 1.3 wants no others), hardware
// keys (sk-…), DSA, OpenSSH certificates. Each is told with its reason. On Windows, modes and
// owners of files are not checked, and an agent is reached through its named pipe; neither was ever
// run there, it was only compiled.
package keys
