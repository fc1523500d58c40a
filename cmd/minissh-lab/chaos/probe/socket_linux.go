package probe

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const fionread = unix.TIOCINQ // tcp(7): SIOCINQ

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

// Sent looks at conn's sending side (tcpi_data_segs_out, tcpi_bytes_sent,
// tcpi_bytes_retrans, tcpi_notsent_bytes, tcpi_bytes_acked, tcpi_snd_wnd: all in one getsockopt,
// which the kernel answers under the socket's lock, so that they belong together); ok is false when
// the kernel does not tell (bytes since Linux 4.19,
// the window since 5.4).
func Sent(conn net.Conn) (out Outgoing, ok bool) {
	control(conn, func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || info.Data_segs_out > 0 && info.Bytes_sent == 0 {
			return
		}
		out = Outgoing{
			Segments: int(info.Data_segs_out), Bytes: int(info.Bytes_sent),
			Resent: int(info.Bytes_retrans), Held: int(info.Notsent_bytes),
			Acked: int(info.Bytes_acked), Window: int(info.Snd_wnd),
		}
		ok = true
	})
	return out, ok
}

// Received is how many segments with data have come, and how many bytes in them (tcpi_data_segs_in,
// Linux 4.6, and tcpi_bytes_received), whether read or not; ok is false when that is not known. A
// FIN counts as a byte.
func Received(conn net.Conn) (segments, bytes int, ok bool) {
	control(conn, func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.Data_segs_in > 0 {
			segments, bytes, ok = int(info.Data_segs_in), int(info.Bytes_received), true
		}
	})
	return segments, bytes, ok
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

// Unread is how many bytes of what conn sent its peer has not read yet. The peer's
// socket must be on this machine: /proc/net/tcp lists it with its receive queue.
func Unread(conn net.Conn) (n int, ok bool) {
	if _, local := conn.(*net.UnixConn); local {
		return unreadUnix(conn)
	}
	us, ok1 := conn.LocalAddr().(*net.TCPAddr)
	them, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return 0, false
	}
	table := "/proc/self/net/tcp"
	if us.IP.To4() == nil {
		table = "/proc/self/net/tcp6"
	}
	f, err := os.Open(table)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	local, remote := procAddress(them), procAddress(us)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local_address rem_address st tx_queue:rx_queue …
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.EqualFold(fields[1], local) ||
			!strings.EqualFold(fields[2], remote) {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		waiting, err := strconv.ParseUint(queue, 16, 32)
		return int(waiting), err == nil
	}
	return 0, false
}

// unreadUnix asks a Unix socket what it has sent and is still unread: buffers with
// their overhead, so only 0 is exact.
func unreadUnix(conn net.Conn) (n int, ok bool) {
	control(conn, func(fd uintptr) {
		var err error
		n, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) // SIOCOUTQ
		ok = err == nil
	})
	return n, ok
}

// procAddress writes an address as /proc/net/tcp does: words of four bytes in the
// machine's own order (little-endian on all that Go's lab runs on), then the port.
func procAddress(a *net.TCPAddr) string {
	ip := a.IP.To4()
	if ip == nil {
		ip = a.IP.To16()
	}
	swapped := make([]byte, len(ip))
	for i := range ip {
		swapped[i] = ip[i/4*4+3-i%4]
	}
	return fmt.Sprintf("%s:%04X", strings.ToUpper(hex.EncodeToString(swapped)), a.Port)
}
