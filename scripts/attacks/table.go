//go:build linux

package main

import (
	"fmt"
	"path/filepath"
)

// attack is one way to harm others.
type attack struct {
	kind, name, about string
	conditions
	prepare func(*scene) error   // by root, before it begins; may be nil
	run     func(*mallory) error // by mallory, until the attack is to end
}

// attacks are all there are, by kind. They are filled in by init: what they do looks for them here.
var attacks []*attack

func init() {
	piped := func(name, below string) func(*scene) error {
		return func(s *scene) error {
			return s.fifo(filepath.Join(s.w.people[name].home, below), s.w.people[name])
		}
	}
	rootsKeys := conditions{args: []string{"--authorized-keys", keysDir + "/%u"}}
	attacks = []*attack{
		// hung.go
		{"paths", "hung-dir", "commands in a directory of a FUSE mount that never answers", conditions{}, hungAt("mallory", "hung"), hungDirectory},
		{"paths", "hung-program", "a program in such a directory", conditions{}, hungAt("mallory", "hung"), hungProgram},
		{"paths", "hung-home", "login shells of an account with such a home", rootsKeys, hungAt("trudy", ""), hungHome},
		{"paths", "hung-keys", "logins to an account with its authorized_keys there", conditions{}, hungAt("trudy", ".ssh"), hungKeys},
		{"paths", "hung-files", "files to and from there", conditions{}, hungAt("mallory", "hung"), hungFiles},
		{"paths", "lease", "programs that the attacker has leased", conditions{}, leasedPrograms, leases},
		{"paths", "fifo-keys", "logins to an account whose authorized_keys is a named pipe", conditions{}, piped("trudy", ".ssh/authorized_keys"), pipedKeys},
		{"paths", "fifo-files", "files to and from a named pipe", conditions{}, piped("mallory", "pipe"), pipedFiles},
		{"paths", "fifo-pattern", "a restricted key's pattern over a named pipe", conditions{}, piped("mallory", "box/pipe"), pipedPattern},
		// processes.go
		{"processes", "forks-ulimit", "a fork bomb up to RLIMIT_NPROC", conditions{processes: 200}, nil, forks},
		{"processes", "forks-pids", "a fork bomb up to a limit of the pids controller", conditions{pids: 400}, nil, forks},
		{"processes", "deaf-commands", "256 commands that ignore HUP, ended at once", conditions{}, nil, deafCommands},
		{"processes", "stopped-helpers", "helpers that their user stops with SIGSTOP", conditions{}, bigFile, stoppedHelpers},
		// strangers.go
		{"strangers", "alpn", "anonymous connections whose ALPN names make an error of 60 KB", conditions{}, nil, longALPN},
		{"strangers", "connections", "3,000 anonymous connections that say nothing", conditions{}, nil, silentConnections},
		{"strangers", "slow-handshakes", "handshakes that come byte by byte", conditions{}, nil, slowHandshakes},
		{"strangers", "unix-socket", "the same on the Unix socket, by one user", conditions{socket: true}, nil, silentSocket},
		{"strangers", "signatures", "logins with wrong signatures of an RSA key of 8,192 bits", conditions{}, nil, signatures},
		// frames.go
		{"frames", "long-opens", "refused requests of 50 KB", conditions{}, nil, longOpens},
		{"frames", "unread-log", "refusals to fill a log that nobody reads", conditions{unread: true}, nil, refusals},
		{"frames", "signals", "SIGNAL frames of 64 KiB to transfers that do not read them", conditions{}, nil, longSignals},
		{"frames", "notices", "NOTICE frames to a client that reads nothing", conditions{}, nil, unreadNotices},
		// shares.go
		{"shares", "sessions", "all sessions for one key", conditions{args: []string{"--max-sessions", "400"}}, nil, allSessions},
		{"shares", "flood", "commands as fast as they end, on all channels of four sessions", conditions{}, nil, flood},
		{"shares", "long-commands", "30 MB of commands for `minisshd who` to show", conditions{}, nil, longCommands},
		{"shares", "broken-sessions", "sessions that start long commands and break a rule", conditions{}, nil, brokenSessions},
		{"shares", "held-sessions", "sessions left behind with full windows", conditions{args: []string{"--hold-memory", "64M"}}, nil, heldSessions},
		{"shares", "silent-links", "sessions that read and never answer, as behind a relay that has lost its client", conditions{}, nil, silentLinks},
		// forwarding.go
		{"forwarding", "port-flood", "5,000 connections at a time to one port that is listened on", conditions{}, nil, portFlood},
		{"forwarding", "listeners", "listeners that are begun and ended as fast as possible", conditions{}, nil, listenersFlood},
		{"forwarding", "left-ports", "sessions left behind that listen, on ports that new ones ask for", conditions{}, nil, leftPorts},
		{"forwarding", "agents", "programs that send 4 GiB to agents of which nobody takes anything", conditions{}, nil, agentsFlood},
	}
}

// prepareOn prepares the scene, if there is one.
func (a *attack) prepareOn(s *scene) error {
	if a.prepare == nil {
		return nil
	}
	return a.prepare(s)
}

// choose finds attacks by their names, or kinds; all, if none is named.
func choose(names []string) ([]*attack, error) {
	if len(names) == 0 {
		return attacks, nil
	}
	var chosen []*attack
	for _, name := range names {
		found := len(chosen)
		for _, a := range attacks {
			if a.name == name || a.kind == name {
				chosen = append(chosen, a)
			}
		}
		if len(chosen) == found {
			return nil, fmt.Errorf("there is no attack %q; hint: scripts/attack --list", name)
		}
	}
	return chosen, nil
}
