package stage

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// socket is where the daemon speaks, until it is moved out of the way of the command's descriptors.
const (
	socket   = 3
	far      = 10
	maxOrder = 4 << 20 // bytes; more than execve takes
)

func init() {
	if len(os.Args) == 2 && os.Args[1] == Mark {
		runtime.LockOSThread()
		os.Exit(run())
	}
	if len(os.Args) > 3 && os.Args[1] == limitedMark {
		runtime.LockOSThread()
		os.Exit(runLimited())
	}
}

// run is a stage's whole life, unless it becomes the program. Nobody sees the exit code: the daemon
// has the Status.
func run() int {
	keepFromCommand()
	syscall.Setsid() // one that the daemon has forked leads a session already
	fd, err := moved(socket)
	if err != nil {
		return 2
	}
	order, files, ok := readOrder(fd)
	if !ok {
		return 2
	}
	step, err := perform(order, files, fd)
	errno, _ := err.(syscall.Errno)
	if errno == 0 {
		errno = syscall.EINVAL
	}
	tell(fd, Status{Step: step, Errno: uint32(errno)})
	return 2
}

// keepFromCommand marks what this process has inherited by mistake close-on-exec: modules of PAM
// may open files without care. Linux before 5.11 cannot do it.
func keepFromCommand() {
	const closeRange, asCloexec = 436, 4 // close_range(2), CLOSE_RANGE_CLOEXEC
	syscall.Syscall(closeRange, socket+1, 1<<32-1, asCloexec)
}

// moved is a descriptor under a higher number, closed on exec.
func moved(fd int) (int, error) {
	n, err := fcntl(fd, syscall.F_DUPFD_CLOEXEC, far)
	if err == nil {
		syscall.Close(fd)
	}
	return n, err
}

func fcntl(fd, command, argument int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(command),
		uintptr(argument))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// readOrder waits for the order and the command's descriptors, which come with its first bytes. If
// the daemon's end is closed, no order comes: the daemon is gone, or needs the stage no more.
func readOrder(fd int) (o *Order, files []int, ok bool) {
	length, room := make([]byte, 4), make([]byte, syscall.CmsgSpace(4*mostFiles))
	n, got := 0, 0
	for {
		var err error
		n, got, _, _, err = syscall.Recvmsg(fd, length, room, syscall.MSG_CMSG_CLOEXEC)
		if err != syscall.EINTR {
			break
		}
	}
	if n <= 0 {
		return nil, nil, false
	}
	messages, err := syscall.ParseSocketControlMessage(room[:got])
	if err != nil || len(messages) != 1 {
		return nil, nil, false
	}
	if files, err = syscall.ParseUnixRights(&messages[0]); err != nil || len(files) < 3 {
		return nil, nil, false
	}
	if !readFull(fd, length[n:]) {
		return nil, nil, false
	}
	size := get32(length)
	if size > maxOrder {
		return nil, nil, false
	}
	b := make([]byte, size)
	if !readFull(fd, b) {
		return nil, nil, false
	}
	o, ok = ParseOrder(b)
	return o, files, ok
}

