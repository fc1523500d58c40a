//go:build unix

package service

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"sync"
	"syscall"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
)

// forwardHelper is this program as the helper of a group (FO5). Its standard input has orders. By
// its socket it says that it is ready, and then answers each order once, with the connection if
// there is one. It ends with its standard input.
const forwardHelper = "forward"

func init() { process.Helper(forwardHelper, beForwardHelper) }

// connectOrder is what a helper is to do. Numbers are never used twice.
type connectOrder struct {
	Number uint32           `json:"number"`
	To     *protocol.Target `json:"to,omitempty"`
	GiveUp bool             `json:"give_up,omitempty"` // nobody wants this number's any more
}

// connectAnswer is what a helper says. A descriptor comes with it unless Why says why not.
type connectAnswer struct {
	Ready  bool   `json:"ready,omitempty"` // the first of all; it answers nothing
	Number uint32 `json:"number,omitempty"`
	Why    string `json:"why,omitempty"`
}

const maxAnswer = 2 << 10 // bytes

// connecting is a helper at work.
type connecting struct {
	socket *net.UnixConn

	mu     sync.Mutex // guards the rest
	giveUp map[uint32]func()
}

func beForwardHelper([]string) int {
	file := os.NewFile(process.SocketFD, "socket")
	conn, err := net.FileConn(file)
	file.Close()
	socket, ok := conn.(*net.UnixConn)
	if err != nil || !ok {
		return 2
	}
	c := &connecting{socket: socket, giveUp: map[uint32]func(){}}
	if c.say(connectAnswer{Ready: true}, nil) != nil {
		return 2
	}
	for {
		var order connectOrder
		if readMessage(os.Stdin, &order) != nil {
			return 0
		}
		switch {
		case order.GiveUp:
			c.mu.Lock()
			if stop := c.giveUp[order.Number]; stop != nil {
				stop()
			}
			c.mu.Unlock()
		case order.To != nil:
			ctx, cancel := context.WithTimeout(context.Background(), connectTime)
			c.mu.Lock()
			c.giveUp[order.Number] = cancel
			c.mu.Unlock()
			go c.connect(ctx, order)
		}
	}
}

// connect carries out one order.
func (c *connecting) connect(ctx context.Context, order connectOrder) {
	conn, err := dialTarget(ctx, order.To)
	c.mu.Lock()
	c.giveUp[order.Number]()
	delete(c.giveUp, order.Number)
	c.mu.Unlock()
	answer := connectAnswer{Number: order.Number}
	if err != nil {
		answer.Why = logbook.Shorten(plainly(err), 256)
	} else {
		defer conn.Close()
	}
	c.say(answer, conn)
}

// say sends an answer, and a connection unless that is nil.
func (c *connecting) say(answer connectAnswer, conn net.Conn) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if conn == nil {
		_, err = c.socket.Write(text)
		return err
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	raw.Control(func(fd uintptr) {
		_, _, err = c.socket.WriteMsgUnix(text, syscall.UnixRights(int(fd)), nil)
	})
	return err
}
