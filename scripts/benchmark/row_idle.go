//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// idleOpenSSH is how many sessions sshd is given: it has a process for each, so that fewer tell as much.
const idleOpenSSH = 50

// runIdle divides what the daemon's memory grew by, with many authenticated sessions in which nothing runs, by their number.
func runIdle(ctx context.Context, l *lab) result {
	r := result{Unit: "KiB", Notes: []string{"growth of resident memory over all idle sessions / their number; sshd: proportional share (PSS) of its processes"}}
	for _, p := range l.peers {
		s := &series{Name: p.id, ours: p.ours()}
		switch p.id {
		case "openssh":
			s.add(l.idleOpenSSH(ctx, p, idleOpenSSH))
			s.Note = fmt.Sprintf("%d sessions", idleOpenSSH)
		case "minissh":
			s.add(l.idleMinissh(ctx, p, l.o.idle))
			s.Note = fmt.Sprintf("%d sessions", l.o.idle)
		default:
			continue
		}
		r.Series = append(r.Series, s)
	}
	if ours := r.ours(); ours.measured() {
		r.Checks = append(r.Checks, absolute("idle session", ours.Median, 64, "%.1f KiB"))
	} else if ours != nil {
		r.Checks = append(r.Checks, check{What: "idle session", Wanted: "≤ 64 KiB", Missing: "not measured"})
	}
	return r
}

// idleOpenSSH opens count sessions with `ssh -N` and returns the KiB that sshd's processes grew by, for each.
func (l *lab) idleOpenSSH(ctx context.Context, p *peer, count int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	before, err := familyPSS(p.pid)
	if err != nil {
		return 0, err
	}
	// LocalCommand runs, here, once the session is authenticated: the event that -N itself does not give.
	argv := p.argv(p.address, "", "-N", "-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo ready")
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

// familyPSS is the proportional share of memory, in KiB, of a process and all below it.
func familyPSS(pid int) (int64, error) {
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		// pid (name) state ppid …; the name may hold anything, so count from its last bracket.
		id, _ := strconv.Atoi(strings.Split(file, "/")[2])
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			children[parent] = append(children[parent], id)
		}
	}
	total := int64(0)
	for family := []int{pid}; len(family) > 0; family = family[1:] {
		kib, err := memory(family[0], "smaps_rollup", "Pss:")
		if errors.Is(err, os.ErrNotExist) && family[0] != pid {
			continue // it has ended meanwhile
		}
		if err != nil {
			return 0, err
		}
		total += kib
		family = append(family, children[family[0]]...)
	}
	return total, nil
}

// memory reads one KiB count from /proc/pid/file.
func memory(pid int, file, field string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in /proc/%d/%s", field, pid, file)
}