func readFull(fd int, b []byte) bool {
	for len(b) > 0 {
		n, err := syscall.Read(fd, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

func tell(fd int, s Status) {
	syscall.Write(fd, s.Bytes()) // nobody is there to be told
}

// arrange makes files the descriptors 0, 1, 2 and so on, and one the controlling terminal if asked.
func arrange(files []int, terminal uint32) error {
	high := make([]int, len(files))
	for i, file := range files {
		var err error
		if high[i], err = moved(file); err != nil {
			return err
		}
	}
	for i, file := range high {
		if err := syscall.Dup3(file, i, 0); err != nil {
			return err
		}
	}
	if terminal == 0 {
		return nil
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(terminal-1),
		syscall.TIOCSCTTY, 0); errno != 0 {
		return errno
	}
	return nil
}

// perform becomes the account and then the program. It returns only if that failed.
func perform(o *Order, files []int, fd int) (Step, error) {
	if err := arrange(files, o.Terminal); err != nil {
		return StepBecome, err
	}
	if err := enter(o.Cgroup); err != nil {
		return StepBecome, err
	}
	if err := limit(o.Limits); err != nil {
		return StepBecome, err
	}
	if o.LoginUID {
		SetLoginUID(o.UID)
	}
	detach(o)
	if o.Root != "" && o.Helper {
		fd, err := safeRoot(o.Root)
		if err != nil {
			return StepRoot, err
		}
		syscall.Close(fd)
		o.Args, o.Env = confined(o), nil
		o.Arrival = Arrival{} // this is root still: nothing of the account's is read or run
	} else if step, err := become(o); err != nil {
		return step, err
	}
	dir := o.Dir
	err := chdir(dir)
	if err != nil && o.DirElse != "" && Missing(err) {
		if o.Root == "" { // a home need not be there inside
			syscall.Write(2, []byte("Could not chdir to home directory "+dir+": "+err.Error()+"\n"))
		}
		dir = o.DirElse
		err = chdir(dir)
	}
	if err != nil {
		return StepChdir, err
	}
	path := o.Path
	env, bad := o.Arrival.Environment(o.Env)
	write(2, []byte(bad))
	if o.Search {
		if path, err = search(path, env); err != nil {
			return StepExec, err
		}
	}
	if o.PWD && dir != "" {
		env = append(env, "PWD="+dir)
	}
	unblockSignals()
	arrived := false
	arrive(o, env, func() {
		arrived = true
		word := used()
		word.Step = StepArrive
		tell(fd, word)
	})
	step, err := execute(path, o.Args, env, o.Limits, fd)
	if arrived {
		failed(path, err)
	}
	return step, err
}

func chdir(dir string) error {
	if dir == "" {
		return nil
	}
	return syscall.Chdir(dir)
}

// enter moves this process into a cgroup: from now on it counts there.
func enter(procs string) error {
	if procs == "" {
		return nil
	}
	fd, err := syscall.Open(procs, syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	_, err = syscall.Write(fd, []byte("0"))
	return err
}

// detach gives up what is the daemon's and not the account's.
func detach(o *Order) {
	if o.Unspare {
		if fd, err := syscall.Open("/proc/self/oom_score_adj", syscall.O_WRONLY|syscall.O_CLOEXEC,
			0); err == nil {
			syscall.Write(fd, []byte("0"))
			syscall.Close(fd)
		}
	}
	if o.Keyring { // if the kernel has or allows no keyrings, there is nothing to share
		const joinSessionKeyring = 1 // keyctl(2), KEYCTL_JOIN_SESSION_KEYRING
		syscall.Syscall(sysKeyctl, joinSessionKeyring, 0, 0)
	}
}

// become confines this process and takes on the account's ids. It does so on this thread only,
// which is the one that executes the program: if all did, each would count against the account's
// limit of processes (RLIMIT_NPROC). Until then the others are still root's, in the same memory, so
// that only root may look into this process. With its new ids the kernel forbids tracing it, unless
// fs.suid_dumpable is 1: so we forbid it too (prctl(2), PR_SET_DUMPABLE), until execve.
func become(o *Order) (Step, error) {
	if o.Root != "" {
		if err := Confine(o.Root); err != nil {
			return StepRoot, err
		}
	}
	return StepBecome, ids(o)
}

// unblockSignals makes the program begin with no signal blocked.
func unblockSignals() {
	const setMask = 2 // sigprocmask(2), SIG_SETMASK
	var none [8]byte
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&none)), 0, 8,
		0, 0)
}

// used is what this process has used so far, which the program has not.
func used() (s Status) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		s.PeakKB = uint32(usage.Maxrss)
		s.CPU = [2]int64{usage.Utime.Nano(), usage.Stime.Nano()}
	}
	return s
}

// search finds a program in PATH, with the account's rights and from the directory where it starts.
func search(name string, env []string) (string, error) {
	found := error(syscall.ENOENT)
	if name == "" {
		return "", found
	}
	for i := range len(name) {
		if name[i] == '/' {
			return name, nil // exec itself says best what is wrong with it
		}
	}
	for rest := pathOf(env); rest != ""; {
		place := rest
		rest = ""
		for i := range len(place) {
			if place[i] == ':' {
				place, rest = place[:i], place[i+1:]
				break
			}
		}
		if place == "" {
			place = "."
		}
		file := place + "/" + name
		err := runnable(file)
		if err == nil {
			return file, nil
		}
		if err != syscall.ENOENT && err != syscall.ENOTDIR {
			found = syscall.EACCES
		}
	}
	return "", found
}

func pathOf(env []string) string {
	path := ""
	for _, pair := range env {
		if len(pair) > 5 && pair[:5] == "PATH=" {
			path = pair[5:]
		}
	}
	return path
}

func runnable(file string) error {
	var info syscall.Stat_t
	if err := syscall.Stat(file, &info); err != nil {
		return err
	}
	if info.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return syscall.EACCES
	}
	return syscall.Access(file, 1 /* X_OK */)
}
