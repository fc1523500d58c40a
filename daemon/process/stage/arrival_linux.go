package stage

import (
	"os"
	"syscall"
)

// mostMotd is how much of a file is shown, in bytes.
const mostMotd = 256 << 10

// arrive does what is done for an account between its login and its program, with its rights and in
// its own session. What has to be written may be more than the daemon's pipes hold, and what is
// executed may take long: so if there is anything, begins is called first, and the command counts
// as started.
func arrive(o *Order, env []string, begins func()) {
	a := &o.Arrival
	greets := a.Greets && !there(a.Home+"/.hushlogin")
	motd := -1
	if greets && a.Motd != "" {
		motd = opened(a.Motd)
		defer syscall.Close(motd)
	}
	rc := a.rc(o.Limits)
	if !(greets && a.Greeting != "") && motd < 0 && rc == nil {
		return
	}
	begins()
	if greets {
		write(1, []byte(a.Greeting))
		copyTo(1, motd)
	}
	if rc != nil {
		if err := a.run(rc, env); err != nil {
			write(2, []byte("Could not run "+rc[len(rc)-1]+": "+err.Error()+"\n"))
		}
	}
}

// rc is the argument vector of what is run before the program, nil if nothing is: the account's own
// .ssh/rc by its shell, else the system's.
func (a *Arrival) rc(limits []Limit) []string {
	var rc []string
	switch {
	case a.UserRC && there(a.Home+"/.ssh/rc"):
		rc = []string{a.Shell, "-c", "/bin/sh .ssh/rc"}
	case a.RC != "" && there(a.RC):
		rc = []string{"/bin/sh", a.RC}
	default:
		return nil
	}
	if anyOfMemory(limits) { // this program does not have them yet
		return Limited("/proc/self/exe", limits, rc[0], rc)
	}
	return rc
}

// run runs a program in the home, and waits for its end. It has no input, and no descriptors but
// the three.
func (a *Arrival) run(argv, env []string) error {
	for fd := 3; fd < mostFiles; fd++ {
		if flags, err := fcntl(fd, syscall.F_GETFD, 0); err == nil &&
			flags&syscall.FD_CLOEXEC == 0 {
			fcntl(fd, syscall.F_SETFD, syscall.FD_CLOEXEC)
			defer fcntl(fd, syscall.F_SETFD, 0)
		}
	}
	null, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(null)
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Dir: a.Home, Env: env,
		Files: []uintptr{uintptr(null), 1, 2}})
	if err != nil {
		return err
	}
	for {
		if _, err = syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return nil
		}
	}
}

func there(file string) bool {
	var info syscall.Stat_t
	return syscall.Stat(file, &info) == nil
}

// copyTo writes a file, as far as that is not too long.
func copyTo(fd, file int) {
	var room [4096]byte
	for left := mostMotd; left > 0 && file >= 0; {
		n, err := syscall.Read(file, room[:min(left, len(room))])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 || !write(fd, room[:n]) {
			return
		}
		left -= n
	}
}

func write(fd int, b []byte) bool {
	for len(b) > 0 {
		n, err := syscall.Write(fd, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

// SetLoginUID makes an account the one that this process, and all that it starts, is audited for
// (pam_loginuid(8) does it with PAM). Whether that is allowed, or known at all, is the kernel's.
func SetLoginUID(uid uint32) {
	fd, err := syscall.Open(LoginUIDFile, syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	syscall.Write(fd, appendNumber(nil, int(uid)))
	syscall.Close(fd)
}

// LoginUIDFile is what only the process itself can write.
const LoginUIDFile = "/proc/self/loginuid"

// failed tells the user that the program cannot be executed, when the daemon does not listen any
// more. The exit code is the shell's.
func failed(path string, err error) {
	write(2, []byte(path+": "+err.Error()+"\n"))
	if err == syscall.ENOENT {
		os.Exit(127)
	}
	os.Exit(126)
}
