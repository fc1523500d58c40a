package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/protocol"
)

// ofSshd are the words of sshd_config(5) that mean what a flag means.
var ofSshd = map[string]string{
	"allowagentforwarding":  "allow-agent-forwarding",
	"allowgroups":           "allow-groups",
	"allowtcpforwarding":    "allow-forwarding",
	"allowusers":            "allow-users",
	"authorizedkeysfile":    "authorized-keys",
	"denygroups":            "deny-groups",
	"denyusers":             "deny-users",
	"gatewayports":          "gateway-ports",
	"hostcertificate":       "host-certificate",
	"hostkey":               "host-key",
	"logingracetime":        "login-grace",
	"loglevel":              "log-level",
	"permitrootlogin":       "permit-root",
	"permituserenvironment": "permit-user-environment",
	"revokedkeys":           "revoked-keys",
	"trustedusercakeys":     "trusted-user-ca",
}

// otherwise are words of sshd_config(5) that mean something else here, or nothing: what to do.
var otherwise = map[string]string{
	"match": "sections are not there yet: what is set holds for everybody; command=, from= and " +
		"others before a key in authorized_keys hold for that key",
	"include": "files in " + rootConfDir + " are read by themselves, in the order of their names",
	"port":    "here: listen :7422", "listenaddress": "here: listen ADDRESS:PORT",
	"maxsessions":             "here: max-channels, for one session; max-sessions-per-user, for one user",
	"maxstartups":             "here: max-startups NUMBER, and max-per-source for one address",
	"persourcemaxstartups":    "here: max-per-source",
	"persourcepenalties":      "here failed logins are always penalized; penalty-exempt NETWORK",
	"clientaliveinterval":     "a lost connection is noticed anyway; how long it is kept: hold",
	"clientalivecountmax":     "a lost connection is noticed anyway; how long it is kept: hold",
	"tcpkeepalive":            "a lost connection is noticed anyway; how long it is kept: hold",
	"unusedconnectiontimeout": "here: idle-timeout", "channeltimeout": "here: idle-timeout",
	"streamlocalbindmask":             "here: unix-mode, of the sockets that the daemon listens on",
	"passwordauthentication":          "take the line out: minisshd knows keys only",
	"kbdinteractiveauthentication":    "take the line out: minisshd knows keys only",
	"challengeresponseauthentication": "take the line out: minisshd knows keys only",
	"permitemptypasswords":            "take the line out: minisshd knows keys only",
	"pubkeyauthentication":            "take the line out: keys are always accepted",
	"strictmodes":                     "take the line out: modes are always checked",
	"usepam":                          "take the line out: PAM is not asked",
	"usedns":                          "take the line out: names of addresses are not looked up",
	"acceptenv":                       "there is none: permit-user-environment is about authorized_keys",
	"setenv": "there is none: environment= in authorized_keys, with " +
		"permit-user-environment",
	"forcecommand":             `there is none: command="…" before a key in authorized_keys`,
	"permitopen":               `there is none: permitopen="…" before a key in authorized_keys`,
	"permitlisten":             `there is none: permitlisten="…" before a key in authorized_keys`,
	"permittty":                "there is none: no-pty before a key in authorized_keys",
	"disableforwarding":        "here: allow-forwarding no and allow-agent-forwarding no",
	"chrootdirectory":          `there is none: minissh-files="…" before a key keeps it in a directory`,
	"authorizedkeyscommand":    "there is none: trusted-user-ca with certificates needs no list",
	"authorizedprincipalsfile": `there is none: principals="…" before a key in authorized_keys`,
	"x11forwarding":            "take the line out: there is no X11", "printmotd": "take the line out",
	"printlastlog": "take the line out", "banner": "there is none: take the line out",
	"ciphers": "take the line out: TLS 1.3 chooses", "macs": "take the line out: TLS 1.3 chooses",
	"kexalgorithms":     "take the line out: TLS 1.3 chooses",
	"hostkeyalgorithms": "take the line out: TLS 1.3 chooses",
	"syslogfacility":    "take the line out: the log goes to standard error",
	"pidfile":           "take the line out: there is none",
}

// flagOf is the daemon's flag that a line sets.
func (s *setting) flagOf(list []cli.Flag) (cli.Flag, error) {
	name := strings.ToLower(s.name)
	if advice, there := otherwise[name]; there {
		return nil, s.wrong(advice, "%s is a word of sshd_config that minisshd.conf does not have",
			protocol.Quote(s.name))
	}
	if ours, there := ofSshd[name]; there {
		name = ours
	}
	at := slices.IndexFunc(list, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	switch {
	case name == "config":
		return nil, s.wrong("minisshd --config FILE, on the command line",
			"config cannot be set in a file")
	case at >= 0:
		return list[at], nil
	case strings.HasPrefix(s.name, "-"):
		return nil, s.wrong("write "+strings.TrimLeft(name, "-")+", without dashes before it",
			"%s is not the name of a setting", protocol.Quote(s.name))
	}
	return nil, s.wrong("the settings are the options that minisshd --help lists, without dashes",
		"%s is not a setting", protocol.Quote(s.name))
}
