package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"minissh/daemon"
	"minissh/daemon/logins"
	"minissh/daemon/supervise"
)

const hasSupervisor = true

// superviseDaemon is the life of a supervisor (daemon/supervise).
func superviseDaemon(c *cli.Context) error {
	level, err := logLevel(c)
	if err != nil {
		return err
	}
	signals, others := make(chan os.Signal, 2), make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Notify(others, syscall.SIGHUP, syscall.SIGUSR2)
	log, sink := newLog(os.Stderr, level, toJournal())
	defer sink.Flush(lastWords)
	config := supervise.Config{Log: log, Args: os.Args, Signals: signals, Others: others,
		Stored: map[string]int{}, Forced: func() { os.Exit(1) }, Grace: c.Duration("stop-grace"),
		Stop: c.Duration("shutdown-grace") + c.Duration("stop-grace") + stopRest}
	if os.Geteuid() == 0 {
		book := logins.Open(logins.System, log)
		defer book.Close()
		config.Swept = book.Bury
	}
	activated, err := daemon.Activated(func(name string, fd int) bool {
		key, is := supervise.FromStore(name)
		if is {
			config.Stored[key] = fd
		}
		return is
	})
	if err != nil {
		return err
	}
	for _, l := range activated {
		config.Activated = append(config.Activated, l.(syscall.Conn))
	}
	boss, err := newManager()
	if err != nil {
		return err
	}
	if boss != nil {
		// the end of process 1 is everybody's
		config.Tell, config.Stays = boss.tellWith, os.Getpid() != 1
		if boss.every > 0 { // for the daemon proper, whose signs of life they are
			os.Setenv("WATCHDOG_USEC", strconv.FormatInt((2*boss.every).Microseconds(), 10))
		}
	}
	if supervise.Run(config) != 0 {
		return errSilent
	}
	return nil
}

// stopRest is how much longer than its graces a daemon may take to end.
const stopRest = 10 * time.Second

// tellWith is tell, with descriptors for the manager to keep.
func (m *manager) tellWith(assignments string, fds ...int) {
	m.conn.SetWriteDeadline(time.Now().Add(time.Second))
	if len(fds) == 0 {
		m.conn.Write([]byte(assignments))
		return
	}
	raw, err := m.conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Write(func(fd uintptr) bool {
		err := unix.Sendmsg(int(fd), []byte(assignments), unix.UnixRights(fds...), nil,
			unix.MSG_NOSIGNAL)
		return err != unix.EAGAIN
	})
}

// ofSupervisor closes a descriptor from the service manager that a supervisor had it keep: there is
// none now.
func ofSupervisor(name string, fd int) bool {
	_, is := supervise.FromStore(name)
	if is {
		syscall.Close(fd)
	}
	return is
}
