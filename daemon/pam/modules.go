//go:build linux && pam

package pam

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/msteinert/pam/v2"
	"golang.org/x/sys/unix"

	"minissh/daemon/process"
)

// Built says whether this program can ask PAM.
const Built = true

// closeTime is how long modules may take to close a session.
const closeTime = 30 * time.Second

// The steps at which PAM may refuse.
const (
	stepStart   = "to start"
	stepAccount = "the account"
	stepSession = "the session"
)

// What modules may say and set, in bytes; what comes after that is left out.
const (
	mostText        = 16 << 10
	mostEnvironment = 64 << 10
)

func init() {
	process.Helper(verb, func([]string) int { return new(modules).run() })
	if len(os.Args) > 2 && os.Args[2] == verb {
		// main stays on the main thread: /proc/self/loginuid is that one's
		runtime.LockOSThread()
	}
}

// modules is a PAM process.
type modules struct {
	login  Login
	t      *pam.Transaction
	heard  []string // what modules have said
	room   int      // for what they say, in bytes
	before []unix.Rlimit
	lasts  sync.WaitGroup // processes for which the session stays open

	opened   atomic.Bool   // whether there is a session to close
	unwanted chan struct{} // closed when a signal has asked for this process's end
}

// run is a PAM process's whole life.
func (m *modules) run() int {
	m.room = mostText
	// a module that writes to the daemon's end of a pipe, which may be closed, must not end this;
	// and what this ignored, commands would ignore
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	if process.ReadMessage(os.Stdin, process.MaxOrder, &m.login) != nil {
		return 0 // it was not needed
	}
	m.unwanted = make(chan struct{})
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM)
	go m.heed(term)
	late := time.AfterFunc(2*OpenTime, abandon) // the daemon is dead
	a := m.open()
	late.Stop()
	opened := m.opened.Load()
	if process.WriteMessage(os.Stdout, a) == nil && opened && a.Failed == "" {
		m.serve()
		m.await()
	}
	time.AfterFunc(closeTime, abandon)
	if opened {
		if err := m.t.CloseSession(0); err != nil { // the daemon logs what is said here
			fmt.Fprintf(os.Stderr, "closing the session of %s: %v\n", m.login.User, err)
		}
		m.t.SetCred(pam.DeleteCred)
	}
	if m.t != nil {
		m.t.End()
	}
	return 0
}

// heed ends this process when a signal asks for that, as logind does with everything in a
// session that is terminated: modules that are still opening the session are abandoned, an open one
// is closed.
func (m *modules) heed(term <-chan os.Signal) {
	<-term
	if !m.opened.Load() {
		abandon()
	}
	close(m.unwanted)
	unix.Shutdown(process.SocketFD, unix.SHUT_RDWR)
}

// converse is what modules say. There is nobody to answer: a key has logged in.
func (m *modules) converse(style pam.Style, text string) (string, error) {
	if style != pam.TextInfo && style != pam.ErrorMsg {
		return "", errors.New("nobody answers")
	}
	text = strings.ToValidUTF8(text, "?")
	if m.room -= len(text); m.room >= 0 {
		m.heard = append(m.heard, text)
	}
	return "", nil
}

// open asks whether the account may log in, and opens the session, in the order of OpenSSH's
// auth-pam.c.
func (m *modules) open() *answer {
	a, err := &answer{Failed: stepStart}, error(nil)
	fail := func(step string) *answer {
		a.Failed, a.Why, a.Messages = step, err.Error(), m.heard
		a.Broken = step == stepStart || errors.Is(err, pam.ErrSystem) ||
			errors.Is(err, pam.ErrAbort) || errors.Is(err, pam.ErrOpen) ||
			errors.Is(err, pam.ErrSymbol)
		// pam_nologin, pam_time and pam_access say this one
		a.Passes = errors.Is(err, pam.ErrPermDenied) || errors.Is(err, pam.ErrAuth) ||
			errors.Is(err, pam.ErrAuthinfoUnavail)
		return a
	}
	if m.t, err = pam.StartFunc(Name, m.login.User, m.converse); err != nil {
		return fail(stepStart)
	}
	if err = m.describe(); err != nil {
		return fail(stepStart)
	}
	switch err = m.t.AcctMgmt(0); {
	case errors.Is(err, pam.ErrNewAuthtokReqd):
		a.MustChange = true
	case err != nil:
		return fail(stepAccount)
	}
	if a.Failed, a.Messages = "", m.heard; m.login.Again {
		return a
	}
	if step, err := m.session(a); err != nil {
		a.Failed, a.Why, a.Messages, a.Broken = step, err.Error(), m.heard, true
		if errors.As(err, new(pam.Error)) {
			a.Broken = false
		}
		return a
	}
	a.Messages = m.heard
	return a
}

