package options

// knownRows are keys that ask for something a later version may do, without a
// field yet. They are told from ignoredKeys because leaving them out in silence
// would do something else than was asked (Later), or surprise (Noted).
var knownRows = []keyRow{
	{name: "BindAddress", status: Later, what: "a source address"},
	{name: "BindInterface", status: Later, what: "a source interface"},
	{name: "DynamicForward", status: Later, words: true, repeat: true, what: "a SOCKS proxy"},
	{name: "LocalForward", status: Later, words: true, repeat: true, what: "forwarding a local port"},
	{name: "ProxyCommand", status: Later, line: true, sshd: true, what: "connecting through a command", asks: notNone},
	{name: "ProxyJump", status: Later, sshd: true, what: "going through another host", asks: notNone},
	{name: "RemoteForward", status: Later, words: true, repeat: true, what: "forwarding a port from the other side"},
	{name: "Tunnel", status: Later, what: "a tunnel device", asks: func(v []string) bool { return !oneOf(v[0], "no", "false") }},

	{name: "CertificateFile", status: Noted, repeat: true, what: "OpenSSH certificates"},
	{name: "ForwardAgent", status: Noted, what: "lending the agent to the other side", asks: func(v []string) bool {
		return !oneOf(v[0], "no", "false")
	}},
	{name: "KnownHostsCommand", status: Noted, line: true, what: "host keys from a command", asks: notNone},
	{name: "PKCS11Provider", status: Noted, what: "keys in PKCS#11 devices", asks: notNone},
	{name: "RevokedHostKeys", status: Noted, what: "a list of revoked host keys", asks: notNone},

	{name: "Host", words: true, structure: true},
	{name: "Match", words: true, structure: true},
	{name: "Include", words: true, structure: true, repeat: true},
	{name: "IgnoreUnknown"},
	{name: "LocalCommand", status: Ignored, line: true},
}

// ignoredKeys are the keys of ssh_config(5) that mean nothing to minissh: its
// wire has one set of algorithms, it authenticates with keys only, and it needs no
// master process. The last lines are keys that ssh itself still takes and no
// longer heeds, and those of distributions (GSSAPI…, UseKeychain).
const ignoredKeys = `
	AddKeysToAgent CASignatureAlgorithms CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname
	CanonicalizeMaxDots CanonicalizePermittedCNAMEs ChannelTimeout CheckHostIP Ciphers ClearAllForwardings
	Compression ConnectionAttempts ControlMaster ControlPath ControlPersist EnableEscapeCommandline
	EnableSSHKeysign ExitOnForwardFailure FingerprintHash ForwardX11 ForwardX11Timeout ForwardX11Trusted
	GatewayPorts HostKeyAlgorithms HostbasedAcceptedAlgorithms HostbasedAuthentication IPQoS
	KbdInteractiveAuthentication KbdInteractiveDevices KexAlgorithms LogVerbose MACs
	NoHostAuthenticationForLocalhost NumberOfPasswordPrompts ObscureKeystrokeTiming PasswordAuthentication
	PermitLocalCommand PermitRemoteOpen PreferredAuthentications ProxyUseFdpass PubkeyAcceptedAlgorithms
	PubkeyAuthentication RefuseConnection RekeyLimit RequiredRSASize SecurityKeyProvider StreamLocalBindMask
	StreamLocalBindUnlink SyslogFacility TCPKeepAlive Tag TunnelDevice UpdateHostKeys VerifyHostKeyDNS
	VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation

	GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange
	GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDNS UseKeychain

	AFSTokenPassing ChallengeResponseAuthentication Cipher CompressionLevel DSAAuthentication FallBackToRsh
	GlobalKnownHostsFile2 HostbasedKeyTypes KeepAlive KerberosAuthentication KerberosTGTPassing Protocol
	ProtocolKeepAlives PubkeyAcceptedKeyTypes RSAAuthentication RhostsAuthentication RhostsRSAAuthentication
	SetupTimeOut SkeyAuthentication SmartcardDevice TISAuthentication UseBlacklistedKeys UsePrivilegedPort
	UseRoaming UseRsh UserKnownHostsFile2`

// keyAliases are second names of keys, and the first.
var keyAliases = [...][2]string{{"IdentityFile2", "IdentityFile"}}
