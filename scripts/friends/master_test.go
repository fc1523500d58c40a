//go:build linux

package friends_test

import (
	"os"
	"testing"

	"minissh/scripts/testhost"
)

// needFile is testhost.Need for a module.
func needFile(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		t.Skip("not run: needs " + name)
	}
}

// Net::OpenSSH waits for the socket of a master process, asks for its id, and runs each command
// with the socket's name. At the end it asks the master to end.
func TestNetOpenSSH(t *testing.T) {
	t.Parallel()
	needFile(t, "/usr/share/perl5/Net/OpenSSH.pm")
	perl := testhost.Need(t, "perl")
	p := testhost.New(t)
	p.Daemon()
	p.Must(os.Mkdir(p.Path("ctl"), 0o700))
	p.Write("run.pl", `use Net::OpenSSH;
my $ssh = Net::OpenSSH->new('box', ssh_cmd => 'minissh', ctl_dir => 'ctl');
$ssh->error and die "error: " . $ssh->error;
kill(0, $ssh->get_master_pid) and print "alive ", $ssh->check_master ? 1 : 0, "\n";
my ($out, $err) = $ssh->capture2('echo out; echo err >&2; exit 3');
print "$out$err", $? >> 8, "\n";
$ssh->system({ stdin_data => 'text' }, 'cat >got');
print scalar($ssh->capture('seq', '3')) =~ tr/\n//, "\n";
`)
	r := p.Run(perl, "run.pl")
	if want := "alive 1\nout\nerr\n3\n3\n"; r.Out != want || r.Code != 0 || r.Err != "" {
		t.Errorf("%+v, want %q", r, want)
	}
	if left, err := os.ReadDir(p.Path("ctl")); len(left) > 0 || err != nil {
		t.Errorf("left in ctl: %v, %v", left, err)
	}
}

// plumbum takes any program for ssh.
func TestPlumbum(t *testing.T) {
	t.Parallel()
	python := "/usr/bin/python3" // Debian's, which has Debian's modules
	needFile(t, "/usr/lib/python3/dist-packages/plumbum/__init__.py")
	p := testhost.New(t)
	p.Daemon()
	p.Write("run.py", `import plumbum
box = plumbum.SshMachine("box", ssh_command=plumbum.local["minissh"])
print(box["echo"]("a  'b'"), end="")
print((box["seq"]["3"] | box["wc"]["-l"])(), end="")
print(box["sh"]["-c", "exit 3"].run(retcode=3)[0])
box.close()
`)
	r := p.Run(python, "run.py")
	if want := "a  'b'\n3\n3\n"; r.Out != want || r.Code != 0 {
		t.Errorf("%+v, want %q", r, want)
	}
}
