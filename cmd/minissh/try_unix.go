//go:build unix

package main

import (
	"net"
	"os"
	"os/exec"
	"syscall"
)

// prepareTry gives the child one end of a socketpair as descriptor 3: nobody else can reach it, and
// it leaves no file. The child leads its own kernel session, so that Ctrl-C at our terminal does
// not reach it.
func prepareTry(child *exec.Cmd) (connect func(address string) (net.Conn, error), err error) {
	pair, err := socketpair()
	if err != nil {
		return nil, err
	}
	child.ExtraFiles = []*os.File{pair[1]}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return func(string) (net.Conn, error) {
		defer pair[0].Close()
		defer pair[1].Close()
		return net.FileConn(pair[0])
	}, nil
}

func socketpair() (pair [2]*os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return pair, err
	}
	return [2]*os.File{os.NewFile(uintptr(fds[0]), "try"), os.NewFile(uintptr(fds[1]), "try")}, nil
}

// tryListen takes up the child's end.
func tryListen() (address string, accept func() (net.Conn, error), err error) {
	return "", func() (net.Conn, error) {
		syscall.CloseOnExec(3)
		f := os.NewFile(3, "try")
		defer f.Close()
		return net.FileConn(f)
	}, nil
}
