//go:build linux || darwin

package process

import "syscall"

// readAvailable reads from a non-blocking descriptor until it is empty, at its
// end, or max bytes came.
func readAvailable(fd, max int) []byte {
	data := make([]byte, 0, 1024)
	for len(data) < max {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := syscall.Read(fd, data[len(data):cap(data)])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			break
		}
		data = data[:len(data)+n]
	}
	return data
}
