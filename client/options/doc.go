// Package options reads minissh's command line and configuration files.
//
// The grammar is ssh's (ssh(1), ssh_config(5)), because people and programs (git, rsync, scp, sftp,
// Ansible, …) are used to it. It is in two tables:
//
//   - letters.go: every option letter of ssh, and minissh's own long flags;
//   - keys.go and keys_others.go: every key of ssh_config(5), for -o and files.
//
// Each row says what the option sets and what happens to it (its [Class]): it holds, is harmless,
// refused or told. judge.go decides by the rows, and the table in cmd/minissh/README.md is made
// from them. To give minissh a new option, change the row's class and use the field that it fills;
// nothing else here needs to change.
//
// # The way in
//
//	verb, rest, ok := options.IsVerb(os.Args[1:]) // "try", "prompt", …: only as first word
//	o, err := options.Parse(os.Args[1:])          // everything resolved, or a typed error
//	if err == nil { err = o.Refuse() }            // what this version cannot do yet
//
// Every error has a Hint method ([Hinter]); Error and Hint are sentences for people, without the
// "minissh: " at the beginning. All of them end the client with 255.
//
// # Which value counts
//
// As in ssh, the first value of an option counts, and -i, -p, -l, user@ count as -o would; but the
// letters -A -a -e -f -g -M -n -S -t -T win over what comes before them. The sources, in order: the
// command line; ~/.config/minissh/config; ~/.ssh/config; /etc/ssh/ssh_config. The last two were
// written for sshd's port, so Port and HostKeyAlias in them do not count. -F FILE replaces all
// files; -F none reads nothing. Include and Match work as in ssh.
//
// # Differences from ssh
//
//   - The port is 7422 unless given. A port is a number, never a service name.
//   - [::1], [::1]:port, minissh://, unix:PATH and user@unix:PATH are hosts; host:port is an error
//     with a hint (ssh looks for a host of that name).
//   - A hop of ProxyJump is a host with minisshd, unless it begins with ssh://: then ssh goes
//     through its sshd.
//   - The process that owns ControlPath only answers -O: each command has a connection of its own.
//   - HostName may name a Unix socket: HostName unix:/run/lab.sock.
//   - ~ is $HOME, where ssh asks the password database.
//   - Leading ~ is expanded after % and ${}, so that a % in $HOME is harmless.
//
// The package connects nowhere and writes nothing. It reads the files named above and the given
// [Environment], and runs what Match exec names; CanonicalizeHostname asks for names of hosts.
package options
