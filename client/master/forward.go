package master

import (
	"context"
	"errors"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Forwards are changed on request (client/forward).
type Forwards interface {
	Add(context.Context, *options.Forward) (port int, err error)
	Cancel(*options.Forward) error
}

// Kinds of forwards, and what is sent in the place of a port if there is the path of a Unix socket.
const (
	localForward   uint32 = 1
	remoteForward  uint32 = 2
	dynamicForward uint32 = 3
	isPath         uint32 = 0xfffffffe // -2
	socks                 = "socks"    // in the place of a target: those who come say where to
)

// forwardMessage asks for a forward, or for its end.
func forwardMessage(kind uint32, f *options.Forward) message {
	how := localForward
	switch {
	case f.Remote:
		how = remoteForward
	case f.Dynamic:
		how = dynamicForward
	}
	host, port := f.Bind, uint32(f.Port)
	switch {
	case f.Path != "":
		host, port = f.Path, isPath
	case f.BindGiven && host == "":
		host = "*"
	}
	m := newMessage(kind, 0, how).text(host).number(port)
	switch {
	case f.Dynamic && f.Remote:
		return m.text(socks).number(0)
	case len(f.Target.Path) > 0:
		return m.text(string(f.Target.Path)).number(isPath)
	}
	return m.text(f.Target.Host).number(uint32(f.Target.Port))
}

// readForward reads what follows the number of such a request.
func readForward(b *body) (*options.Forward, error) {
	how, host, port := b.number(), b.text(), b.number()
	to, toPort := b.text(), b.number()
	f := &options.Forward{Remote: how == remoteForward, Dynamic: how == dynamicForward ||
		how == remoteForward && to == socks && toPort == 0}
	if port == isPath {
		f.Path = host
	} else {
		f.Bind, f.BindGiven, f.Port = host, host != "", int(port)
	}
	switch {
	case f.Dynamic:
	case toPort == isPath:
		f.Target.Path = protocol.Bytes(to)
	default:
		f.Target.Host, f.Target.Port = to, int(toPort)
	}
	if b.bad || how < localForward || how > dynamicForward ||
		f.Path == "" && (port > 65535 || port == 0 && !f.Remote) {
		return nil, errors.New("it is not a forward")
	}
	return f, nil
}

// change does what a request asks for.
func (o *Owner) change(kind, id uint32, b *body) message {
	f, err := readForward(b)
	port := 0
	switch {
	case err != nil:
	case kind == closeForward:
		err = o.forwards.Cancel(f)
	default:
		if v, bad := errors.AsType[*protocol.Violation](f.Target.Check()); bad && !f.Dynamic {
			err = errors.New(v.Message)
			break
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		port, err = o.forwards.Add(ctx, f)
	}
	failure, told := errors.AsType[*report.Failure](err)
	switch {
	case told:
		return newMessage(refused, id).text(failure.What)
	case err != nil:
		return newMessage(refused, id).text(report.Plain(err).Error())
	case kind == openForward && f.Remote && f.Port == 0 && f.Path == "":
		return newMessage(remotePort, id, uint32(port))
	}
	return newMessage(ok, id)
}
