//go:build linux

package friends_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// lftp has a setting for the program that it runs.
func TestLftp(t *testing.T) {
	testhost.Need(t, "lftp")
	p := place(t, 5<<20)
	p.Must(os.Chmod(p.Path("src"), 0o755)) // it does not copy the mode of the topmost folder
	there := p.Path("there")
	r := p.Run("lftp", "-c", `set sftp:connect-program "minissh -a -x"; open sftp://box; mirror -R src `+
		there+`; mirror `+there+` back; cd `+there+`; mv a moved; rm empty; ls`)
	if r.Code != 0 || !strings.Contains(r.Out, "moved") || strings.Contains(r.Out, "empty") {
		t.Errorf("%+v", r)
	}
	p.Same("src", "back")
}

// restic keeps a repository there.
func TestRestic(t *testing.T) {
	testhost.Need(t, "restic")
	p := place(t, 5<<20)
	for _, words := range []string{"init", "backup src", "check", "restore latest --target back"} {
		cmd := p.Command("restic", append([]string{"--no-cache", "-q", "-o",
			"sftp.command=minissh -s box sftp", "-r", "sftp:box:" + p.Path("there")},
			strings.Fields(words)...)...)
		cmd.Env = append(cmd.Env, "RESTIC_PASSWORD=x")
		if r := p.RunCmd(cmd); r.Code != 0 {
			t.Fatalf("%s: %+v", words, r)
		}
	}
	p.Same("src", "back/src")
}

// sshfs mounts a folder from there.
func TestSshfs(t *testing.T) {
	testhost.Need(t, "sshfs")
	testhost.Need(t, "fusermount3")
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skip("not run: needs /dev/fuse")
	} else {
		f.Close()
	}
	p := place(t, 5<<20)
	mount := p.Path("mount")
	p.Must(os.Mkdir(mount, 0o700))
	p.Must(os.Mkdir(p.Path("there"), 0o700))
	r := p.Run("sshfs", "-o", "ssh_command=minissh", "box:"+p.Path("there"), mount)
	if r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	defer p.Run("fusermount3", "-u", "-z", mount)
	// Not -a: sshfs sets times through a link, whose target may be copied after it.
	r = sh(t, p, `cp -r src mount/tree && cp -p src/a mount/tree/a && cd mount/tree && mkdir -m 700 closed && mv a moved && `+
		`ln moved hard && ln -s moved soft && cat soft && rm empty && df . >/dev/null && `+
		`chmod 640 moved && mv moved hard && truncate -s 1 soft; stat -c %a closed`)
	if r.Code != 0 || !strings.HasPrefix(r.Out, "a\n") || !strings.HasSuffix(r.Out, "700\n") {
		t.Errorf("%+v", r)
	}
	if r := p.Run("fusermount3", "-u", mount); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	if p.Read("there/tree/sub dir/b'c") != "b\n" || p.Read("there/tree/big") != p.Read("src/big") {
		t.Error("what was copied there is not there")
	}
}
