package probe

import (
	"net"
	"unsafe"

	"golang.org/x/sys/windows"
)

const fionread = 0x4004667f // FIONREAD, winsock2.h

// Pending is how many bytes wait in conn's receive buffer; ok is false when that
// is not known.
func Pending(conn net.Conn) (n int, ok bool) {
	control(conn, func(fd uintptr) {
		var waiting, got uint32
		err := windows.WSAIoctl(windows.Handle(fd), fionread, nil, 0,
			(*byte)(unsafe.Pointer(&waiting)), uint32(unsafe.Sizeof(waiting)), &got, nil, 0)
		n, ok = int(waiting), err == nil
	})
	return n, ok
}
