//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
	dir, err := furnished(oneFile(l.o.size / 2))
	if err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	defer os.RemoveAll(dir)
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	r.Series = interleave(ctx, l.rounds("scpput"), false, l.withSFTP(
		func(ctx context.Context, p *peer) (float64, error) {
			if err := os.RemoveAll(target); err != nil {
				return 0, err
			}
			seconds, err := l.timeCommand(ctx, scpLine(p, get, source, target))
			if err == nil {
				err = sameTree(source, target)
			}
			return seconds, err
		}))
	r.against("openssh", 1, true)
	return r
}

// withSFTP makes one contender for each peer that has an sftp server; dropbear has none.
func (l *lab) withSFTP(run func(context.Context, *peer) (float64, error)) []contender {
	return slices.DeleteFunc(l.contenders(run),
		func(c contender) bool { return c.name == "dropbear" })
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

// runSSHFS measures how long it takes to look at 10,000 files of a folder that sshfs has just
// mounted. Mounting is not counted.
func runSSHFS(ctx context.Context, l *lab) result {
	r := result{Unit: "s", Notes: []string{"find -ls of 10,000 files, on a memory file system"}}
	for _, name := range []string{"sshfs", "fusermount3"} {
		if _, err := exec.LookPath(name); err != nil {
			r.Notes = []string{"not measured: no " + name + " here (apt-get install sshfs fuse3)"}
			return r
		}
	}
	dir, err := furnished(smallFiles(10_000))
	if err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	defer os.RemoveAll(dir)
	source, mount := filepath.Join(dir, "source"), filepath.Join(dir, "mount")
	r.Series = interleave(ctx, l.rounds("sshfs"), false, l.withSFTP(
		func(ctx context.Context, p *peer) (float64, error) {
			host, port, _ := net.SplitHostPort(p.address) // of our own making
			line := p.line(host, port)
			command, there := strings.Join(line[:len(line)-1], " "), line[len(line)-1]+":"+source
			if err := os.MkdirAll(mount, 0o700); err != nil {
				return 0, err
			}
			if _, err := l.timeCommand(ctx, []string{"sshfs", "-o", "ssh_command=" + command, there,
				mount}); err != nil {
				return 0, err
			}
			start := time.Now()
			out, err := l.client(ctx, []string{"find", mount, "-type", "f", "-ls"}).Output()
			seconds := time.Since(start).Seconds()
			if lines := bytes.Count(out, []byte("\n")); err == nil && lines != 10_000 {
				err = fmt.Errorf("%w: %d files are there", errShort, lines)
			}
			_, left := l.timeCommand(ctx, []string{"fusermount3", "-u", mount})
			return seconds, errors.Join(err, left)
		}))
	r.against("openssh", 1, true)
	return r
}

func runScpPut(ctx context.Context, l *lab) result { return l.scps(ctx, false) }
func runScpGet(ctx context.Context, l *lab) result { return l.scps(ctx, true) }
