package process

import (
	"io"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Whoever waits for a process that is not a child knows its end, with a pidfd and without one, and
// not before.
func TestAwaitForked(t *testing.T) {
	for name, open := range map[string]func(pid int) (int, error){
		"with a pidfd":    func(pid int) (int, error) { return unix.PidfdOpen(pid, 0) },
		"without a pidfd": func(int) (int, error) { return -1, nil },
	} {
		cmd := exec.Command("cat")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pidfd, err := open(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { AwaitForked(cmd.Process.Pid, pidfd); close(ended) }()
		io.WriteString(in, "on\n")
		select {
		case <-ended:
			t.Errorf("%s: it was taken for ended", name)
		default:
		}
		in.Close()
		cmd.Wait()
		<-ended
	}
}

// What a group's leader has forked is reaped, the leader is not.
func TestReapMembers(t *testing.T) {
	leader := exec.Command("cat")
	leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := leader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	group := leader.Process.Pid
	member, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Setpgid: true, Pgid: group}})
	if err != nil {
		t.Fatal(err)
	}
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, member, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	ReapMembers(group)
	if err := unix.Kill(member, 0); err != unix.ESRCH {
		t.Errorf("a member is still there: %v", err)
	}
	in.Close()
	if err := unix.Waitid(unix.P_PID, group, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	ReapMembers(group)
	if err := leader.Wait(); err != nil {
		t.Errorf("the leader was reaped too: %v", err)
	}
}
