//go:build linux

// Package packaging_test installs, upgrades and purges the packages in machines made from nothing.
package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// made are what all tests here share, once they are made.
var made struct {
	dir     string // of packages, two versions of each
	machine string // an archive of a machine's files
}

// packages makes the packages of this processor in two versions, 1 and 2.
func packages(t *testing.T, p *testhost.Place) (dir string) {
	t.Helper()
	p.WithPAM() // or the test is skipped
	if made.dir != "" {
		return made.dir
	}
	made.dir = filepath.Join(testhost.Bin, "packages")
	for _, version := range []string{"1", "2"} {
		cmd := exec.Command("../package", "--arch", architecture(t), made.dir)
		cmd.Env = append(os.Environ(), "VERSION=0.1+test"+version)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("scripts/package: %v\n%s", err, out)
		}
	}
	return made.dir
}

func architecture(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOHOSTARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// archive makes the files of a machine with next to nothing on it, from where this machine has its
// packages from.
func archive(t *testing.T) string {
	t.Helper()
	testhost.Need(t, "mmdebstrap")
	if made.machine != "" {
		return made.machine
	}
	file := filepath.Join(testhost.Bin, "machine.tar")
	args := []string{"--variant=minbase", "--include=systemd,adduser,libpam-systemd", "bookworm",
		file}
	const sources = "/etc/apt/sources.list.d/debian.sources"
	if _, err := os.Stat(sources); err == nil {
		args = append(args, sources)
	}
	// as long as the mirror takes: not a process of a Place, which has a minute
	if out, err := exec.Command("mmdebstrap", args...).CombinedOutput(); err != nil {
		t.Skipf("not run: needs mmdebstrap, and a mirror of Debian's packages: %v\n%s", err, out)
	}
	made.machine = file
	return file
}

// unpacking makes a machine's files in memory, with the packages in /srv, and enters them.
// Arguments: the test's directory, the archive, the packages, and what runs then.
const unpacking = `set -eu
mount --make-rprivate /
place=$1 archive=$2 packages=$3
shift 3
mkdir "$place/world"
mount -t tmpfs none "$place/world"
cd "$place/world"
tar -xf "$archive" --exclude './dev/*'
cp "$packages"/*.deb srv
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
mkdir dev/pts dev/shm mnt/old
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
rm -rf etc/systemd/system usr/lib/systemd/system/*.wants lib/systemd/system/*.wants
mkdir -p etc/systemd/system
for unit in default sysinit basic; do
	printf '[Unit]\nDefaultDependencies=no\n' >etc/systemd/system/$unit.target
done
echo Wants=systemd-journald.socket >>etc/systemd/system/sysinit.target
echo Wants=sysinit.target >>etc/systemd/system/default.target
echo server >etc/hostname
ip link set lo up
pivot_root . mnt/old
umount -l /mnt/old
rmdir /mnt/old
exec env -i container=test DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C.UTF-8 \
	PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
`

// machine is one made from nothing, in namespaces. It ends with the test.
type machine struct {
	*testhost.Place
	t    *testing.T
	net  *testhost.Machine // where it is on the network
	init int               // its first process, as it is known out here
}

// begin makes a machine on the network, whose first process is a program.
func begin(t *testing.T, p *testhost.Place, net *testhost.Machine, program ...string) *machine {
	t.Helper()
	files, dir := archive(t), packages(t, p)
	cmd := net.Do(append([]string{"unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts",
		"--ipc", "--cgroup", "sh", "-c", unpacking, "sh", p.Dir, files, dir}, program...)...)
	group, at := testhost.NewCgroup(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(at.Fd())}
	var out testhost.Text
	cmd.Stdout, cmd.Stderr = &out, &out
	in, err := cmd.StdinPipe()
	p.Must(err)
	p.Must(cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0)
		in.Close()
		<-ended
		testend.Until(t, "the machine's cgroups are removed", func() bool {
			return testhost.RemoveCgroups(group)
		})
	})
	m := &machine{Place: p, t: t, net: net}
	testend.Until(t, "the machine runs", func() bool {
		select {
		case <-ended:
			t.Skipf("not run: needs a kernel that lets a machine run in namespaces: %s", &out)
		default:
		}
		m.init = child(cmd.Process.Pid, program[0])
		return m.init != 0
	})
	return m
}

// child is the child of a process that has become a program, 0 if there is none yet.
func child(parent int, program string) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", parent))
	for word := range strings.FieldsSeq(string(text)) {
		is, _ := os.ReadFile("/proc/" + word + "/cmdline")
		if strings.HasPrefix(string(is), program+"\x00") {
			pid, _ := strconv.Atoi(word)
			return pid
		}
	}
	return 0
}

// do prepares a line of sh in the machine.
func (m *machine) do(line string) *exec.Cmd {
	return m.Command("nsenter", "--target", strconv.Itoa(m.init), "--pid", "--mount", "--uts",
		"--ipc", "--cgroup", "--net", "--root", "--wd", "env", "-i",
		"DEBIAN_FRONTEND=noninteractive", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb",
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "sh", "-c", "cd /srv; "+line)
}

func (m *machine) run(line string) testhost.Ran { return m.RunCmd(m.do(line)) }

// must runs a line that has to end with code 0, and gives its output.
func (m *machine) must(line string) string {
	m.t.Helper()
	r := m.run(line)
	if r.Code != 0 {
		m.t.Fatalf("%s: %+v\n%s", line, r,
			m.run("journalctl --no-pager -o cat -n 60 -u 'minisshd*'").Out)
	}
	return strings.TrimSpace(r.Out)
}

// files lists all files of the machine with what they are and have, but for what dpkg, apt and the
// journal write about themselves.
func (m *machine) files() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	text := m.must(`find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /dev -o ` +
		`-path /srv -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o ` +
		`-path /var/lib/apt -o -path /tmp -o -path /var/lib/systemd \) -prune -o ` +
		`-printf '%p\t%y %m %U %s\n'`)
	for line := range strings.Lines(text) {
		name, what, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(what, "d ") {
			what = what[:strings.LastIndexByte(what, ' ')] // directories grow and do not shrink
		}
		all[name] = what
	}
	return all
}

// unlike says which files differ.
func unlike(before, after map[string]string) string {
	var text strings.Builder
	for name, what := range before {
		if after[name] != what {
			fmt.Fprintf(&text, "%s was %q and is %q\n", name, what, after[name])
		}
	}
	for name, what := range after {
		if _, there := before[name]; !there {
			fmt.Fprintf(&text, "%s is new: %q\n", name, what)
		}
	}
	return text.String()
}
