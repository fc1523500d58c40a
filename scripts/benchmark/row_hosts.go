//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// mostHosts is how many hosts the row goes to.
const mostHosts = 1000

// hostNames are the first n hosts.
func hostNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("h%d", i+1))
	}
	return names
}

// runHosts times `true` on a hundred hosts: by one minissh, and by the programs that people use for
// that, with ssh under them. Then it shows what more and fewer hosts cost minissh in time and
// memory. A daemon of each kind serves under all the names; neither bounds or punishes many
// connections from one address.
func runHosts(ctx context.Context, l *lab) result {
	r := result{Unit: "ms", Notes: []string{"100 names of one daemon on loopback; the peers run " +
		"ssh"}}
	if l.find("minissh") == nil || l.find("openssh") == nil {
		r.Notes = append(r.Notes, "not measured: it needs both minissh and openssh")
		return r
	}
	ours, theirs, err := l.manyNames()
	if err != nil {
		r.Series = []*series{{Name: "minissh", ours: true, Err: err.Error()}}
		return r
	}
	names := hostNames(100)
	list := l.path("hosts")
	if err := os.WriteFile(list, []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil {
		r.Series = []*series{{Name: "minissh", ours: true, Err: err.Error()}}
		return r
	}
	cs := []contender{{"minissh on", true, func(ctx context.Context) (float64, error) {
		s, _, err := l.timeHosts(ctx, ours, 100)
		return s * 1e3, err
	}}}
	for _, peer := range []struct {
		name string
		argv []string
	}{
		{"pssh", []string{"parallel-ssh", "-p", "100", "-t", "0", "-h", list, "-x", "-F " + theirs,
			"true"}},
		{"clush", []string{"clush", "-q", "-f", "100", "-o", "-F " + theirs, "-w",
			strings.Join(names, ","), "true"}},
		{"pdsh", []string{"env", "PDSH_SSH_ARGS_APPEND=-F " + theirs, "pdsh", "-R", "ssh", "-f",
			"100", "-w", strings.Join(names, ","), "true"}},
		{"parallel -j0", append([]string{"parallel", "-j0", "--will-cite", "ssh -F " + theirs +
			" {} true", ":::"}, names...)},
	} {
		program := peer.argv[0]
		if program == "env" {
			program = "pdsh"
		}
		if _, err := exec.LookPath(program); err != nil {
			r.Notes = append(r.Notes, "not measured: no "+program+" here")
			continue
		}
		cs = append(cs, contender{peer.name, false, func(ctx context.Context) (float64, error) {
			s, err := l.timeCommand(ctx, peer.argv)
			return s * 1e3, err
		}})
	}
	r.Series = interleave(ctx, l.rounds("hosts"), true, cs)
	for name, target := range map[string]float64{"pssh": 1.0 / 20, "clush": 1.0 / 20,
		"pdsh": 1.0 / 10, "parallel -j0": 1.0 / 10} {
		r.against(name, target, true)
	}
	slices.SortFunc(r.Checks, func(a, b check) int { return strings.Compare(a.What, b.What) })
	l.growth(ctx, &r, ours)
	return r
}

// growth shows what so many hosts cost, and adds the checks of that.
func (l *lab) growth(ctx context.Context, r *result, config string) {
	sizes := []int{1, 10, 30, 100, 300, mostHosts}
	seconds, memory := map[int][]float64{}, map[int][]float64{}
	for range l.rounds("hosts") {
		for _, n := range sizes {
			s, kib, err := l.timeHosts(ctx, config, n)
			if err != nil {
				r.Notes = append(r.Notes, fmt.Sprintf("%d hosts: %v", n, err))
				return
			}
			seconds[n], memory[n] = append(seconds[n], s), append(memory[n], kib)
		}
	}
	most, mostKiB := median(seconds[mostHosts]), median(memory[mostHosts])
	r.Notes = append(r.Notes, "hosts, time, and the client's memory:")
	for _, n := range sizes {
		s, kib := median(seconds[n]), median(memory[n])
		r.Notes = append(r.Notes, fmt.Sprintf("%5d %7.0f ms %-30s %6.1f MiB %s", n, s*1e3,
			bar(s/most), kib/1024, bar(kib/mostKiB)))
	}
	r.Checks = append(r.Checks,
		absolute("1,000 hosts beside 100", most/median(seconds[100]), 12, "%.1f times"),
		absolute("memory of one more host", (mostKiB-median(memory[1]))/(mostHosts-1), 150,
			"%.0f KiB"))
}

// bar is a part of 30 columns.
func bar(part float64) string { return strings.Repeat("#", max(1, int(part*30+0.5))) }

// timeHosts runs `true` on the first n hosts, and returns the seconds and the most memory, in KiB.
func (l *lab) timeHosts(ctx context.Context, config string, n int) (seconds, kib float64,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	cmd := l.client(ctx, []string{l.path("bin/minissh"), "on", "-F", config,
		strings.Join(hostNames(n), ","), "true"})
	var said strings.Builder
	cmd.Stderr = &said
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("%w: %.500q", err, said.String())
	}
	seconds = time.Since(start).Seconds()
	return seconds, float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss), nil
}

// manyNames makes each client know its daemon by mostHosts names: it returns the names of their
// configurations, for -F. Ours is another daemon than the other rows', without its bounds for
// connections from one address.
func (l *lab) manyNames() (ours, theirs string, err error) {
	p, err := l.runMinissh(here, "--max-per-source", "4000", "--max-startups", "4000")
	if err != nil {
		return "", "", err
	}
	key, _, err := keys.HostKey(l.path("host"))
	if err != nil {
		return "", "", err
	}
	known := l.path("hosts_known")
	if err := os.WriteFile(known, append([]byte("fleet "), ssh.MarshalAuthorizedKey(key.Public)...),
		0o600); err != nil {
		return "", "", err
	}
	write := func(name, address string) string {
		_, port, _ := net.SplitHostPort(address)
		file := l.path(name)
		err = errors.Join(err, os.WriteFile(file, fmt.Appendf(nil, "Host *\n\tHostName 127.0.0.1\n"+
			"\tPort %s\n\tHostKeyAlias fleet\n\tUser %s\n\tIdentityFile %s\n"+
			"\tIdentitiesOnly yes\n\tBatchMode yes\n\tUserKnownHostsFile %s\n"+
			"\tStrictHostKeyChecking yes\n\tLogLevel ERROR\n", port, l.user.Username, l.key,
			known), 0o600))
		return file
	}
	ours = write("hosts_ours", p.address)
	theirs = write("hosts_theirs", l.find("openssh").address)
	return ours, theirs, err
}
