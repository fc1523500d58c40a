//go:build unix

package master

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// receiveFile receives an open file, which comes with one byte.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	var one [1]byte
	rights := make([]byte, syscall.CmsgSpace(4))
	n, size, flags, _, err := conn.ReadMsgUnix(one[:], rights)
	if err != nil {
		return nil, err
	}
	var all []int
	messages, err := syscall.ParseSocketControlMessage(rights[:size])
	for i := 0; err == nil && i < len(messages); i++ {
		var some []int
		some, err = syscall.ParseUnixRights(&messages[i])
		all = append(all, some...)
	}
	if err == nil && n == 1 && len(all) == 1 && flags&syscall.MSG_CTRUNC == 0 {
		return os.NewFile(uintptr(all[0]), "stream"), nil
	}
	for _, fd := range all {
		syscall.Close(fd)
	}
	return nil, errors.New("it did not send its standard streams")
}
