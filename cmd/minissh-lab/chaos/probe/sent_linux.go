package probe

import (
	"net"

	"golang.org/x/sys/unix"
)

// Sent looks at conn's sending side (tcpi_data_segs_out, tcpi_bytes_sent,
// tcpi_bytes_retrans, tcpi_notsent_bytes: all in one getsockopt, which the kernel
// answers under the socket's lock, so that they belong together); ok is false when
// the kernel does not tell (bytes since Linux 4.19).
func Sent(conn net.Conn) (out Outgoing, ok bool) {
	control(conn, func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || info.Data_segs_out > 0 && info.Bytes_sent == 0 {
			return
		}
		out = Outgoing{
			Segments: int(info.Data_segs_out), Bytes: int(info.Bytes_sent),
			Resent: int(info.Bytes_retrans), Held: int(info.Notsent_bytes),
		}
		ok = true
	})
	return out, ok
}

// DelayAcks makes conn acknowledge as a connection does that has talked for a
// while: not at once, but with the next answer or after 40 ms. A fresh connection
// acknowledges its first segments at once (quickack), and Nagle has nothing to wait for.
func DelayAcks(conn net.Conn) {
	control(conn, func(fd uintptr) {
		// a demonstration: its outcome is measured
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	})
}
