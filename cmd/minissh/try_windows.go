package main

import (
	"net"
	"os/exec"
	"syscall"
)

// prepareTry: Windows has no socketpair, so the child listens on loopback; TLS with the two keys
// keeps everyone else out.
func prepareTry(child *exec.Cmd) (connect func(address string) (net.Conn, error), err error) {
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	return func(address string) (net.Conn, error) { return net.Dial("tcp", address) }, nil
}

func tryListen() (address string, accept func() (net.Conn, error), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), func() (net.Conn, error) {
		defer l.Close()
		return l.Accept()
	}, nil
}
