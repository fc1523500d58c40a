// Package client is what minissh does: find a daemon, prove who we are, ask for something, and tell honestly how it went.
//
// Reading order, the way a command goes: dial.go (one attempt after another), call.go (TCP and TLS), refused.go (why not), identities.go (which keys, in which
// order), hostkey.go (known_hosts and the question), run.go (one command with our standard streams), signals.go (Ctrl-C), outcome.go
// (exit codes and words), trace.go (every frame in words); pair.go for a host that has never heard of us. client/options reads the command line, client/knownhosts the file of that
// name, client/prompt is the line prompt.
//
// Messages go to people as "minissh: what went wrong" and "minissh: hint: what to type"; they are made by Report. Text from the other side is
// quoted before it reaches a terminal. Standard output is the command's alone.
package client
