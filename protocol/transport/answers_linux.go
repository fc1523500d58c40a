package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// probesApart is how far apart Linux asks, at most, whether there is room again at a peer whose
// window is full: the time doubles up to TCP_RTO_MAX (include/net/tcp.h). Meanwhile it sends
// nothing else, no keep-alive probes either.
const probesApart = 120 * time.Second

// acknowledged asks the kernel when the last acknowledgement came (TCP_INFO, tcp(7)). Where nothing
// is said, keep-alive probes ask for one; package net has them sent every 15 seconds.
func acknowledged(conn *net.TCPConn, within time.Duration) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return err == nil && info != nil && recent(info, within)
}

// recent says that the last acknowledgement is not too old: where the peer's window is full, one
// probe may be lost.
func recent(info *unix.TCPInfo, within time.Duration) bool {
	if info.Snd_wnd == 0 {
		within += 2 * probesApart
	}
	return time.Duration(info.Last_ack_recv)*time.Millisecond < within
}