// describe tells modules who comes from where, as sshd does.
func (m *modules) describe() error {
	err := m.t.SetItem(pam.Tty, "ssh") // modules want one, and know this word
	if m.login.Remote != "" {
		err = errors.Join(err, m.t.SetItem(pam.Rhost, m.login.Remote))
	}
	if m.login.Connection != "" {
		err = errors.Join(err, m.t.PutEnv("SSH_CONNECTION="+m.login.Connection))
	}
	return err
}

// session sets credentials and opens the session, and notes what modules have set in this process.
func (m *modules) session(a *answer) (step string, err error) {
	// A session keyring of its own: the daemon's is not the account's. A kernel that has or allows
	// no keyrings has nothing to share.
	unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
	groups := make([]int, len(m.login.Groups))
	for i, gid := range m.login.Groups {
		groups[i] = int(gid)
	}
	if err := syscall.Setgroups(groups); err != nil { // modules may add some
		return stepStart, err
	}
	cgroup := ownCgroup()
	m.before = limitsNow()
	m.t.SetCred(pam.EstablishCred) // an error does not matter: PAM has not authenticated anybody
	if err := m.t.OpenSession(0); err != nil {
		m.t.SetCred(pam.DeleteCred)
		return stepSession, err
	}
	m.opened.Store(true)
	if a.Limits, err = takeLimits(m.before); err != nil {
		return stepSession, err
	}
	if groups, err = syscall.Getgroups(); err != nil {
		return stepSession, err
	}
	for _, gid := range groups {
		a.Groups = append(a.Groups, uint32(gid))
	}
	a.Placed = ownCgroup() != cgroup
	all, err := m.t.GetEnvList()
	if err != nil {
		return stepSession, err
	}
	room := mostEnvironment
	for name, value := range all {
		if strings.HasPrefix(name, "SSH_CONNECTION") || strings.HasPrefix(name, "SSH_AUTH_INFO") {
			continue // sshd takes neither from here
		}
		if room -= len(name) + len(value) + 2; room < 0 {
			return stepSession, fmt.Errorf("modules set more than %d bytes of environment",
				mostEnvironment)
		}
		a.Environment = append(a.Environment, []byte(name+"="+value))
	}
	return "", nil
}

// ownCgroup is where this process is counted.
func ownCgroup() string {
	text, _ := os.ReadFile("/proc/self/cgroup")
	return string(text)
}

// serve forks stages until the daemon closes the socket.
func (m *modules) serve() {
	request, room := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	for {
		n, got, _, _, err := unix.Recvmsg(process.SocketFD, request, room, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		files := received(room[:got])
		if len(files) != 1 {
			closeAll(files)
			return
		}
		pidfd := -1
		pid, err := process.ForkStage(files[0], &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_PARENT, PidFD: &pidfd})
		closeAll(files)
		m.forked(pid, pidfd, err, request[0] == forkLasts)
	}
}

// forked tells the daemon of a stage.
func (m *modules) forked(pid, pidfd int, err error, lasts bool) {
	var b [sizeOfForked]byte
	if put32(b[:], uint32(pid)); err != nil {
		errno := unix.EINVAL
		errors.As(err, &errno)
		put32(b[4:], uint32(errno))
	}
	var rights []byte
	if err == nil && pidfd >= 0 {
		rights = unix.UnixRights(pidfd)
	}
	unix.Sendmsg(process.SocketFD, b[:], rights, nil, unix.MSG_NOSIGNAL)
	if err == nil && lasts {
		m.lasts.Go(func() { process.AwaitForked(pid, pidfd) })
	} else if pidfd >= 0 {
		unix.Close(pidfd)
	}
}

// await waits for the jobs for which the session stays open, unless nobody wants it any more.
func (m *modules) await() {
	ended := make(chan struct{})
	go func() { m.lasts.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-m.unwanted:
	}
}

func put32(b []byte, n uint32) {
	b[0], b[1], b[2], b[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
}
