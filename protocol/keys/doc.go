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
//	LoadFile(path, ask)    a private key file; ask is for a passphrase
//	PublicOf(path)         the public key of a file, without any question
//	DefaultFiles(home)     ~/.ssh/id_ed25519 and the like, and minissh's own, present or not
//	Agent(socket)          the keys that an ssh-agent holds, and those that cannot be used
//	HostKey(path)          a daemon's key, made at first start
//	Generate()             a throw-away key, in memory alone
//	Certificate(identity)  the envelope, for tls.Config
//	FromCertificate(cert)  the peer's key out of its envelope
//	PEM(identity)          key and envelope for other languages
//	Usable(key)            nil if TLS can carry such a key
//	Allowed(key)           nil if TLS can, or the key can sign a login (protocol/LOGIN.md)
//	SignLogin, ParseLogin  such a signature
//	CheckForm, CheckCertificate  OpenSSH certificates (protocol/CERTIFICATES.md)
//	Fingerprint(key), TypeName(key)  for messages: SHA256:…, ED25519
//
// Every error that a user can do something about is an [Error] or a [PermissionError]: these have a
// Hint, and errors.Is finds the cause (fs.ErrNotExist, fs.ErrPermission, ErrPassphrase).
//
// # Reading order
//
// identity.go (the types, what is usable), envelope.go (certificates), file.go (key files),
// hostkey.go, agent.go and sign.go (signatures that an agent makes), sshsig.go and hardware.go
// (logins that are signed), certificate.go (OpenSSH certificates), export.go (PEM).
//
// # What it does not do
//
// DSA is refused with its reason. It does not talk to a hardware key's
// device: an agent does. On Windows, modes and owners
// of files are not checked, and an agent is reached through its named pipe; the code for Windows
// compiles but has never been run.
package keys
