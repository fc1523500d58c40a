//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// place is where a process runs: a network, and its own address there.
type place struct {
	network *network
	host    string
}

// here is this process's own network.
var here = place{host: "127.0.0.1"}

// do runs f in the place's network. A process that f starts stays in it.
func (at place) do(f func() error) error {
	if at.network == nil {
		return f()
	}
	done := make(chan error)
	at.network.jobs <- func() { done <- f() }
	return <-done
}

// network is a network namespace. One thread is in it and runs its jobs; the namespace ends after
// the thread and the processes in it.
type network struct{ jobs chan func() }

func newNetwork() (*network, error) {
	n := &network{jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err == nil {
			for job := range n.jobs {
				job()
			}
		}
	}()
	return n, <-ready
}

// The ends of every cable have the same addresses: each cable has networks of its own.
const (
	nearHost = "10.77.0.1"
	farHost  = "10.77.0.2"
	cableMTU = 1500
)

// cable joins a network of clients and one of daemons. It carries IP packets between two TUN
// devices, each after the same delay, or loses them all: TCP and UDP alike. Neither end's system
// sees anything of an outage.
type cable struct {
	near, far place
	ends      []*os.File
	delay     time.Duration
	cut       atomic.Bool
	wg        sync.WaitGroup
}

// newCable lays a cable that delays everything by delay each way. The lab takes it up again.
func (l *lab) newCable(delay time.Duration) (*cable, error) {
	c := &cable{delay: delay}
	l.cables = append(l.cables, c)
	for _, end := range []struct {
		host string
		at   *place
	}{{nearHost, &c.near}, {farHost, &c.far}} {
		n, err := newNetwork()
		if err != nil {
			return nil, fmt.Errorf("no network namespace (root has one): %w", err)
		}
		*end.at = place{n, end.host}
		err = end.at.do(func() error {
			device, err := openTUN(end.host)
			if err == nil {
				c.ends = append(c.ends, device)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("no TUN device: %w", err)
		}
	}
	c.carry(c.ends[0], c.ends[1])
	c.carry(c.ends[1], c.ends[0])
	return c, nil
}

// openTUN makes a TUN device in the calling thread's network, with an address there, and brings it
// and loopback up. Each Read and Write of the file is one packet.
func openTUN(host string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	const name = "cable"
	err = errors.Join(
		request(fd, unix.TUNSETIFF, name, func(r *unix.Ifreq) error {
			r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			return nil
		}),
		configure(name, host), configure("lo", ""))
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "tun"), nil
}

// configure gives a device an address in a /24, unless it is "", and brings it up.
func configure(device, host string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	address := func(text string) func(*unix.Ifreq) error {
		return func(r *unix.Ifreq) error {
			a := netip.MustParseAddr(text).As4()
			return r.SetInet4Addr(a[:])
		}
	}
	if host != "" {
		err = errors.Join(request(fd, unix.SIOCSIFADDR, device, address(host)),
			request(fd, unix.SIOCSIFNETMASK, device, address("255.255.255.0")))
	}
	return errors.Join(err, request(fd, unix.SIOCSIFFLAGS, device, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return nil
	}))
}

// request makes one of netdevice(7)'s requests.
func request(fd int, number uint, device string, fill func(*unix.Ifreq) error) error {
	r, err := unix.NewIfreq(device)
	if err == nil {
		err = fill(r)
	}
	if err == nil {
		err = unix.IoctlIfreq(fd, number, r)
	}
	return err
}

// carry forwards packets in one direction until from ends. Those that are sent while the cable is
// cut, or are on their way then, are lost.
func (c *cable) carry(from io.Reader, to io.Writer) {
	type packet struct {
		due   time.Time
		bytes []byte
	}
	under := make(chan packet, 4096) // on their way; more than a window of any test
	c.wg.Go(func() {
		defer close(under)
		for {
			buf := make([]byte, cableMTU)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if c.cut.Load() {
				continue
			}
			select {
			case under <- packet{time.Now().Add(c.delay), buf[:n]}:
			default: // as a full router does
			}
		}
	})
	c.wg.Go(func() {
		for p := range under {
			time.Sleep(time.Until(p.due))
			if !c.cut.Load() {
				_, _ = to.Write(p.bytes) // one that cannot be taken is lost, as anywhere
			}
		}
	})
}

// close takes the cable up, and waits for what carried packets.
func (c *cable) close() {
	for _, end := range c.ends {
		end.Close()
	}
	c.wg.Wait()
	for _, at := range []place{c.near, c.far} {
		if at.network != nil {
			close(at.network.jobs)
		}
	}
}
