package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"minissh/protocol/keys"
	"minissh/scripts/testhost"
)

// roleFlag comes before the name of a role: this program starts itself again in several.
const roleFlag = "--be"

// Where things are in the world. /home is a file system in memory that only the world has.
const (
	homes   = "/home"
	labDir  = "/home/lab"
	binDir  = "/home/lab/bin"
	keysDir = "/home/lab/keys" // a second place for authorized_keys, root's own
	self    = "/home/lab/bin/attacks"
)

// cgroupVariable names the pids controller's group for this run, in the environment of the world.
const cgroupVariable = "MINISSH_ATTACK_CGROUP"

// enterWorld builds the programs and starts the run in namespaces of its own. They end with ctx.
func enterWorld(ctx context.Context, o options, args []string) error {
	if os.Geteuid() != 0 {
		return &notRun{"needs root"}
	}
	if o.bin == "" {
		dir, err := os.MkdirTemp("", "minissh-attack-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := testhost.Build(ctx, dir, false); err != nil {
			return err
		}
		args = append([]string{"--bin", dir}, args...)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe",
		append([]string{roleFlag, "init"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	group, remove := newCgroup()
	defer remove()
	cmd.Env = append(os.Environ(), cgroupVariable+"="+group)
	alive, err := cmd.StdinPipe() // its end is the end of the run
	if err != nil {
		return err
	}
	defer alive.Close()
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, syscall.ENOSPC) {
		return &notRun{"needs namespaces of processes, mounts and network"}
	} else if err != nil {
		return err
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return toldCode(exit.ExitCode())
	}
	return err
}

// newCgroup makes a group of the pids controller, version 1 or 2, "" where that cannot be had.
func newCgroup() (group string, remove func()) {
	for _, parent := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(parent, fmt.Sprintf("minissh-attack-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "pids.max")); err == nil {
			return dir, func() { removeCgroup(dir) }
		}
		os.Remove(dir)
	}
	return "", func() {}
}

// removeCgroup removes a group and those that the daemon has made in it. Their processes are dead.
func removeCgroup(dir string) {
	for _, entry := range must(os.ReadDir(dir)) {
		if entry.IsDir() {
			removeCgroup(filepath.Join(dir, entry.Name()))
		}
	}
	os.Remove(dir)
}

func must[T any](value T, _ error) T { return value }

// beInit is process 1 of the world: it furnishes it, starts the run, and buries orphans.
func beInit(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if err := furnish(o); err != nil {
		return err
	}
	run, err := os.StartProcess(self, append([]string{self, roleFlag, "run"}, args...),
		&os.ProcAttr{
			Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		})
	if err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil && err != syscall.EINTR {
			return err
		}
		if pid != run.Pid {
			continue
		}
		if !status.Exited() {
			return fmt.Errorf("the run was ended by %v", status.Signal())
		}
		os.Exit(status.ExitStatus())
	}
}

// furnish gives the world its file systems, accounts, programs and loopback.
func furnish(o options) error {
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"attack", homes, "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755,size=1g"},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return &notRun{fmt.Sprintf("needs a mount namespace (%s: %v)", m.target, err)}
		}
	}
	for _, dir := range []string{labDir, binDir, keysDir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"/proc/self/exe": self, filepath.Join(o.bin, "minissh"): binDir + "/minissh",
		filepath.Join(o.bin, "minisshd"): binDir + "/minisshd",
	} {
		if err := copyFile(from, to, 0o755); err != nil {
			return err
		}
	}
	return errors.Join(loopbackUp(), settle())
}

// loopbackUp brings up the world's own loopback: 127.0.0.0/8, and nothing else.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// untilStdinEnds calls off the run when whoever started it is gone.
func untilStdinEnds(cancel func()) {
	io.Copy(io.Discard, os.Stdin)
	cancel()
}

// world is the run: its accounts, and what all its hosts share.
type world struct {
	ctx       context.Context
	o         options
	hostKey   keys.Identity
	people    map[string]*person
	cgroup    string // "" where there is no pids controller
	processor int    // the attacker's
}

func newWorld(ctx context.Context, o options) (*world, error) {
	w := &world{ctx: ctx, o: o, cgroup: os.Getenv(cgroupVariable), people: people()}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			w.processor = cpu // the last one
		}
	}
	var err error
	w.hostKey, _, err = keys.HostKey(filepath.Join(labDir, "host_key"))
	return w, err
}

// environment is that of every process in the world.
func environment(home, name string) []string {
	return []string{
		"PATH=" + binDir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + home,
		"USER=" + name, "LOGNAME=" + name, "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=xterm"}
}

// readStatus gives a field of /proc/PID/status, "" if the process is gone.
func readStatus(pid int, field string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
