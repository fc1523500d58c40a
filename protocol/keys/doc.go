// Package keys holds identities in OpenSSH's terms and their use in TLS (PROTOCOL.md section 2).
//
// An Identity is a private key that can sign, wherever it lives: in a file, in an agent, in memory. file.go reads OpenSSH's key files, agent.go asks
// ssh-agent, hostkey.go makes and keeps a daemon's key, envelope.go puts a public key into the certificate that TLS wants and takes it out again.
//
// The package decides nothing about who may log in where: see daemon/authorized and client/knownhosts.
package keys
