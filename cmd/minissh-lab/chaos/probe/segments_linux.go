package probe

import (
	"net"

	"golang.org/x/sys/unix"
)

// Segments is how many segments with data conn has sent (tcpi_data_segs_out,
// Linux 4.6), resent ones included; ok is false when that is not known.
func Segments(conn net.Conn) (n int, ok bool) {
	control(conn, func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n, ok = int(info.Data_segs_out), true
		}
	})
	return n, ok
}
