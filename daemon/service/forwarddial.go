package service

import (
	"context"
	"errors"
	"net"
	"os"

	"minissh/protocol"
	"minissh/protocol/names"
)

// dialTarget connects to a target, with the rights of this process.
func dialTarget(ctx context.Context, to *protocol.Target) (net.Conn, error) {
	var d net.Dialer
	if len(to.Path) > 0 {
		return d.DialContext(ctx, "unix", string(to.Path))
	}
	return names.Dial(ctx, &d, "tcp", to.String())
}

// plainly says why a connection could not be made, without the target's name.
func plainly(err error) string {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name cannot be looked up: " + lookup.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return err.Error()
}
