package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// program is a real program that tests drive, and the Debian package that holds it.
type program struct {
	found string // a command on the path, or the absolute name of a file
	pkg   string
}

// programs is the one list of what --programs installs. A test that needs one of them and does not
// find it skips with "not run: needs NAME"; with --programs that is a failure.
var programs = []program{
	{"sshd", "openssh-server"},
	{"ssh", "openssh-client"},
	{"ssh-keygen", "openssh-client"},
	{"ssh-agent", "openssh-client"},
	{"ssh-add", "openssh-client"},
	{"scp", "openssh-client"},
	{"sftp", "openssh-client"},
	{"curl", "curl"},
	{"lftp", "lftp"},
	{"mc", "mc"},
	{"emacs", "emacs-nox"},
	{"duplicity", "duplicity"},
	{"/usr/lib/python3/dist-packages/pexpect/__init__.py", "python3-pexpect"}, // duplicity's
	{"restic", "restic"},
	{"sshfs", "sshfs"},
	{"fusermount3", "fuse3"},
	{"dropbear", "dropbear-bin"},
	{"dbclient", "dropbear-bin"},
	{"git", "git"},
	{"rsync", "rsync"},
	{"python3", "python3"},
	{"openssl", "openssl"},
	{"strace", "strace"},
	{"tmux", "tmux"},
	{"zbarimg", "zbar-tools"}, // a scanner for the QR code of a class
	{"vim", "vim"},
	{"less", "less"},
	{"top", "procps"},
	{"htop", "htop"},
	{"tshark", "tshark"},
	{"dumpcap", "wireshark-common"},
	{"ps", "procps"},
	{"getent", "libc-bin"},
	{"useradd", "passwd"},
	{"adduser", "adduser"},
	{"gcc", "gcc"},
	{"who", "coreutils"},
	{"w", "procps"},
	{"last", "util-linux"},
	{"utmpdump", "util-linux"},
	{"lastlog", "login"},
	{"/usr/include/security/pam_appl.h", "libpam0g-dev"},
	{"loginctl", "systemd"},
	{"dbus-daemon", "dbus"},
	{"/usr/share/pam-configs/systemd", "libpam-systemd"},
	{"mmdebstrap", "mmdebstrap"},
	{"lintian", "lintian"},
	{"rpm", "rpm"},
	{"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
	{"/usr/lib/aarch64-linux-gnu/libpam.so", "libpam0g-dev:arm64"}, // for packages alone
	{"setsid", "util-linux"},
	{"prlimit", "util-linux"},
	{"nsenter", "util-linux"},
	{"ip", "iproute2"},
	{"taskset", "util-linux"},
	{"tar", "tar"},
	{"mount", "mount"},
	{"lowntfs-3g", "ntfs-3g"}, // a file system that folds names
	{"parallel-ssh", "pssh"},
	{"clush", "clustershell"},
	{"pdsh", "pdsh"},
	{"ansible", "ansible-core"},
	{"ansible-playbook", "ansible-core"},
	{"parallel", "parallel"},
	{"mpirun", "openmpi-bin"},
	{"/usr/lib/python3/dist-packages/mpi4py/__init__.py", "python3-mpi4py"},
	{"ansible-inventory", "ansible-core"},
	{"avahi-daemon", "avahi-daemon"},
	{"avahi-browse", "avahi-utils"},
	{"dbus-daemon", "dbus-daemon"}, // avahi's
	{"/usr/lib/python3/dist-packages/zeroconf/__init__.py", "python3-zeroconf"},
	{"dig", "bind9-dnsutils"},
	{"unshare", "util-linux"},
	{"hostname", "hostname"},
	{"perl", "perl-base"},
	{"/usr/share/perl5/Net/OpenSSH.pm", "libnet-openssh-perl"},
	{"rex", "rex"},
	{"/usr/lib/python3/dist-packages/plumbum/__init__.py", "python3-plumbum"},
	{"mandoc", "mandoc"},
	{"groff", "groff-base"},
	{"systemd-analyze", "systemd"},
	{"/lib/systemd/systemd", "systemd"},
	{"unshare", "util-linux"},
	{"pgrep", "procps"},
	{"fail2ban-regex", "fail2ban"},
	{"systemd-socket-activate", "systemd"},
	{"bash", "bash"},
	{"dash", "dash"},
	{"zsh", "zsh"},
	{"ksh93", "ksh93u+m"},
	{"mksh", "mksh"},
	{"fish", "fish"},
	{"chromium", "chromium"},
	{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk"},
	{"spin", "spin"},
	{"gcc", "gcc"}, // for the race detector, and for what spin makes
	{"/usr/include/stdlib.h", "libc6-dev"},
}

// present reports whether the program is here. Daemons may be where an ordinary user's path does
// not look.
func (p program) present() bool {
	if strings.HasPrefix(p.found, "/") {
		_, err := os.Stat(p.found)
		return err == nil
	}
	_, err := exec.LookPath(p.found)
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if err != nil {
			_, err = os.Stat(dir + p.found)
		}
	}
	return err == nil
}

// missing are the packages of the programs that are not here, each once.
func missing() []string {
	var packages []string
	for _, p := range programs {
		if !p.present() {
			packages = append(packages, p.pkg)
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// privilege is the directory that sshd, started by root, changes its root to; its service would
// make it.
const privilege = "/run/sshd"

// install installs what is missing. Nothing is asked: tshark's question whether every user may
// capture packets is answered with its default, no.
func (r *runner) install(ctx context.Context) outcome {
	packages := missing()
	if len(packages) == 0 {
		return ready("all there")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return failed("this needs Debian's apt-get, or these installed by other means: %s",
			strings.Join(packages, " "))
	}
	if os.Geteuid() != 0 {
		return failed("only root may install packages; hint: sudo apt-get install %s",
			strings.Join(packages, " "))
	}
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	for _, name := range packages {
		if _, foreign, _ := strings.Cut(name, ":"); foreign != "" {
			if out, err := r.output(ctx, env, "dpkg", "--add-architecture", foreign); err != nil {
				return failed("dpkg --add-architecture: %v\n%s", err, out)
			}
		}
	}
	if out, err := r.output(ctx, env, "apt-get", "update", "-q"); err != nil {
		return failed("apt-get update: %v\n%s", err, out)
	}
	args := append([]string{"install", "-q", "-y", "--no-install-recommends", "-o",
		"Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold"}, packages...)
	if out, err := r.output(ctx, env, "apt-get", args...); err != nil {
		return failed("apt-get install: %v\n%s", err, out)
	}
	if still := missing(); len(still) > 0 {
		return failed("installed, and yet not found: %s", strings.Join(still, " "))
	}
	return ready("installed " + strings.Join(packages, " "))
}

// ready makes what the programs need besides being there.
func ready(note string) outcome {
	if os.Geteuid() == 0 {
		if err := os.MkdirAll(privilege, 0o755); err != nil {
			return failed("%v", err)
		}
	}
	return outcome{note: note}
}

// reasonFor finds the program in a reason such as "not run: needs git" or "not run: no fish on this
// machine".
var reasonFor = regexp.MustCompile(`^not run: (?:needs (\S+)|no (\S+) on this machine)`)

// wrongly says why a test may not be skipped for this reason on this machine, "" if it may. It is
// asked with --programs alone.
func wrongly(reason string) string {
	found := reasonFor.FindStringSubmatch(reason)
	if found == nil {
		return ""
	}
	name := strings.Trim(found[1]+found[2], ",.:;`'\"")
	switch {
	case name == "root" && os.Geteuid() == 0:
		return "this is root"
	case slices.ContainsFunc(programs, func(p program) bool { return p.found == name }),
		program{found: name}.present():
		return fmt.Sprintf("%s is installed", name)
	}
	return ""
}
