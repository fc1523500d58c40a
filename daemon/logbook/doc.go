// Package logbook keeps a log from hurting the daemon that writes it. Clip (clip.go) bounds what
// one record may hold, whoever chose its texts. A Sink (sink.go) takes lines without ever waiting
// for whoever reads them: what cannot be written at once waits in a bounded queue, and what does
// not fit is counted and told later. Print is for the few lines that are not records. A Tally
// (tally.go) bounds how often a refusal is logged. words.go has sshd's words for addresses and
// names.
package logbook
