package dial

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// watchNetwork calls changed when this machine's addresses or routes have changed (rtnetlink(7)),
// until done is closed. A command that ends within a second needs none of it.
func watchNetwork(done <-chan struct{}, changed func()) {
	moment := time.NewTimer(time.Second)
	defer moment.Stop()
	select {
	case <-done:
		return
	case <-moment.C:
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK,
		unix.NETLINK_ROUTE)
	if err != nil {
		return // the timers of the link remain
	}
	events := os.NewFile(uintptr(fd), "netlink")
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE |
		unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE)
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups})
	if err != nil {
		events.Close()
		return
	}
	go func() {
		<-done
		events.Close()
	}()
	buffer := make([]byte, 4096)
	for {
		// ENOBUFS: more changes than the socket could hold
		if _, err := events.Read(buffer); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		changed()
		// a change comes as many messages: one attempt is enough for those of a moment
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
