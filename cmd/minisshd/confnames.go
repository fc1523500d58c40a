package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/protocol"
)

// ofSshd are the words of sshd_config(5) that mean what a flag means.
var ofSshd = map[string]string{
	"acceptenv":                 "accept-env",
	"disableforwarding":         "disable-forwarding",
	"forcecommand":              "force-command",
	"permitlisten":              "permit-listen",
	"permitopen":                "permit-open",
	"permittty":                 "permit-tty",
	"setenv":                    "set-env",
	"allowagentforwarding":      "allow-agent-forwarding",
	"allowgroups":               "allow-groups",
	"allowtcpforwarding":        "allow-forwarding",
	"allowusers":                "allow-users",
	"authorizedkeyscommand":     "authorized-keys-command",
	"authorizedkeyscommanduser": "authorized-keys-command-user",
	"authorizedkeysfile":        "authorized-keys",
	"chrootdirectory":           "chroot-directory",
	"clientaliveinterval":       "alive-interval",
	"clientalivecountmax":       "alive-count-max",
	"banner":                    "banner",
	"denygroups":                "deny-groups",
	"denyusers":                 "deny-users",
	"gatewayports":              "gateway-ports",
	"hostcertificate":           "host-certificate",
	"hostkey":                   "host-key",
	"logingracetime":            "login-grace",
	"loglevel":                  "log-level",
	"permitrootlogin":           "permit-root",
	"permituserenvironment":     "permit-user-environment",
	"permituserrc":              "permit-user-rc",
	"printlastlog":              "print-last-login",
	"printmotd":                 "print-motd",
	"revokedkeys":               "revoked-keys",
	"trustedusercakeys":         "trusted-user-ca",
	"usepam":                    "pam",
}

// What is said about several words.
const (
	keysOnly  = "take the line out: minisshd knows keys only"
	tlsItself = "take the line out: TLS 1.3 chooses"
	noticed   = "a lost connection is noticed anyway; how long it is kept: hold"
	leaveOut  = "take the line out: there is none"
	beforeKey = "before a key in authorized_keys"
)

// otherwise are words of sshd_config(5) that mean something else here, or nothing: what to do.
var otherwise = map[string]string{
	"include": "the files in " + rootConfDir + " are read anyway, in the order of their names",

	"port":                    "here: listen :7422",
	"listenaddress":           "here: listen ADDRESS:PORT",
	"maxsessions":             "here: max-channels, for one session; or max-sessions-per-user",
	"maxstartups":             "here: max-startups NUMBER, and max-per-source for one address",
	"persourcemaxstartups":    "here: max-per-source",
	"persourcepenalties":      "failed logins are always penalized, except for penalty-exempt",
	"unusedconnectiontimeout": "here: idle-timeout",
	"channeltimeout":          "here: idle-timeout",
	"streamlocalbindmask":     "here: unix-mode, of the sockets that the daemon listens on",
	"tcpkeepalive":            noticed,

	"authorizedprincipalsfile": `there is none: principals="…" ` + beforeKey,

	"passwordauthentication":          keysOnly,
	"kbdinteractiveauthentication":    keysOnly,
	"challengeresponseauthentication": keysOnly,
	"permitemptypasswords":            keysOnly,
	"pubkeyauthentication":            "take the line out: keys are always accepted",
	"strictmodes":                     "take the line out: modes are always checked",
	"usedns":                          "take the line out: addresses have no names here",
	"syslogfacility":                  "take the line out: the log goes to standard error",
	"ciphers":                         tlsItself,
	"macs":                            tlsItself,
	"kexalgorithms":                   tlsItself,
	"hostkeyalgorithms":               tlsItself,
	"pubkeyacceptedalgorithms":        tlsItself,
	"x11forwarding":                   leaveOut,
	"pidfile":                         leaveOut,
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
