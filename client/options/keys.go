package options

import (
	"errors"
	"fmt"
	"strings"
)

// keyRows are the keys that hold.
var keyRows = []keyRow{
	{name: "AddKeysToAgent", words: 2, set: setAddKeys},
	{name: "AddressFamily", set: func(o *Options, v []string) (err error) {
		o.AddressFamily, err = parseChoice[string](v[0], same("any"), same("inet"), same("inet6"))
		return
	}},
	{name: "BatchMode", set: yesNo(func(o *Options) *bool { return &o.BatchMode })},
	{name: "BindAddress", set: text(func(o *Options) *string { return &o.BindAddress })},
	{name: "BindInterface", set: text(func(o *Options) *string { return &o.BindInterface })},
	{name: "CanonicalDomains", words: many, set: func(o *Options, v []string) error {
		o.canonical.domains = v
		return isDomains(o, v)
	}},
	{name: "CanonicalizeFallbackLocal", set: func(o *Options, v []string) error {
		local, err := parseYesNo(v[0])
		o.canonical.strict = !local
		return err
	}},
	{name: "CanonicalizeHostname", set: func(o *Options, v []string) (err error) {
		o.canonical.mode, err = parseChoice(v[0], same("yes"), same("no"), same("always"),
			[2]string{"true", "yes"}, [2]string{"false", "no"})
		return
	}},
	{name: "CanonicalizeMaxDots", set: number(func(o *Options) *int { return &o.canonical.maxDots })},
	{name: "CanonicalizePermittedCNAMEs", words: many, set: setCNAMEs},
	{name: "CertificateFile", repeat: true, set: func(o *Options, v []string) error {
		if len(o.CertificateFiles) >= 100 {
			return errors.New("more than 100 certificate files")
		}
		o.CertificateFiles = append(o.CertificateFiles, v[0])
		return nil
	}},
	{name: "CheckHostIP", set: yesNo(func(o *Options) *bool { return &o.CheckHostIP })},
	{name: "ClearAllForwardings", set: yesNo(func(o *Options) *bool { return &o.clearForwardings })},
	{name: "ConnectTimeout", set: func(o *Options, v []string) (err error) {
		o.ConnectTimeout, err = parseTimeOrNone(v[0])
		return
	}},
	{name: "ConnectionAttempts", set: func(o *Options, v []string) error {
		if err := number(func(o *Options) *int { return &o.ConnectionAttempts })(o,
			v); err != nil || o.ConnectionAttempts > 0 {
			return err
		}
		return errors.New("there must be one at least")
	}},
	{name: "ControlMaster", set: func(o *Options, v []string) (err error) {
		o.controlMaster, err = parseChoice(v[0], same("yes"), same("no"), same("ask"),
			same("auto"), same("autoask"), [2]string{"true", "yes"}, [2]string{"false", "no"})
		return
	}},
	{name: "ControlPath", set: text(func(o *Options) *string { return &o.ControlPath })},
	{name: "DynamicForward", repeat: true, set: setDynamic},
	{name: "EnableEscapeCommandline", set: func(o *Options, v []string) error {
		on, err := parseYesNo(v[0])
		o.NoCommandLine = !on
		return err
	}},
	{name: "EscapeChar", set: func(o *Options, v []string) (err error) {
		o.EscapeChar, err = parseEscape(v[0])
		return
	}},
	{name: "ExitOnForwardFailure", set: yesNo(func(o *Options) *bool { return &o.ExitOnForwardFailure })},
	{name: "FingerprintHash", set: func(o *Options, v []string) (err error) {
		o.FingerprintHash, err = parseChoice(v[0], same("md5"), same("sha1"), same("sha256"),
			same("sha384"), same("sha512"))
		return
	}},
	{name: "ForkAfterAuthentication", set: yesNo(func(o *Options) *bool { return &o.ForkAfterAuthentication })},
	{name: "ForwardAgent", set: text(func(o *Options) *string { return &o.forwardAgent })},
	{name: "GatewayPorts", set: yesNo(func(o *Options) *bool { return &o.GatewayPorts })},
	{name: "GlobalKnownHostsFile", words: many, set: func(o *Options, v []string) error {
		o.GlobalKnownHostsFiles = v
		return nil
	}},
	{name: "HashKnownHosts", set: yesNo(func(o *Options) *bool { return &o.HashKnownHosts })},
	{name: "HostKeyAlias", sshd: true, set: text(func(o *Options) *string { return &o.HostKeyAlias })},
	{name: "HostKeyAlgorithms", set: algorithmText(func(o *Options) *string { return &o.HostKeyAlgorithms })},
	{name: "HostName", set: text(func(o *Options) *string { return &o.HostName })},
	{name: "IdentitiesOnly", set: yesNo(func(o *Options) *bool { return &o.IdentitiesOnly })},
	{name: "IdentityAgent", set: text(func(o *Options) *string { return &o.IdentityAgent })},
	{name: "IdentityFile", repeat: true, set: func(o *Options, v []string) error {
		if len(o.IdentityFiles) >= 100 {
			return errors.New("more than 100 identity files")
		}
		o.IdentityFiles = append(o.IdentityFiles, v[0])
		return nil
	}},
	{name: "KnownHostsCommand", line: true, set: setKnownHostsCommand},
	{name: "LocalCommand", line: true, set: text(func(o *Options) *string { return &o.LocalCommand })},
	{name: "LocalForward", words: 2, repeat: true, set: setLocal},
	{name: "LogLevel", set: func(o *Options, v []string) (err error) {
		o.LogLevel, err = parseLogLevel(v[0])
		return
	}},
	{name: "NoHostAuthenticationForLocalhost", set: yesNo(func(o *Options) *bool { return &o.NoHostAuthenticationForLocalhost })},
	{name: "PermitLocalCommand", set: yesNo(func(o *Options) *bool { return &o.permitLocalCommand })},
	{name: "PermitRemoteOpen", words: many, set: setPermitRemoteOpen},
	{name: "Port", sshd: true, set: func(o *Options, v []string) (err error) {
		o.Port, err = parsePort(v[0])
		return
	}},
	{name: "PreferredAuthentications", set: text(func(o *Options) *string { return &o.methods })},
	{name: "ProxyCommand", line: true, claims: "proxy", set: text(func(o *Options) *string { return &o.ProxyCommand })},
	{name: "ProxyJump", line: true, claims: "proxy", set: func(o *Options, v []string) (err error) {
		o.Jumps, err = parseJumps(v[0])
		return
	}},
	{name: "PubkeyAcceptedAlgorithms", set: algorithmText(func(o *Options) *string { return &o.PubkeyAlgorithms })},
	{name: "PubkeyAuthentication", set: func(o *Options, v []string) (err error) {
		o.NoPubkey = oneOf(v[0], "no", "false")
		return oneOfThese("yes", "no", "true", "false", "unbound", "host-bound")(o, v)
	}},
	{name: "RefuseConnection", set: text(func(o *Options) *string { return &o.refusal })},
	{name: "RemoteCommand", line: true, set: noneText(func(o *Options) *string { return &o.RemoteCommand })},
	{name: "RemoteForward", words: 2, repeat: true, set: setRemote},
	{name: "RequestTTY", set: func(o *Options, v []string) (err error) {
		o.RequestTTY, err = parseChoice(v[0], [2]TTY{"auto", TTYAuto}, [2]TTY{"no", TTYNo},
			[2]TTY{"yes", TTYYes},
			[2]TTY{"force", TTYForce}, [2]TTY{"false", TTYNo}, [2]TTY{"true", TTYYes})
		return
	}},
	{name: "RequiredRSASize", set: number(func(o *Options) *int { return &o.RequiredRSASize })},
	{name: "ResumeFor", set: func(o *Options, v []string) (err error) {
		o.ResumeFor, err = parseTimeOrNone(v[0])
		return
	}},
	{name: "RevokedHostKeys", set: noneText(func(o *Options) *string { return &o.RevokedHostKeys })},
	{name: "SendEnv", words: many, repeat: true, set: func(o *Options, v []string) error {
		for _, name := range v {
			if strings.Contains(name, "=") {
				return fmt.Errorf("%s is not the name of a variable", shown(name))
			}
		}
		o.SendEnv = append(o.SendEnv, v...)
		return nil
	}},
	{name: "ServerAliveCountMax", set: number(func(o *Options) *int { return &o.ServerAliveCountMax })},
	{name: "ServerAliveInterval", set: func(o *Options, v []string) (err error) {
		o.ServerAliveInterval, err = parseTimeOrNone(v[0])
		return
	}},
	{name: "SetEnv", words: many, set: func(o *Options, v []string) error {
		for _, pair := range v {
			if strings.IndexByte(pair, '=') < 1 {
				return fmt.Errorf("%s is not NAME=value", shown(pair))
			}
		}
		o.SetEnv = v
		return nil
	}},
	{name: "StdinNull", set: yesNo(func(o *Options) *bool { return &o.StdinNull })},
	{name: "StreamLocalBindMask", set: func(o *Options, v []string) (err error) {
		o.StreamLocalBindMask, err = parseMask(v[0])
		return
	}},
	{name: "StreamLocalBindUnlink", set: yesNo(func(o *Options) *bool { return &o.StreamLocalBindUnlink })},
	{name: "StrictHostKeyChecking", set: func(o *Options, v []string) (err error) {
		o.StrictHostKeyChecking, err = parseChoice(v[0], [2]Strictness{"yes", StrictYes},
			[2]Strictness{"no", StrictNo},
			[2]Strictness{"ask", StrictAsk}, [2]Strictness{"accept-new", StrictAcceptNew},
			[2]Strictness{"off", StrictNo},
			[2]Strictness{"true", StrictYes}, [2]Strictness{"false", StrictNo})
		return
	}},
	{name: "SyslogFacility", set: func(o *Options, v []string) (err error) {
		o.SyslogFacility, err = parseFacility(v[0])
		return
	}},
	{name: "Tag", set: text(func(o *Options) *string { return &o.Tag })},
	{name: "User", set: text(func(o *Options) *string { return &o.User })},
	{name: "UserKnownHostsFile", words: many, set: func(o *Options, v []string) error {
		o.UserKnownHostsFiles = v
		return nil
	}},
	{name: "VisualHostKey", set: yesNo(func(o *Options) *bool { return &o.VisualHostKey })},

	{name: "SessionType", set: func(o *Options, v []string) (err error) {
		o.SessionType, err = parseChoice(v[0], [2]SessionType{"none", SessionNone},
			[2]SessionType{"subsystem", SessionSubsystem},
			[2]SessionType{"default", SessionDefault})
		return
	}},

	{name: "Host", words: many, structure: true},
	{name: "Match", words: many, structure: true},
	{name: "Include", words: many, structure: true, repeat: true},
	{name: "IgnoreUnknown"},
}
