package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Cgroups counts each account's processes separately (cgroups(7)), so that an account at its limit
// keeps neither others nor the daemon from starting processes or threads. Go ends a program that
// cannot start a thread. Below a cgroup that is delegated to the daemon there are then
//
//	daemon      the daemon itself (cgroup v2 alone: with v1 it stays where it is)
//	users       all accounts, with less than the whole's limit
//	users/UID   one account
type Cgroups struct {
	dir     string // the delegated one
	v1      bool
	perUser int64
	shared  bool

	mu   sync.Mutex // guards the rest
	uses map[uint32]int
}

// tasksKept is how much of a limit the daemon keeps for itself and for root, in processes and
// threads.
const tasksKept = 128

// tasksToStart is the room that starting a command needs: a stage is a Go program.
const tasksToStart = 8

// cgroups are where other accounts' commands go; nil: the daemon's own. Set before the first Start.
var cgroups *Cgroups

// UseCgroups makes the commands of each other account run in the account's cgroup below dir, with
// at most perUser processes and threads; 0 is a third of what the machine has. With dir "" it is
// the daemon's own cgroup, if a service manager has delegated that. It returns the directory, "" if
// there is none. shared says that other daemons, and the parent of all of them, are in it too. It
// is for root's daemon, before its first Start.
func UseCgroups(dir string, perUser int, shared bool) (string, error) {
	if dir == "" {
		if dir = delegated(); dir == "" {
			return "", nil
		}
	}
	c, err := newCgroups(dir, int64(perUser), shared)
	if err != nil {
		return "", fmt.Errorf("the cgroup %s: %w", dir, err)
	}
	cgroups = c
	return dir, nil
}

// delegated is the daemon's own cgroup (v2), "" unless systemd has marked it as delegated.
func delegated() string {
	path := cgroupOf("self")
	if path == "" || path == "/" {
		return ""
	}
	dir := filepath.Join(mountOfCgroup2(), path)
	if filepath.Base(dir) == daemonCgroup { // where an earlier daemon has put our supervisor
		dir = filepath.Dir(dir)
	}
	for _, name := range []string{"trusted.delegate", "user.delegate"} {
		value := make([]byte, 8)
		if n, err := unix.Getxattr(dir, name, value); err == nil && string(value[:n]) == "1" {
			return dir
		}
	}
	return ""
}

// mountOfCgroup2 is where the hierarchy of cgroup v2 is mounted.
func mountOfCgroup2() string {
	f, err := os.Open("/proc/self/mountinfo")
	if err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			before, after, _ := strings.Cut(lines.Text(), " - ")
			if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") &&
				len(fields) > 4 && fields[3] == "/" {
				return fields[4]
			}
		}
	}
	return "/sys/fs/cgroup"
}

