package protocol

// A login by a signature (LO1).
const (
	LoginLabel     = "EXPORTER-minissh-login" // of the TLS exporter
	LoginNamespace = "minissh-login"          // of the SSHSIG
)

// LoginTranscript is what the signature of a login covers (LO2): what only the two ends of this TLS
// connection know, the host key and the link key in SSH's wire form, and the account.
func LoginTranscript(exported, hostKey, linkKey []byte, user string) []byte {
	return PairingTranscript(exported, hostKey, linkKey, user)
}
