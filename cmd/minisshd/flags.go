package main

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/service"
)

// Flags by their kind. untold is the default to show if that is not value.
func text(name, value, usage, untold string) cli.Flag {
	return &cli.StringFlag{Name: name, Value: value, Usage: usage, DefaultText: untold}
}

func list(name, usage, untold string) cli.Flag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, DefaultText: untold}
}

func number(name string, value int, usage, untold string) cli.Flag {
	return &cli.IntFlag{Name: name, Value: value, Usage: usage, DefaultText: untold}
}

func span(name string, value time.Duration, usage, untold string) cli.Flag {
	return &cli.DurationFlag{Name: name, Value: value, Usage: usage, DefaultText: untold}
}

func yes(name, usage string) cli.Flag { return &cli.BoolFlag{Name: name, Usage: usage} }

// daemonFlags are made anew for each command that has them, since a flag remembers that it was set.
func daemonFlags() []cli.Flag { return slices.Concat(ownFlags(), rootFlags(), shareFlags()) }

func ownFlags() []cli.Flag {
	return []cli.Flag{
		text("config", "", "`FILE` of settings, one option a line without its dashes; what is on "+
			"the command line wins; none: no file", rootConf+" and "+rootConfDir+"/*.conf as "+
			"root, else ~/.config/minissh/minisshd.conf; those that are there"),
		list("listen", "`ADDRESS` to listen on, repeatable: host:port, [v6]:port, :port, unix:PATH",
			"127.0.0.1:7422 and [::1]:7422"),
		yes("announce", "tell the LAN (mDNS) that there is a daemon, its port and its host key's "+
			"fingerprint, while somebody could log in; it must listen beyond loopback"),
		text("host-key", "", "`FILE` with the daemon's key (OpenSSH format); made if it is not "+
			"there",
			"~/.config/minissh/host_key"),
		text("host-certificate", "", "`FILE` with a certificate for the daemon's key, as "+
			"ssh-keygen -h -s makes it", ""),
		list("authorized-keys", "`FILE` that lists who may log in (OpenSSH format), repeatable",
			"~/.ssh/authorized_keys and ~/.config/minissh/authorized_keys"),
		text("authorized-keys-command", "", "as root: `COMMAND` that lists keys where no file "+
			"admits one, a program with its whole path; %u is the user, %f, %k and %t are about "+
			"the key",
			""),
		text("authorized-keys-command-user", "", "the `ACCOUNT` that it runs as", ""),
		text("trusted-user-ca", "", "`FILE` with the keys of authorities whose certificates log "+
			"in the users that they name (OpenSSH format)", ""),
		text("revoked-keys", "", "`FILE` of keys and certificates that may not log in: a list of "+
			"public keys, or a KRL as ssh-keygen -k makes it; if it cannot be read, no key "+
			"may", ""),
		text("allow-forwarding", service.ForwardYes, "what clients may have forwarded: yes, no, "+
			"local (minissh -L, -W) or remote (-R)", ""),
		text("allow-agent-forwarding", "yes", "whether clients may lend programs here their agent "+
			"(minissh -A): yes or no", ""),
		text("gateway-ports", service.GatewayNo, "who reaches the ports of minissh -R: no, this "+
			"machine alone; yes, all; clientspecified, as the client says", ""),
		yes("permit-user-environment", "honour environment= in authorized_keys, and as root "+
			"~/.ssh/environment"),
		yes("disable-forwarding", "forward nothing, whatever other options say"),
		list("permit-open", "`HOST:PORT` that minissh -L and -W may reach, repeatable; * for any; "+
			"none", "any"),
		list("permit-listen", "`[HOST:]PORT` that minissh -R may listen on, repeatable; * for "+
			"any; none", "any"),
		text("permit-tty", "yes", "whether clients get terminals: yes or no", ""),
		text("force-command", "", "run this `COMMAND` whatever is asked for, instead of a key's "+
			"command=; internal-sftp: the daemon's own; none", ""),
		list("accept-env", "`NAMES` that clients may set in the environment; * and ? match "+
			"others, repeatable; none", "LANG LC_* COLORTERM GIT_PROTOCOL NO_COLOR"),
		list("set-env", "`NAME=VALUE` in the environment of all commands, whatever clients and "+
			"keys set, repeatable", ""),
		span("login-grace", 20*time.Second, "for handshake and login together", ""),
		span("stop-grace", 5*time.Second,
			"between the hang-up of a command that is stopped and its being killed", ""),
		span("shutdown-grace", 10*time.Second,
			"for commands to end by themselves when the daemon is stopped", ""),
		number("max-startups", 200, "unauthenticated connections at once", ""),
		number("max-per-source", 100,
			"unauthenticated connections at once from one address (IPv6: one /64)", ""),
		number("max-sessions", 4096, "sessions at once", ""),
		number("max-channels", 64, "commands at once in one session", ""),
		list("subsystem", "`NAME=COMMAND` that minissh -s NAME runs, repeatable; NAME=none: "+
			"refused", "sftp=internal-sftp, the daemon's own"),
		controlFlag("`PATH` of the socket where minisshd who, end and pair ask this daemon; " +
			"none: no such socket"),
		text("supervisor", "auto", "whether a supervisor holds the sockets, so that the daemon "+
			"can be replaced while it serves: yes, no; auto: under a service manager", ""),
		text("keylog", "", "append the TLS secrets of every connection to `FILE`, for Wireshark; "+
			"refused to root", ""),
		text("audit", "", "`FILE` that notes, as lines of JSON, who logged in, and each command, "+
			"with its end", ""),
		text("audit-full", audit.Refuse, "when the audit log has no room, or none for a user: "+
			"refuse new work, or drop entries, and count them", ""),
		text("audit-size", "64M", "rename the audit log when it is so large: `SIZE` in bytes, or "+
			"with K, M or G; a user may fill a quarter of it in an hour", ""),
		number("audit-keep", 8, "renamed audit logs that are kept: FILE.1, FILE.2, …", ""),
		text("log-level", "info", "debug, info, warn or error", ""),
	}
}

