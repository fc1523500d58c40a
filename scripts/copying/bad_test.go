//go:build linux

package copying_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// nobody is an account without rights.
const nobody = 65534

// What cannot be copied is told, each by its name and with the reason; the rest goes on, the exit
// code is 1, and what was there stays.
func TestBadInput(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	p := testhost.New(t)
	p.Daemon()
	for _, name := range []string{"src/ok", "src/secret", "src/locked/x", "src/sub/x"} {
		p.Write(name, "content of "+name)
	}
	p.Write("unwritable/ok", "old")
	p.Write("frozen/ok", "old")
	p.Must(syscall.Mkfifo(p.Path("src/fifo"), 0o600))
	devices := syscall.Mknod(p.Path("src/zero"), syscall.S_IFCHR|0o666, 1<<8|5) == nil
	for name, mode := range map[string]os.FileMode{"src/secret": 0, "src/locked": 0,
		"unwritable": 0o755, "unwritable/ok": 0o644, ".": 0o755, "..": 0o755} {
		p.Must(os.Chmod(p.Path(name), mode))
	}
	p.Must(os.Chmod(testhost.Bin, 0o755))
	for _, dir := range []string{p.Home, p.Path("src")} {
		p.Must(filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err == nil {
				err = os.Lchown(path, nobody, nobody)
			}
			return err
		}))
	}
	p.Must(os.Mkdir(p.Path("dst"), 0o755))
	frozen := p.Run("mount", "--bind", p.Path("frozen"), p.Path("frozen")).Code == 0 &&
		p.Run("mount", "-o", "remount,bind,ro", p.Path("frozen")).Code == 0
	t.Cleanup(func() { p.Run("umount", p.Path("frozen")) })
	for _, c := range []struct {
		run  bool
		args string
		want []string // on standard error, in some order
	}{
		{true, "-r src src/none box:DIR/dst",
			[]string{`"src/secret": permission denied`, `"src/locked": permission denied`,
				`"src/fifo": it is a named pipe, which is not copied`,
				`"src/none": no such file or directory`}},
		{devices, "src/zero src/ok box:DIR/dst", []string{`"zero": it is a device, which is not copied`}},
		{true, "src src/ok box:DIR/dst", []string{`"src": it is a folder, and -r was not given`}},
		{true, "box:DIR/src/none box:DIR/src/ok dst",
			// dst is the daemon's
			[]string{`no such file or directory`, `"ok": permission denied`}},
		{true, "box:DIR/src/ok unwritable", []string{`"ok": permission denied`}},
		{frozen, "src/ok box:DIR/frozen", []string{`"ok": read-only file system`}},
		{true, "src/ok box:DIR/src/ok/", []string{"it is not a folder"}},
		{true, "src/ok src/sub box:DIR/src/ok", []string{"it is not a folder"}},
	} {
		if !c.run {
			t.Logf("not run here: %s", c.args)
			continue
		}
		cmd := p.Command("minissh",
			append([]string{"cp", "-o", "User=root"},
				strings.Fields(strings.ReplaceAll(c.args, "DIR", p.Dir))...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		ran := p.RunCmd(cmd)
		if ran.Code != 1 || ran.Out != "" {
			t.Errorf("%s: %+v", c.args, ran)
		}
		for _, want := range c.want {
			if !strings.Contains(ran.Err, want) {
				t.Errorf("%s: no %s in %s", c.args, want, ran.Err)
			}
		}
		if strings.Contains(c.args, "-r src") && strings.Count(ran.Err, "\n") != len(c.want)+
			map[bool]int{true: 1}[devices] {
			t.Errorf("%s: %s", c.args, ran.Err)
		}
	}
	for name, want := range map[string]string{"dst/src/ok": "content of src/ok",
		"dst/src/sub/x": "content of src/sub/x", "dst/ok": "content of src/ok",
		"unwritable/ok": "old", "frozen/ok": "old", "src/ok": "content of src/ok"} {
		if got := p.Read(name); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	for _, dir := range []string{"dst", "dst/src", "unwritable", "frozen", "src"} {
		if left, _ := filepath.Glob(p.Path(dir + "/.minissh*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// A file copied onto itself, by the daemon of its own machine, is what it was.
func TestOntoItself(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	content := string(noise(3<<20, 1))
	file := p.Write("file", content)
	for _, args := range [][]string{{file, "box:" + file}, {"box:" + file, file},
		{"box:" + file, "box:" + file + "/../file"}, {"--resume", file, "box:" + file},
		{"box:" + p.Dir + "/./file", "box:" + file}} {
		p.Run("minissh", append([]string{"cp"}, args...)...)
		if p.Read("file") != content {
			t.Fatalf("%q: it is not what it was any more", args)
		}
	}
}
