package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// probesApart is the longest interval at which Linux asks a peer with a full window whether there
// is room again: the interval doubles up to TCP_RTO_MAX (include/net/tcp.h). Meanwhile it sends
// nothing else, not even keep-alive probes.
const probesApart = 120 * time.Second

const answersKnown = true

// acknowledged asks the kernel when the last acknowledgement came (TCP_INFO, tcp(7)). If nobody
// sends anything, keep-alive probes ask for one; package net has them sent every 15 seconds.
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

// recent says that the last acknowledgement is not too old: if the peer's window is full, one probe
// may be lost.
func recent(info *unix.TCPInfo, within time.Duration) bool {
	if info.Snd_wnd == 0 {
		within += 2 * probesApart
	}
	return time.Duration(info.Last_ack_recv)*time.Millisecond < within
}
