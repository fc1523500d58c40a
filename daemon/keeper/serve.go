//go:build unix

package keeper

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// A keeper speaks PROTOCOL.md on its socket, with the service job alone: HELLO, channels, and all
// that belongs to them. A daemon is its client.

// helloTime is how long a client may take to say HELLO.
const helloTime = 10 * time.Second

// mostVisitors is how many connections a keeper has at once.
const mostVisitors = 64

// reach calls do with a name of a directory that is short enough for a socket in it (unix(7): 107
// bytes). do's socket is in that very directory, whatever its name leads to meanwhile.
func reach[T any](dir string, do func(dir string) (T, error)) (T, error) {
	handle, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer handle.Close()
	short := "/proc/self/fd/" + strconv.Itoa(int(handle.Fd()))
	if _, err := os.Stat(short); err != nil {
		return do(dir) // no /proc
	}
	return do(short)
}

// dial connects to the keeper of a job.
func (f *folder) dial() (*net.UnixConn, error) {
	return reach(f.dir, func(dir string) (*net.UnixConn, error) {
		return net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, socketFile)})
	})
}

// accept serves all who come, until the listener is closed.
func (k *keeper) accept(l *net.UnixListener) {
	places := make(chan struct{}, mostVisitors)
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		select {
		case places <- struct{}{}:
			k.served.Go(func() {
				serve(conn, k.answer)
				<-places
			})
		default:
			conn.Close()
		}
	}
}

// serve serves one connection to its end, if it comes from this account or from root.
func serve(conn *net.UnixConn, answer func(*mux.Channel)) {
	defer conn.Close()
	if uid, err := transport.PeerUID(conn); err != nil || uid != 0 && uid != uint32(os.Getuid()) {
		return
	}
	conn.SetDeadline(time.Now().Add(helloTime))
	c := transport.Plain(conn)
	f, err := protocol.NewReader(c).Next()
	var hello protocol.Hello
	if err != nil || f.Type != protocol.TypeHello || f.Decode(&hello) != nil ||
		hello.Check() != nil {
		return
	}
	c.Authorized()
	conn.SetDeadline(time.Time{})
	s := mux.New(mux.Config{Role: mux.Daemon, Channels: protocol.MinChannels, Accept: answer})
	s.Accept(c, &hello, &protocol.Welcome{})
	s.Wait()
}

// answer serves one channel of a job that runs.
func (k *keeper) answer(ch *mux.Channel) {
	var reason *protocol.Reason
	switch job := ch.Request().Job; {
	case ch.Request().Service != "job" || ch.Request().CheckJob() != nil:
		reason = &protocol.Reason{Code: protocol.CodeBadRequest, Message: "it is not for a keeper"}
	case job.Do == protocol.JobAttach:
		reason = k.attach(ch, job)
	case job.Do == protocol.JobStop:
		k.stop(protocol.HowCancelled)
		<-k.over
		k.letGo()
		tell(ch, k.record())
	default:
		reason = &protocol.Reason{Code: protocol.CodeBadRequest,
			Message: "a keeper attaches and stops"}
	}
	if reason != nil {
		ch.Close(reason)
	}
}
