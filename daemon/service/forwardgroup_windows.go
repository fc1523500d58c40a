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
	var b *bound
	failed := func(ctx context.Context, code protocol.Code, err error) error {
		if err != nil && ctx.Err() == nil {
			return protocol.Violate(code, "%s", plainly(err))
		}
		return err
	}
	return &group{connect: func(ctx context.Context, to *protocol.Target) (net.Conn, error) {
		conn, err := dialTarget(ctx, to)
		return conn, failed(ctx, protocol.CodeConnectFailed, err)
	}, listen: func(ctx context.Context, on *protocol.Target, gateway string) (int, error) {
		var err error
		if b, err = bind(on, gateway); err != nil {
			return 0, failed(ctx, protocol.CodeListenFailed, err)
		}
		return b.port, nil
	}, lend: func(ctx context.Context) (string, error) {
		var err error
		if b, err = bindAgent(); err != nil {
			return "", failed(ctx, protocol.CodeListenFailed, err)
		}
		return b.path, nil
	}, accept: func(ctx context.Context) (net.Conn, error) {
		conn, err := b.accept(ctx)
		return conn, failed(ctx, protocol.CodeConnectFailed, err)
	}, giveBack: reset, end: func() {
		if b != nil {
			b.close()
		}
	}}, nil
}
