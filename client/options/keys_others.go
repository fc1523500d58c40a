package options

import "strings"

// keyTables are all keys, each class in the alphabetical order of ssh_config(5).
var keyTables = [...][]keyRow{keyRows, refusedRows, toldRows, harmlessRows}

// refusedRows would change where, as whom, by which way or how safely one connects, or ask for
// something that does not exist here.
var refusedRows = []keyRow{
	{name: "ProxyUseFdpass", class: Refused, what: "with ProxyCommand: a command that passes a " +
		"socket on", later: true, neutral: "no",
		set: yesNo(func(o *Options) *bool { return &o.proxyUseFdpass })},
	{name: "Tunnel", class: Refused, what: "a tunnel device", asks: notNo, neutral: "no",
		set: oneOfThese("yes", "no", "true", "false", "point-to-point", "ethernet")},
	{name: "VerifyHostKeyDNS", class: Refused, what: "host keys from the DNS", asks: notNo,
		neutral: "no",
		set:     oneOfThese("yes", "no", "true", "false", "ask")},
}

// toldRows ask for something that is missing, while the connection is the one that was asked for.
var toldRows = []keyRow{
	{name: "ChannelTimeout", class: Told, words: many, what: "ending channels that are idle", asks: notNone},
	{name: "ForwardX11", class: Told, what: "windows of the other side", asks: notNo, neutral: "no", set: isYesNo},
	{name: "ObscureKeystrokeTiming", class: Told, what: "hiding when keys are pressed", asks: notNo, neutral: "no"},
	{name: "PKCS11Provider", class: Told, what: "keys in PKCS#11 devices", asks: notNone, neutral: "none"},
}

// Why the rows of a kind are harmless.
const (
	profile      = "minissh has one TLS 1.3 profile and nothing weaker to forbid"
	keysOnly     = "minissh logs in with keys alone"
	noForwarding = "there is no forwarding of this kind"
	noMaster     = "each command has a connection of its own"
	itsOwn       = "a link has signs of life of its own"
	forPeople    = "it is about what is shown or kept here"
)

// harmlessRows have no effect here: their values are checked as in ssh.
var harmlessRows = []keyRow{
	{name: "CASignatureAlgorithms", class: Harmless, what: "certificates signed with SHA-1 are never accepted", set: isAlgorithms(keyAlgorithms, true)},
	{name: "Ciphers", class: Harmless, what: profile, set: isAlgorithms(cipherNames, false)},
	{name: "Compression", class: Harmless, what: "nothing is compressed", set: oneOfThese("yes", "no")},
	{name: "ControlPersist", class: Harmless, what: noMaster, set: isPersistence},
	{name: "EnableSSHKeysign", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "ForwardX11Timeout", class: Harmless, what: noForwarding, set: isTime},
	{name: "ForwardX11Trusted", class: Harmless, what: noForwarding, set: isYesNo},
	{name: "GSSAPIAuthentication", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "GSSAPIClientIdentity", class: Harmless, what: keysOnly},
	{name: "GSSAPIDelegateCredentials", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "GSSAPIKexAlgorithms", class: Harmless, what: profile, set: oneOfThese(strings.Fields(gssNames)...)},
	{name: "GSSAPIKeyExchange", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "GSSAPIRenewalForcesRekey", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "GSSAPIServerIdentity", class: Harmless, what: keysOnly},
	{name: "GSSAPITrustDNS", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "HostbasedAcceptedAlgorithms", class: Harmless, what: keysOnly, set: isAlgorithms(keyAlgorithms, true)},
	{name: "HostbasedAuthentication", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "IPQoS", class: Harmless, words: 2, what: "packets have the system's own class", set: isIPQoS},
	{name: "KbdInteractiveAuthentication", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "KbdInteractiveDevices", class: Harmless, what: keysOnly},
	{name: "KexAlgorithms", class: Harmless, what: profile, set: isAlgorithms(kexNames, false)},
	{name: "LogVerbose", class: Harmless, words: many, what: forPeople},
	{name: "MACs", class: Harmless, what: profile, set: isAlgorithms(macNames, false)},
	{name: "NumberOfPasswordPrompts", class: Harmless, what: keysOnly, set: isNumber},
	{name: "PasswordAuthentication", class: Harmless, what: keysOnly, set: isYesNo},
	{name: "RekeyLimit", class: Harmless, words: 2, what: profile, set: isRekeyLimit},
	{name: "SecurityKeyProvider", class: Harmless, what: "an ssh-agent talks to hardware keys"},
	{name: "TCPKeepAlive", class: Harmless, what: itsOwn, set: isYesNo},
	{name: "TunnelDevice", class: Harmless, what: "Tunnel is refused", set: isTunnelDevice},
	{name: "UpdateHostKeys", class: Harmless, what: "a daemon has one host key and tells no others", set: oneOfThese("yes", "no", "true", "false", "ask")},
	{name: "UseKeychain", class: Harmless, what: forPeople},
	{name: "VersionAddendum", class: Harmless, what: forPeople},
	{name: "WarnWeakCrypto", class: Harmless, words: many, what: profile},
	{name: "XAuthLocation", class: Harmless, what: noForwarding},
}

// obsoleteKeys are those that ssh itself accepts with any value and ignores.
const obsoleteKeys = `AFSTokenPassing Cipher CompressionLevel FallBackToRsh GlobalKnownHostsFile2
		KerberosAuthentication KerberosTGTPassing Protocol RSAAuthentication RhostsAuthentication
		RhostsRSAAuthentication UseBlacklistedKeys UsePrivilegedPort UseRoaming UseRsh
		UserKnownHostsFile2`

// keyAliases are second names of keys, and the first.
var keyAliases = [...][2]string{
	{"ChallengeResponseAuthentication", "KbdInteractiveAuthentication"}, {"DSAAuthentication", "PubkeyAuthentication"},
	{"HostbasedKeyTypes", "HostbasedAcceptedAlgorithms"}, {"IdentityFile2", "IdentityFile"}, {"KeepAlive", "TCPKeepAlive"},
	{"ProtocolKeepAlives", "ServerAliveInterval"}, {"PubkeyAcceptedKeyTypes", "PubkeyAcceptedAlgorithms"}, {"SetupTimeOut", "ServerAliveInterval"},
	{"SkeyAuthentication", "KbdInteractiveAuthentication"}, {"SmartcardDevice", "PKCS11Provider"}, {"TISAuthentication", "KbdInteractiveAuthentication"},
}
