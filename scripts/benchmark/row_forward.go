//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// target is what is connected to through a forward: each that comes says how many bytes it wants,
// in eight bytes, and gets them out of the file, again and again. They are not copied on their way
// (sendfile): what is measured has the processors.
func target(file string) (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var size uint64
				err := binary.Read(conn, binary.BigEndian, &size)
				for rest := int64(size); err == nil && rest > 0; {
					var from *os.File
					if from, err = os.Open(file); err == nil {
						var n int64
						n, err = conn.(*net.TCPConn).ReadFrom(io.LimitReader(from, rest))
						from.Close()
						rest -= n // whoever counts tells an error
					}
				}
			}()
		}
	}()
	return ln, nil
}

// draw gets size bytes from a target at an address.
func draw(address string, size int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := binary.Write(conn, binary.BigEndian, uint64(size)); err != nil {
		return err
	}
	n, err := discard(conn)
	if err == nil && n != size {
		err = fmt.Errorf("%w: %d bytes", errShort, n)
	}
	return err
}

// discard counts what comes until its end, and has the system drop it uncopied (tcp(7), MSG_TRUNC).
func discard(conn net.Conn) (all int64, err error) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<20)
	for n := 1; n > 0 && err == nil; all += int64(max(n, 0)) {
		waitErr := raw.Read(func(fd uintptr) bool {
			n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			return err != unix.EAGAIN && err != unix.EINTR
		})
		err = errors.Join(err, waitErr)
	}
	return all, err
}

// forwards makes a contender of each lane: a client that forwards a port to a target, which is
// warm when what is done with that port is timed.
func (l *lab) forwards(lanes []lane, do func(address string) error) (cs []contender) {
	for _, n := range lanes {
		cs = append(cs, contender{n.name, n.peer.ours(), func(context.Context) (float64, error) {
			file := l.path("zeros")
			if err := os.WriteFile(file, make([]byte, 16<<20), 0o600); err != nil {
				return 0, err
			}
			to, err := target(file)
			if err != nil {
				return 0, err
			}
			defer to.Close()
			port, err := here.freePort()
			if err != nil {
				return 0, err
			}
			address := "127.0.0.1:" + port
			options := append([]string{"-N", "-L", address + ":" + to.Addr().String()},
				n.options...)
			argv := n.peer.argv(n.peer.address, "", options...)
			client := l.client(l.ctx, argv[:len(argv)-1])
			if err := client.Start(); err != nil {
				return 0, err
			}
			defer endProcess(client)
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				if err = draw(address, 1); err == nil {
					break
				}
				if time.Now().After(deadline) || l.ctx.Err() != nil {
					return 0, fmt.Errorf("nothing comes through %q: %w", argv, err)
				}
			}
			start := time.Now()
			err = do(address)
			return time.Since(start).Seconds(), err
		}})
	}
	return cs
}

// runForward measures a bulk stream through -L.
func runForward(ctx context.Context, l *lab) result {
	r := result{Unit: "s", Notes: []string{sized(l.o.size) + ", from there"}}
	r.Series = interleave(ctx, l.rounds("forward"), false, l.forwards(l.fastLanes(),
		func(address string) error { return draw(address, l.o.size) }))
	r.against("openssh (aes128-gcm)", 0.85, true)
	return r
}

// fastLanes are the lanes that forward as fast as their peer can.
func (l *lab) fastLanes() (all []lane) {
	for _, n := range l.lanes() {
		if n.peer.id == "minissh" || len(n.options) > 0 {
			all = append(all, n)
		}
	}
	return all
}

// runConnects measures short connections through -L.
func runConnects(ctx context.Context, l *lab) result {
	const count, width = 1000, 10
	r := result{Unit: "s"}
	r.Series = interleave(ctx, l.rounds("connects"), false, l.forwards(l.fastLanes(),
		func(address string) error {
			failed := make([]error, width)
			var all sync.WaitGroup
			for i := range width {
				all.Go(func() {
					for range count / width {
						if err := draw(address, 100); err != nil {
							failed[i] = err
							return
						}
					}
				})
			}
			all.Wait()
			return errors.Join(failed...)
		}))
	r.against("openssh (aes128-gcm)", 0.5, true)
	return r
}

// runJump times `true` on a second daemon, beside the one through which it is reached, and counts
// the trips.
func runJump(ctx context.Context, l *lab) result {
	trip := 2 * l.o.delay
	r := result{Unit: "ms", Notes: []string{fmt.Sprintf("relay in user space before the jump "+
		"host, %v round trip; TCP's own is not in the times", trip)}}
	config := filepath.Join(l.dir, "jumps")
	if err := os.WriteFile(config, fmt.Appendf(nil, "IdentityFile %s\nIdentitiesOnly yes\n"+
		"BatchMode yes\nUserKnownHostsFile %s\nStrictHostKeyChecking accept-new\n", l.key,
		l.path("known_hosts")), 0o600); err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	var peers []*peer
	behind := map[*peer]*peer{}
	for _, p := range l.peers {
		if p.again == nil { // dropbear, which takes no such configuration either
			continue
		}
		second, err := p.again(here)
		if err != nil {
			r.Notes = append(r.Notes, err.Error())
			continue
		}
		behind[p] = second
		peers = append(peers, p)
	}
	l.trips(ctx, &r, l.rounds("jump"), 3, peers, func(p *peer, address string) []string {
		host, port, _ := net.SplitHostPort(behind[p].address) // of our own making
		return []string{p.line(host, port)[0], "-F", config, "-J",
			l.user.Username + "@" + address, "-p", port, l.user.Username + "@" + host, "true"}
	})
	return r
}
