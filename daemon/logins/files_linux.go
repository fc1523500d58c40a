package logins

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Files are where logins are recorded.
type Files struct{ Utmp, Wtmp, Lastlog string }

// System are this machine's.
var System = Files{"/var/run/utmp", "/var/log/wtmp", "/var/log/lastlog"}

// mostUtmp bounds what is read of utmp, in bytes.
const mostUtmp = 32 << 20

// errLocked means that somebody holds a lock on a file.
var errLocked = errors.New("somebody has it locked")

// open opens a file that is there; nil: it is not.
func open(name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(name, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) || name == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, errors.New(name+" is not a regular file"))
	}
	return f, nil
}

// lock takes the lock that glibc takes, if it can be had at once. It ends with the file.
func lock(f *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errLocked
	}
	return nil // a file system that knows no locks has nobody who holds one
}

// opened opens a file and locks it, with force also without the lock.
func opened(name string, flags int, force bool) (*os.File, error) {
	f, err := open(name, flags)
	if f == nil {
		return nil, err
	}
	if err := lock(f); err != nil && !force {
		f.Close()
		return nil, err
	}
	return f, nil
}

// entries are those of utmp, as they are in the file.
func (l *layout) entries(f *os.File) ([]entry, error) {
	all, err := io.ReadAll(io.LimitReader(f, mostUtmp))
	if err != nil {
		return nil, err
	}
	list := make([]entry, len(all)/l.size)
	for i := range list {
		list[i] = l.entry(all[i*l.size:])
	}
	return list, nil
}

// put writes the i-th entry of utmp.
func (l *layout) put(f *os.File, i int, b []byte) error {
	_, err := f.WriteAt(b, int64(i)*int64(l.size))
	return err
}

// enter writes the beginning of a login to utmp: where its terminal is listed, or an ended login
// with its id, else at the end.
func (l *layout) enter(f *os.File, login *Login, at time.Time) error {
	list, err := l.entries(f)
	if err != nil {
		return err
	}
	place := len(list)
	for i, e := range list {
		if e.kind() < initProcess || e.kind() > deadProcess {
			continue
		}
		if e.line() == login.Line {
			place = i
			break
		}
		if place == len(list) && e.kind() == deadProcess && e.id() == idOf(login.Line) {
			place = i
		}
	}
	return l.put(f, place, l.begin(login, at))
}

// leave marks a login in utmp dead, if it is there.
func (l *layout) leave(f *os.File, login *Login, at time.Time) (there bool, err error) {
	list, err := l.entries(f)
	for i, e := range list {
		if e.is(login) {
			e.end(at)
			return true, l.put(f, i, e.b)
		}
	}
	return false, err
}

// bury marks our entries dead whose leaders are gone, and returns them as they are then.
func (l *layout) bury(f *os.File, at time.Time) (dead []entry, err error) {
	list, err := l.entries(f)
	for i, e := range list {
		if e.kind() != userProcess || !e.ours() || leads(e.pid()) {
			continue
		}
		e.end(at)
		if err := l.put(f, i, e.b); err != nil {
			return dead, err
		}
		dead = append(dead, e)
	}
	return dead, err
}

// leads says whether a process lives and leads a kernel session, as all of ours do: otherwise the
// number is another's by now. Nobody who cannot be asked about is taken for dead.
func leads(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESRCH) || !hasProc()
	}
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	const state, session = 0, 3 // proc(5), counted after the name
	return len(fields) > session && fields[state] != "Z" && fields[state] != "X" &&
		fields[session] == strconv.Itoa(pid)
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// append adds an entry to wtmp.
func (l *layout) append(name string, b []byte, force bool) error {
	f, err := opened(name, os.O_WRONLY|os.O_APPEND, force)
	if f == nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(b)
	return err
}

// note writes a login to lastlog.
func (l *layout) note(name string, login *Login, at time.Time) error {
	f, err := open(name, os.O_WRONLY)
	if f == nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(l.lastOf(login, at), int64(login.UID)*int64(l.last))
	return err
}
