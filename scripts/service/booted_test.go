//go:build linux

package service_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/scripts/testhost"
)

// booting makes a world of its own from this machine's files, and becomes its systemd. Nothing is
// written but into memory. Arguments: the directories of the test and of its programs.
const booting = `set -eu
mount --make-rprivate /
place=$1 bin=$2 world=$1/world
mkdir "$world"
mount -t tmpfs none "$world"
cd "$world"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work none root
cd root
mkdir -p ".$place" ".$bin"
mount --bind "$place" ".$place"
mount --bind "$bin" ".$bin"
mount -t proc none proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys # the kernel is this machine's
mount -t sysfs -o ro none sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs none run
mount -t tmpfs -o mode=755 none dev
for node in null zero full random urandom tty; do
	touch dev/$node
	mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
# of this machine's services none is started, and its shells' files are not read
rm -rf etc/systemd/system usr/lib/systemd/system/*.wants root/.profile root/.bash*
mkdir -p etc/systemd/system
for unit in default sysinit basic; do
	printf '[Unit]\nDefaultDependencies=no\n' >etc/systemd/system/$unit.target
done
echo Wants=systemd-journald.socket >>etc/systemd/system/sysinit.target
echo Wants=sysinit.target >>etc/systemd/system/default.target
printf '%s' "$OPTIONS" >etc/default/minisshd
cd "$SCRIPTS"
DESTDIR=$world/root sh ./install --from "$place/built" >&2
ip link set lo up
cd "$world/root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/bin:/bin:/usr/sbin:/sbin /lib/systemd/systemd --log-target=null
`

// booted is a machine of its own, as far as systemd can tell, with minisshd installed in it.
type booted struct {
	t    *testing.T
	p    *testhost.Place
	init int // systemd's process id out here
}

// boot starts systemd in namespaces of its own, with minisshd installed and its options set.
func boot(t *testing.T, p *testhost.Place, options string) *booted {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	for _, name := range []string{"unshare", "nsenter", "ip", "systemctl", "/lib/systemd/systemd"} {
		testhost.Need(t, name)
	}
	builtPrograms(p)
	scripts, err := filepath.Abs("..")
	p.Must(err)
	cmd := p.Command("unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc",
		"--net", "--cgroup", "sh", "-c", booting, "sh", p.Dir, testhost.Bin)
	cmd.Env = append(cmd.Env, "OPTIONS=MINISSHD_OPTIONS="+options, "SCRIPTS="+scripts)
	dir, group := testhost.NewCgroup(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	var out testhost.Text
	cmd.Stdout, cmd.Stderr = &out, &out
	p.Must(cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
		<-ended
		await(t, "the world's cgroups are removed", func() bool {
			return testhost.RemoveCgroups(dir)
		})
	})
	b := &booted{t: t, p: p}
	await(t, "systemd runs", func() bool {
		select {
		case <-ended:
			t.Skipf("not run: needs a kernel that lets systemd start in namespaces: %s", &out)
		default:
		}
		for _, pid := range children(cmd.Process.Pid, "systemd") {
			b.init = pid
		}
		return b.init != 0 &&
			strings.Contains(b.run("systemctl", "is-system-running").Out, "running")
	})
	return b
}

// command prepares a program that runs in the world.
func (b *booted) command(name string, args ...string) *exec.Cmd {
	return b.p.Command("nsenter", append([]string{"--target", strconv.Itoa(b.init), "--pid",
		"--mount", "--uts", "--ipc", "--net", "--cgroup", "--wdns=" + b.p.Dir, name}, args...)...)
}

func (b *booted) run(name string, args ...string) testhost.Ran {
	return b.p.RunCmd(b.command(name, args...))
}

// must runs a program in the world that must end with code 0, and gives its output.
func (b *booted) must(name string, args ...string) string {
	b.t.Helper()
	r := b.run(name, args...)
	if r.Code != 0 {
		b.t.Fatalf("%s %q: %+v\n%s", name, args, r, b.journal())
	}
	return strings.TrimSpace(r.Out)
}

func (b *booted) journal() string {
	return b.run("journalctl", "--no-pager", "-o", "cat", "-n", "60", "-u", "minisshd*").Out
}

// shows is a property of the service.
func (b *booted) shows(property string) string {
	return b.must("systemctl", "show", "-P", property, "minisshd.service")
}

// shell runs a line of sh in the world.
func (b *booted) shell(line string) string { return b.must("sh", "-c", line) }

// cgroup is what /proc says of a process in the world.
func (b *booted) cgroup(pid string) string {
	text := b.shell("cat /proc/" + pid + "/cgroup")
	_, path, _ := strings.Cut(text, "0::")
	path, _, _ = strings.Cut(path, "\n")
	return path
}

// in calls f on a thread that is in the world's network.
func (b *booted) in(f func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with this goroutine
		net, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", b.init))
		if err == nil {
			defer net.Close()
			err = unix.Setns(int(net.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	return <-done
}

// dialer connects to a port of the world.
func (b *booted) dialer(port string) func() (net.Conn, error) {
	return func() (conn net.Conn, err error) {
		if err := b.in(func() { conn, err = net.Dial("tcp", "127.0.0.1:"+port) }); err != nil {
			return nil, err // the world has gone
		}
		return conn, err
	}
}
