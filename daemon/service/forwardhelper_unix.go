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

// forwardOrder is what a helper is to do, one of these. Numbers are never used twice.
type forwardOrder struct {
	Number uint32           `json:"number"`
	To     *protocol.Target `json:"to,omitempty"`      // connect
	Listen *protocol.Target `json:"listen,omitempty"`  // once at most
	Lend   bool             `json:"lend,omitempty"`    // the same, for an agent
	Accept bool             `json:"accept,omitempty"`  // take what comes to the listener
	GiveUp bool             `json:"give_up,omitempty"` // nobody wants this number's any more

	Gateway string `json:"gateway,omitempty"` // with Listen: Permits.GatewayPorts
}

// forwardAnswer is what a helper says. A descriptor comes with it, or Port, or Path, unless Why
// says why not.
type forwardAnswer struct {
	Ready  bool   `json:"ready,omitempty"` // the first of all; it answers nothing
	Number uint32 `json:"number,omitempty"`
	Port   int    `json:"port,omitempty"`
	Path   string `json:"path,omitempty"`
	Why    string `json:"why,omitempty"`
}

const maxAnswer = 2 << 10 // bytes

// connecting is a helper at work.
type connecting struct {
	socket *net.UnixConn
	bound  *bound // nil until it listens; only the goroutine that reads orders sets it

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
	if c.say(forwardAnswer{Ready: true}, nil) != nil {
		return 2
	}
	syscall.Umask(0o177) // a Unix socket is its owner's alone (FO7)
	for {
		var order forwardOrder
		if process.ReadMessage(os.Stdin, process.MaxOrder, &order) != nil {
			if c.bound != nil {
				c.bound.close()
			}
			return 0
		}
		c.obey(order)
	}
}

// obey begins to carry out one order.
func (c *connecting) obey(order forwardOrder) {
	switch {
	case order.GiveUp:
		c.mu.Lock()
		if stop := c.giveUp[order.Number]; stop != nil {
			stop()
		}
		c.mu.Unlock()
	case (order.Listen != nil || order.Lend) && c.bound == nil:
		var b *bound
		var err error
		if order.Lend {
			b, err = bindAgent()
		} else {
			b, err = bind(order.Listen, order.Gateway)
		}
		answer := forwardAnswer{Number: order.Number}
		if err != nil {
			answer.Why = logbook.Shorten(plainly(err), 256)
		} else {
			c.bound, answer.Port, answer.Path = b, b.port, b.path
		}
		c.say(answer, nil)
	case order.To != nil:
		ctx, cancel := context.WithTimeout(context.Background(), connectTime)
		c.begin(cancel, order.Number, func() (net.Conn, error) {
			return dialTarget(ctx, order.To)
		})
	case order.Accept && c.bound != nil:
		ctx, cancel := context.WithCancel(context.Background())
		b := c.bound
		c.begin(cancel, order.Number, func() (net.Conn, error) { return b.accept(ctx) })
	}
}

// begin has a connection made, until it is cancelled, and answers.
func (c *connecting) begin(cancel func(), number uint32,
	get func() (net.Conn, error)) {
	c.mu.Lock()
	c.giveUp[number] = cancel
	c.mu.Unlock()
	go func() {
		conn, err := get()
		c.mu.Lock()
		cancel()
		delete(c.giveUp, number)
		c.mu.Unlock()
		answer := forwardAnswer{Number: number}
		if err != nil {
			answer.Why = logbook.Shorten(plainly(err), 256)
		} else {
			defer conn.Close()
		}
		c.say(answer, conn)
	}()
}

// say sends an answer, and a connection unless that is nil.
func (c *connecting) say(answer forwardAnswer, conn net.Conn) error {
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
