//go:build !unix

package daemon

import (
	"errors"
	"io"
	"net"
	"os"
)

var errNoControl = errors.New("this system does not tell who is at the other end of a socket, so there is no control socket")

func listenControl(string, os.FileMode) (net.Listener, io.Closer, error) {
	return nil, nil, errNoControl
}

func privateDir(string) error { return errNoControl }
