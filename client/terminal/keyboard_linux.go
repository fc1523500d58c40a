package terminal

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/mux"
	"minissh/protocol/nonblock"
)

// reopened is a terminal or a pipe that was opened again, non-blocking. So Go's poller waits for it
// together with the link: a thread of its own would have to be woken for each key, and would wake
// others. (The descriptor that we were given is shared with our parent and must stay blocking. And
// whoever else reads it may be first: a read that blocks would then wait where Stop cannot end it.)
type reopened struct {
	*nonblock.Descriptor
	file *os.File
}

var _ mux.TryWriter = (*reopened)(nil) // what Display gives

func (r *reopened) Read(p []byte) (int, error) {
	n, err := r.Descriptor.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EIO) {
		err = io.EOF
	}
	return n, err
}

func (r *reopened) Stop()        { r.file.SetReadDeadline(time.Unix(1, 0)) }
func (r *reopened) Close() error { return r.file.Close() }

// Output is a writer to a file of another process's. Its Close ends a Write to a terminal or a pipe
// that waits for a reader, and leaves f open.
func Output(f *os.File) io.WriteCloser {
	if own := openAgain(f, unix.O_WRONLY, true); own != nil {
		return own
	}
	return kept{f}
}

// reopen is openAgain without its cost for each key.
func reopen(f *os.File, mode int, pipes bool) *reopened {
	file := openAgain(f, mode, pipes)
	if file == nil {
		return nil
	}
	if d, err := nonblock.New(file); err == nil {
		return &reopened{d, file}
	}
	file.Close()
	return nil
}

// openAgain opens a terminal again, or a pipe if pipes may be, and waits for it in Go's poller; nil
// if f is neither, or it is impossible.
func openAgain(f *os.File, mode int, pipes bool) *os.File {
	fd := int(f.Fd())
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil && !(pipes && isPipe(fd, mode)) {
		return nil
	}
	again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd),
		mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(again), f.Name())
	if file.SetDeadline(time.Time{}) == nil { // it is in the poller
		return file
	}
	file.Close()
	return nil
}

// isPipe says whether fd is the end of a pipe that is for that mode. The other end can be opened
// for it, too, which must not be.
func isPipe(fd, mode int) bool {
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&(unix.O_ACCMODE|unix.O_PATH) == mode
}
