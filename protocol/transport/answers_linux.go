package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// acknowledged asks the kernel when the last acknowledgement came (TCP_INFO, tcp(7)). Where nothing is said, keep-alive probes ask for one; package net has them
// sent every 15 seconds.
func acknowledged(conn *net.TCPConn, within time.Duration) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return err == nil && info != nil && time.Duration(info.Last_ack_recv)*time.Millisecond < within
}
