package service

import (
	"context"
	"net"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// startGroup needs no helper: this daemon serves its own account alone.
func (h *Host) startGroup(*mux.Channel, *access.Client) (*group, *protocol.Reason) {
	return &group{connect: func(ctx context.Context, to *protocol.Target) (net.Conn, error) {
		conn, err := dialTarget(ctx, to)
		if err != nil && ctx.Err() == nil {
			return nil, protocol.Violate(protocol.CodeConnectFailed, "%s", plainly(err))
		}
		return conn, err
	}, end: func() {}}, nil
}