// rootFlags are only for root's daemon, which serves every account, except for the last two.
func rootFlags() []cli.Flag {
	return []cli.Flag{
		list("allow-users", "as root: serve these `NAMES` only; * and ? match others, "+
			"repeatable", "all"),
		list("deny-users", "as root: never serve these `NAMES`; wins over --allow-users, "+
			"repeatable", ""),
		list("allow-groups", "as root: serve accounts only that are in one of these groups, by "+
			"`NAMES` as in --allow-users; they must be in both, repeatable", "all"),
		list("deny-groups", "as root: never serve accounts in these groups; wins over "+
			"--allow-groups; `NAMES`, repeatable", ""),
		text("permit-root", access.RootYes,
			"as root: whether uid 0 may log in with a key: yes, no, "+
				"or forced-commands-only", ""),
		text("chroot-directory", "", "as root: confine everything to this `DIRECTORY`, which is "+
			"root's like all above it; %h and %u as in --authorized-keys; none", ""),
		text("pam", "", "as root: whether PAM is asked about each login, and opens its session: "+
			"yes or no", "yes in a program that was built with PAM"),
		text("permit-user-rc", "yes", "as root: whether ~/.ssh/rc is run before a command or "+
			"shell: yes or no", ""),
		text("banner", "", "`FILE` whose text a client shows first, at each login; none", ""),
		text("print-motd", "yes", "as root: whether a login shell is greeted with /etc/motd: yes "+
			"or no", ""),
		text("print-last-login", "yes", "as root: whether a login shell is told when and from "+
			"where its account was last logged in to: yes or no", ""),
		text("cgroup", "auto",
			"as root: `DIRECTORY` of a cgroup below which each account's commands "+
				"get one of their own; auto: the daemon's own, if systemd has delegated it; none",
			""),
		number("max-tasks-per-user", 0,
			"as root, with a cgroup: processes and threads of one account",
			"a third of what there is"),
		text("pair-by-users", "yes",
			"as root: whether users may ask for pairing codes for their own "+
				"accounts: yes or no", ""),
		text("unix-mode", "0600",
			"permissions of Unix sockets; as root, 0666 lets every account in, "+
				"each as itself", ""),
		list("penalty-exempt",
			"`NETWORK` whose failed logins are never penalized, repeatable: 192.0.2.0/24, an "+
				"address", "loopback"),
	}
}

// shareFlags say how much of what all share one user may take.
func shareFlags() []cli.Flag {
	return []cli.Flag{
		number("max-sessions-per-user", 0,
			"sessions at once of one user: an account, or a key where "+
				"the daemon serves one account", "an eighth of --max-sessions: 512"),
		number("max-commands", 8192, "commands and transfers at once, of all users", ""),
		number("max-commands-per-user", 512,
			"commands and transfers at once in all sessions of one user", ""),
		number("max-sessions-per-key", 0, "sessions at once of one key of an account",
			"as for a user"),
		number("max-commands-per-key", 0, "commands and transfers at once of one key of an "+
			"account", "as for a user"),
		number("reserve", 0, "this many sessions, commands and unauthenticated connections are "+
			"kept for root", "16"),
		span("alive-interval", 15*time.Second, "ask a client that has been silent for so long for "+
			"a sign of life", ""),
		number("alive-count-max", 3, "after this many intervals of silence the connection is lost",
			""),
		span("hold", 24*time.Hour, "keep a session whose connection is lost for so long at most, "+
			"for its client to come back; 0: never", ""),
		text("hold-memory", "256M", "what sessions without a connection may keep in memory "+
			"together: `SIZE` in bytes, or with K, M or G", ""),
		span("idle-timeout", 0, "end a session in which nothing was sent either way for so long",
			"never"),
	}
}

func controlFlag(usage string) cli.Flag {
	return text("control", "", usage, "/run/minissh/control as root, else "+
		"$XDG_RUNTIME_DIR/minissh/control or ~/.config/minissh/control")
}

func pairFlags() []cli.Flag {
	return append([]cli.Flag{
		text("user", "", "the account that the client may log in to", "your own"),
		text("command", "", "the client may run this `COMMAND` alone", ""),
		text("expires", "", "the key counts until `TIME`: 12h, 30d, 2027-01-31, or "+
			"2027-01-31T18:00", ""),
		number("count", 1, "this many codes at once, each for one client", ""),
		yes("list", "list the keys that were paired"),
		text("remove", "", "remove a paired key: its `NUMBER` in the list, or its fingerprint",
			""),
	}, daemonFlags()...)
}