func newCgroups(dir string, perUser int64, shared bool) (*Cgroups, error) {
	c := &Cgroups{dir: dir, shared: shared, perUser: perUser, uses: map[uint32]int{}}
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	c.v1 = errors.Is(err, os.ErrNotExist)
	if !c.v1 {
		if !slices.Contains(strings.Fields(string(controllers)), "pids") {
			return nil, errors.New("it does not have the controller pids")
		}
		if err := c.moveDaemon(); err != nil {
			return nil, err
		}
	}
	users := filepath.Join(dir, "users")
	if err := os.Mkdir(users, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if !c.v1 {
		if err := write(filepath.Join(users, "cgroup.subtree_control"), "+pids"); err != nil {
			return nil, err
		}
	}
	whole, limited := readCount(filepath.Join(dir, "pids.max"))
	if limited {
		if whole <= 2*tasksKept {
			return nil, fmt.Errorf("its limit of %d processes is too low: the daemon keeps %d "+
				"for itself", whole, tasksKept)
		}
		whole -= tasksKept
		if err := write(filepath.Join(users, "pids.max"),
			strconv.FormatInt(whole, 10)); err != nil {
			return nil, err
		}
	} else if whole, limited = readCount("/proc/sys/kernel/threads-max"); !limited {
		whole = 32768
	}
	if c.perUser == 0 {
		c.perUser = whole / 3
	}
	// what runs there since an earlier daemon's time is counted from now on, and bounded
	left, _ := filepath.Glob(filepath.Join(users, "*", "pids.max"))
	for _, file := range left {
		write(file, strconv.FormatInt(c.perUser, 10))
	}
	return c, nil
}

// daemonCgroup is the name of the cgroup for the daemon itself.
const daemonCgroup = "daemon"

// moveDaemon makes room: a cgroup of v2 with controllers for those below it may not have processes.
// It moves this one and, if there is one, its supervisor.
func (c *Cgroups) moveDaemon() error {
	own := filepath.Join(c.dir, daemonCgroup)
	if err := os.Mkdir(own, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := write(filepath.Join(own, "cgroup.procs"), strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	here, _ := os.ReadFile(filepath.Join(c.dir, "cgroup.procs"))
	for line := range strings.Lines(string(here)) {
		if pid := strings.TrimSpace(line); c.shared && pid == strconv.Itoa(os.Getppid()) {
			write(filepath.Join(own, "cgroup.procs"), pid) // else the next write says why not
		}
	}
	return write(filepath.Join(c.dir, "cgroup.subtree_control"), "+pids")
}

// enter makes an account's cgroup and says where it is, "" if there are none. root has none, since
// it must always be able to log in. left is called when the command has ended, or will not begin.
func (c *Cgroups) enter(uid uint32) (dir string, left func(), err error) {
	if c == nil || uid == 0 {
		return "", func() {}, nil
	}
	dir = filepath.Join(c.dir, "users", strconv.FormatUint(uint64(uid), 10))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uses[uid] == 0 {
		err := c.makeFor(dir)
		if errors.Is(err, os.ErrNotExist) { // another daemon's last command there has just ended
			err = c.makeFor(dir)
		}
		if _, there := os.Stat(dir); errors.Is(err, os.ErrNotExist) && there == nil {
			err = nil // the service is being stopped, and its accounts are not counted any more
		}
		if err != nil {
			return "", nil, err
		}
	}
	if err := c.roomIn(dir); err != nil {
		return "", nil, err
	}
	c.uses[uid]++
	return dir, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.uses[uid]--; c.uses[uid] == 0 {
			delete(c.uses, uid)
			removeEmptyJobs(dir)
			if !c.shared { // else another daemon may be about to use it
				os.Remove(dir) // what the commands left running keeps it
			}
		}
	}), nil
}

// makeFor makes an account's cgroup, if it is not there.
func (c *Cgroups) makeFor(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return write(filepath.Join(dir, "pids.max"), strconv.FormatInt(c.perUser, 10))
}

// roomIn says whether a command can start in an account's cgroup, and among all accounts.
func (c *Cgroups) roomIn(dir string) error {
	for _, dir := range []string{dir, filepath.Dir(dir)} {
		most, limited := readCount(filepath.Join(dir, "pids.max"))
		now, ok := readCount(filepath.Join(dir, "pids.current"))
		if limited && ok && now+tasksToStart > most {
			return fmt.Errorf("%w: %d of %d", ErrTasks, now, most)
		}
	}
	return nil
}

func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

// readCount reads a number; limited is false if the file says "max" or cannot be read.
func readCount(file string) (n int64, limited bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// into makes a fork begin in a cgroup of v2. closed is called after it.
func (c *Cgroups) into(dir string, attr *syscall.SysProcAttr) (closed func(), err error) {
	if dir == "" || c.v1 {
		return func() {}, nil
	}
	return intoCgroup(dir, attr)
}

func intoCgroup(dir string, attr *syscall.SysProcAttr) (closed func(), err error) {
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	attr.UseCgroupFD, attr.CgroupFD = true, fd
	return func() { unix.Close(fd) }, nil
}

// place makes the fork of another account's helper, or of a job's command, begin in its cgroup.
// placed is called after the fork; left, if not nil, when the helper has ended or has not begun.
func place(spec Spec, attr *syscall.SysProcAttr) (placed, left func(), err error) {
	if spec.Cgroup != "" {
		placed, err = intoCgroup(spec.Cgroup, attr)
		return placed, nil, err
	}
	who := spec.Credential
	if who == nil || who.UID == 0 || cgroups == nil || cgroups.v1 {
		return func() {}, nil, nil
	}
	dir, left, err := cgroups.enter(who.UID)
	if err != nil {
		return nil, nil, err
	}
	if placed, err = cgroups.into(dir, attr); err != nil {
		left()
		return nil, nil, err
	}
	return placed, left, nil
}
