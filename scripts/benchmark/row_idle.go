//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
)

// idleOpenSSH is how many sessions sshd is given: it has a process for each, so that fewer tell as
// much.
const idleOpenSSH = 50

// runIdle divides what the daemon's memory grew by, with many authenticated sessions in which
// nothing runs, by their number.
func runIdle(ctx context.Context, l *lab) result {
	r := result{Unit: "KiB", Notes: []string{"growth of resident memory over all idle sessions / " +
		"their number; sshd: proportional share (PSS) of its processes"}}
	for _, p := range l.peers {
		s := &series{Name: p.id, ours: p.ours()}
		switch p.id {
		case "openssh":
			s.add(l.idleOpenSSH(ctx, p, idleOpenSSH))
			s.Note = fmt.Sprintf("%d sessions", idleOpenSSH)
		case "minissh":
			s.add(l.idleMinissh(ctx, l.o.idle))
			s.Note = fmt.Sprintf("%d sessions", l.o.idle)
		default:
			continue
		}
		r.Series = append(r.Series, s)
	}
	if ours := r.ours(); ours.measured() {
		r.Checks = append(r.Checks, absolute("idle session", ours.Median, 64, "%.1f KiB"))
	} else if ours != nil {
		r.Checks = append(r.Checks, check{What: "idle session", Wanted: "≤ 64 KiB",
			Missing: "not measured"})
	}
	return r
}

// idleOpenSSH opens count sessions with `ssh -N` and returns the KiB that sshd's processes grew by,
// for each.
func (l *lab) idleOpenSSH(ctx context.Context, p *peer, count int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	before, err := familyPSS(p.pid)
	if err != nil {
		return 0, err
	}
	// LocalCommand runs, here, once the session is authenticated: the event that -N itself does not
	// give.
	argv := p.argv(p.address, "", "-N", "-o", "PermitLocalCommand=yes", "-o",
		"LocalCommand=echo ready")
	argv = argv[:len(argv)-1]
	for range count {
		cmd := l.client(ctx, argv)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return 0, err
		}
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		defer endProcess(cmd)
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return 0, fmt.Errorf("ssh -N did not get ready: %.100q %.300q", line, stderr.String())
		}
	}
	after, err := familyPSS(p.pid)
	return float64(after-before) / float64(count), err
}
