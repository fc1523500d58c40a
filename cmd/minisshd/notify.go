package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"minissh/daemon/supervise"
)

// manager is the service manager that started the daemon. The daemon tells it what it does, as
// sd_notify(3) describes. The nil manager does nothing.
type manager struct {
	conn *net.UnixConn
	// or the supervisor, which tells it
	generation *supervise.Generation
	every      time.Duration // between signs of life; 0: none are asked for
}

// managerOf is the service manager, of which a supervisor may be in the way.
func managerOf(generation *supervise.Generation) (*manager, error) {
	if generation == nil {
		return newManager()
	}
	every := signsOfLife(os.Getenv("WATCHDOG_USEC"))
	os.Unsetenv("WATCHDOG_USEC")
	return &manager{generation: generation, every: every}, nil
}

// newManager reads NOTIFY_SOCKET (a path, or '@' and an abstract name) and WATCHDOG_USEC, and
// removes them from the environment.
func newManager() (*manager, error) {
	address, interval, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"),
		os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	if address == "" {
		return nil, nil
	}
	if address[0] != '/' && address[0] != '@' {
		return nil, fmt.Errorf("NOTIFY_SOCKET is neither a path nor an abstract name: %q", address)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	m := &manager{conn: conn}
	if pid == "" || pid == strconv.Itoa(os.Getpid()) {
		m.every = signsOfLife(interval)
	}
	return m, nil
}

// signsOfLife is how often a service manager wants one, by its WATCHDOG_USEC; 0: never.
func signsOfLife(interval string) time.Duration {
	usec, err := strconv.ParseInt(interval, 10, 64)
	if err != nil || usec <= 0 || usec >= 1e12 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 2
}

// tell sends assignments. A manager that does not listen harms only itself.
func (m *manager) tell(assignments ...string) {
	switch {
	case m == nil:
	case m.generation != nil:
		m.generation.Tell(strings.Join(assignments, "\n"))
	default:
		m.conn.SetWriteDeadline(time.Now().Add(time.Second))
		m.conn.Write([]byte(strings.Join(assignments, "\n")))
	}
}

// ready says that the daemon accepts connections, and where.
func (m *manager) ready(addresses []string) {
	m.tell("READY=1", "STATUS=Listening on "+strings.Join(addresses, " "))
}

// reloading says that the configuration is being read again, until ready is called.
func (m *manager) reloading() {
	m.tell("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic().Microseconds(), 10),
		"STATUS=Reading the configuration again")
}

// stopping says that the daemon is about to end.
func (m *manager) stopping() {
	m.tell("STOPPING=1", "STATUS=Waiting for commands to end")
}

// watch gives signs of life while alive returns, until the process ends. alive takes the way that
// the daemon's work takes, so that a hanging daemon is noticed.
func (m *manager) watch(alive func()) {
	if m == nil || m.every <= 0 {
		return
	}
	go func() {
		for range time.Tick(m.every) {
			alive()
			m.tell("WATCHDOG=1")
		}
	}()
}
