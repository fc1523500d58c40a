package pam

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
	"minissh/daemon/process/stage"
)

// Session is PAM's session of a client's session. It is a process.Origin.
type Session struct {
	*worker
	answer      *answer
	environment []string

	mu     sync.Mutex // held while a stage is asked for
	closed bool
	failed bool // a stage could not be executed, and may not have been reaped
}

var _ process.Origin = (*Session)(nil)

// Groups are the supplementary groups of the account in this session.
func (s *Session) Groups() []uint32 { return s.answer.Groups }

// Messages are what modules have said to the user.
func (s *Session) Messages() []string { return s.answer.Messages }

// MustChange says that the account's password has expired: nothing but changing it is allowed.
func (s *Session) MustChange() bool { return s.answer.MustChange }

// Limits implements process.Origin.
func (s *Session) Limits() []stage.Limit { return s.answer.Limits }

// Environment implements process.Origin.
func (s *Session) Environment() []string { return s.environment }

// Placed implements process.Origin.
func (s *Session) Placed() bool { return s.answer.Placed }

// The request for a stage is one byte, with the stage's socket. The answer is forked, with a pidfd
// if the kernel has any.
const (
	forkOnce  = 1
	forkLasts = 2
)

// sizeOfForked is an answer's length: the process id, then an errno, each 32 bits, little-endian.
const sizeOfForked = 8

// Fork implements process.Origin.
func (s *Session) Fork(socket int, lasts bool) (pid, pidfd int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, -1, errors.New("the PAM session is closed")
	}
	s.reapFailed()
	s.socket.SetDeadline(time.Now().Add(process.StartTime))
	request := []byte{forkOnce}
	if lasts {
		request[0] = forkLasts
	}
	if _, _, err = s.socket.WriteMsgUnix(request, unix.UnixRights(socket), nil); err != nil {
		return 0, -1, fmt.Errorf("the PAM process cannot be asked: %w", err)
	}
	var b [sizeOfForked]byte
	room := make([]byte, unix.CmsgSpace(4))
	n, got, _, _, err := s.socket.ReadMsgUnix(b[:], room)
	if err != nil || n != len(b) {
		// a late answer would be taken for that of the next stage, whose process nobody would know
		s.closed = true
		s.part()
		return 0, -1, errors.New("the PAM process of this session does not answer")
	}
	files := received(room[:got])
	pid, errno := int(get32(b[:])), syscall.Errno(get32(b[4:]))
	if errno != 0 || pid <= 0 {
		closeAll(files)
		s.failed = true
		return 0, -1, fmt.Errorf("the PAM process cannot start another: %w", errno)
	}
	if len(files) != 1 {
		closeAll(files)
		return pid, -1, nil
	}
	return pid, files[0], nil
}

// reapFailed reaps stages that could not be executed. The caller holds mu.
func (s *Session) reapFailed() {
	if s.failed {
		process.ReapMembers(s.p.PID)
	}
	s.failed = false
}

// received are the descriptors of a message.
func received(control []byte) (files []int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for i := range messages {
		if rights, err := unix.ParseUnixRights(&messages[i]); err == nil {
			files = append(files, rights...)
		}
	}
	for _, fd := range files {
		unix.CloseOnExec(fd)
	}
	return files
}

func closeAll(files []int) {
	for _, fd := range files {
		unix.Close(fd)
	}
}

// Ended is closed when the PAM process has ended.
func (s *Session) Ended() <-chan struct{} { return s.p.Done() }

// Close lets PAM's session be closed, as soon as the jobs that began in it have ended. It waits for
// nothing, and may be called again.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.reapFailed()
	s.part()
}

func get32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
