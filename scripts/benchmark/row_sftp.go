//go:build linux

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// scps measures OpenSSH's scp with ssh and with minissh under it: its sftp server at the other end,
// or ours.
func (l *lab) scps(ctx context.Context, get bool) result {
	r := result{Unit: "s", Notes: []string{sized(l.o.size/2) +
		" in one file, on a memory file system; scp by sftp; OpenSSH with aes128-gcm"}}
	if _, err := exec.LookPath("scp"); err != nil {
		r.Notes = []string{"not measured: no scp here (apt-get install openssh-client)"}
		return r
	}
	dir, err := memoryPlace()
	if err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	defer os.RemoveAll(dir)
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	if err := oneFile(l.o.size / 2)(source); err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	var cs []contender
	for _, p := range l.peers {
		if p.id == "dropbear" { // which has no sftp server
			continue
		}
		cs = append(cs, contender{p.id, p.ours(), func(ctx context.Context) (float64, error) {
			if err := os.RemoveAll(target); err != nil {
				return 0, err
			}
			seconds, err := l.timeCommand(ctx, scpLine(p, get, source, target))
			if err == nil {
				err = sameTree(source, target)
			}
			return seconds, err
		}})
	}
	r.Series = interleave(ctx, l.rounds("scpput"), false, cs)
	r.against("openssh", 1, true)
	return r
}

// scpLine is the command line of scp with p's client under it.
func scpLine(p *peer, get bool, source, target string) []string {
	host, port, _ := net.SplitHostPort(p.address) // of our own making
	var options []string
	if !p.ours() {
		options = []string{"-c", fastCipher}
	}
	line := p.line(host, port, options...)
	client, options, there := line[0], line[1:len(line)-1], line[len(line)-1]+":"
	from, to := source, there+target
	if get {
		from, to = there+source, target
	}
	return slices.Concat([]string{"scp", "-q", "-S", client}, upperPort(slices.Clone(options)),
		[]string{from, to})
}

func runScpPut(ctx context.Context, l *lab) result { return l.scps(ctx, false) }
func runScpGet(ctx context.Context, l *lab) result { return l.scps(ctx, true) }
