//go:build unix

package sftp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"
)

// dial serves a client until the end of the test.
func dial(t *testing.T, o Options) *sftp.Client {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := Serve(in, out, o)
		out.Close()
		served <- err
	}()
	c, err := sftp.NewClientPipe(fromServer, toServer)
	if err != nil {
		t.Fatal(err, <-served)
	}
	t.Cleanup(func() {
		c.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// place has a folder with links that lead out of it, and what is outside.
func place(t *testing.T) (top, folder string) {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	folder = top + "/folder"
	must(t, err, os.MkdirAll(folder+"/sub", 0o755), os.Mkdir(top+"/outside", 0o755),
		os.WriteFile(folder+"/mine", []byte("mine"), 0o644),
		os.WriteFile(top+"/outside/secret", []byte("secret"), 0o644),
		os.Symlink(top+"/outside", folder+"/away"), os.Symlink("../outside", folder+"/up"),
		os.Symlink("../outside/secret", folder+"/leak"), os.Symlink("..", folder+"/parent"))
	return top, folder
}

func write(f *sftp.File, err error) error {
	if err == nil {
		_, err = f.Write([]byte("written"))
		f.Close()
	}
	return err
}

// A client that is limited to a folder reaches nothing else, in whatever way it asks (SU5).
func TestFolderHolds(t *testing.T) {
	top, folder := place(t)
	c := dial(t, Options{Folder: folder})
	outside := top + "/outside/secret"
	asks := map[string]func(name string) error{
		"open":       func(name string) error { _, err := c.Open(name); return err },
		"create":     func(name string) error { return write(c.Create(name)) },
		"both":       func(name string) error { return write(c.OpenFile(name, os.O_RDWR)) },
		"new":        func(name string) error { return write(c.Create(name + ".new")) },
		"stat":       func(name string) error { _, err := c.Stat(name); return err },
		"list":       func(name string) error { return second(c.ReadDir(filepath.Dir(name))) },
		"mkdir":      func(name string) error { return c.Mkdir(name + ".d") },
		"truncate":   func(name string) error { return c.Truncate(name, 0) },
		"chmod":      func(name string) error { return c.Chmod(name, 0o777) },
		"from":       func(name string) error { return c.Rename(name, "mine.moved") },
		"to":         func(name string) error { return c.Rename("mine", name+".moved") },
		"posix from": func(name string) error { return c.PosixRename(name, "mine.moved") },
		"posix to":   func(name string) error { return c.PosixRename("mine", name) },
		"link from":  func(name string) error { return c.Link(name, "hard") },
		"link to":    func(name string) error { return c.Link("mine", name+".hard") },
		"symlink at": func(name string) error { return c.Symlink("mine", name+".soft") },
	}
	before := tell(t, top)
	for how, ask := range asks {
		for _, name := range []string{outside, "../outside/secret", "sub/../../outside/secret",
			"away/secret", "up/secret", "parent/outside/secret", folder + "/../outside/secret",
			folder + "er/secret", "/secret"} {
			if err := ask(name); err == nil {
				t.Errorf("%s %s is not refused", how, name)
			}
		}
	}
	for _, ask := range []string{"open", "both", "stat", "truncate", "chmod"} {
		if err := asks[ask]("leak"); err == nil {
			t.Errorf("%s leak is not refused", ask)
		}
	}
	for _, target := range []string{"/etc", "..", "sub/../../outside", "sub/.."} {
		if err := c.Symlink(target, "soft"); err == nil {
			t.Errorf("a link to %s is made", target)
		}
	}
	if _, err := c.StatVFS("/"); err == nil {
		t.Error("the file system of / is told")
	}
	if after := tell(t, top); !slices.Equal(before, after) {
		t.Errorf("there was %q, there is %q", before, after)
	}
}

// tell are all files below a folder, with their modes and sizes.
func tell(t *testing.T, top string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		info, err2 := d.Info()
		if err == nil && err2 == nil && !d.IsDir() {
			all = append(all, fs.FormatFileInfo(info)+" "+name)
		} else if err == nil {
			all = append(all, name)
		}
		return errors.Join(err, err2)
	}))
	return all
}

// A folder that is replaced by a link while it is listed shows nothing of what the link leads to.
func TestFolderReplaced(t *testing.T) {
	top, folder := place(t)
	must(t, os.WriteFile(folder+"/sub/secret", []byte("short"), 0o644))
	root, err := os.OpenRoot(folder)
	must(t, err)
	defer root.Close()
	s := &server{Options: Options{Folder: folder}, tree: root, start: folder}
	l, err := s.Filelist(sftp.NewRequest("List", folder+"/sub"))
	must(t, err, os.Rename(folder+"/sub", folder+"/moved"),
		os.Symlink(top+"/outside", folder+"/sub"))
	defer l.(io.Closer).Close()
	var infos [10]fs.FileInfo
	if n, err := l.ListAt(infos[:], 0); n != 0 || err != io.EOF {
		t.Errorf("%d files, the first is %v, %v", n, infos[0], err)
	}
}

// A folder that is swapped with a link, again and again, never leads out.
func TestFolderSwapped(t *testing.T) {
	_, folder := place(t)
	must(t, os.WriteFile(folder+"/sub/secret", []byte("inside"), 0o644))
	c := dial(t, Options{Folder: folder})
	stop, swapped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				close(swapped)
				return
			default:
			}
			err = errors.Join(os.Rename(folder+"/sub", folder+"/aside"),
				os.Rename(folder+"/up", folder+"/sub"), os.Rename(folder+"/sub", folder+"/up"),
				os.Rename(folder+"/aside", folder+"/sub"))
		}
		swapped <- err
	}()
	for range 2000 {
		f, err := c.Open("sub/secret")
		if err != nil {
			continue
		}
		text, err := io.ReadAll(f)
		if f.Close(); err != nil || string(text) != "inside" {
			t.Errorf("%q, %v", text, err)
			break
		}
	}
	close(stop)
	must(t, <-swapped)
}

// Within its folder such a client does what it likes; its paths are those of this machine.
func TestFolderServes(t *testing.T) {
	_, folder := place(t)
	c := dial(t, Options{Folder: folder})
	where, err := c.Getwd()
	if must(t, err); where != folder {
		t.Errorf("it starts in %s", where)
	}
	must(t, write(c.Create("sub/new")), c.Rename(folder+"/sub/new", "newer"),
		c.Chmod("newer", 0o600), c.Mkdir("d"), c.Link("newer", "d/hard"),
		c.Symlink("hard", "d/soft"), c.Remove("newer"), c.Truncate("d/soft", 3),
		c.PosixRename("d/hard", "mine"))
	text, err := os.ReadFile(folder + "/mine")
	if must(t, err); string(text) != "wri" {
		t.Errorf("%q", text)
	}
	must(t, c.Chmod("mine", 0o777|fs.ModeSetuid|fs.ModeSetgid))
	if info, err := os.Stat(folder + "/mine"); err != nil || info.Mode() != 0o777 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if target, err := c.ReadLink("d/soft"); err != nil || target != "hard" {
		t.Errorf("%s, %v", target, err)
	}
	infos, err := c.ReadDir("d")
	if err != nil || len(infos) != 1 || infos[0].Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", infos, err)
	}
	if at, err := c.StatVFS("."); err != nil || at.TotalSpace() == 0 {
		t.Errorf("%+v, %v", at, err)
	}
}

// What a key may not do with files, it may not do here (SU5).
func TestReadOnlyAndWriteOnly(t *testing.T) {
	_, folder := place(t)
	reads := func(c *sftp.Client) map[string]error {
		_, open := c.Open("mine")
		_, list := c.ReadDir(".")
		_, link := c.ReadLink("up")
		return map[string]error{"open": open, "list": list, "readlink": link}
	}
	writes := func(c *sftp.Client) map[string]error {
		_, excl := c.OpenFile("mine", os.O_RDONLY|os.O_CREATE)
		return map[string]error{"create": write(c.Create("new")), "read and create": excl,
			"truncate": c.Truncate("mine", 4), "chmod": c.Chmod("mine", 0o644),
			"mkdir": c.Mkdir("d"), "rename": c.Rename("d", "e"), "posix": c.PosixRename("e", "f"),
			"rmdir": c.RemoveDirectory("f"), "link": c.Link("mine", "hard"),
			"symlink": c.Symlink("mine", "soft"), "remove": c.Remove("hard")}
	}
	check := func(what string, errs map[string]error, allowed bool) {
		t.Helper()
		for how, err := range errs {
			if allowed && err != nil || !allowed && !errors.Is(err, os.ErrPermission) {
				t.Errorf("%s: %s: %v", what, how, err)
			}
		}
	}
	before := tell(t, folder)
	c := dial(t, Options{Folder: folder, NoWrites: true})
	check("ro", reads(c), true)
	check("ro", writes(c), false)
	if after := tell(t, folder); !slices.Equal(before, after) {
		t.Errorf("there was %q, there is %q", before, after)
	}
	c = dial(t, Options{Folder: folder, NoReads: true})
	check("wo", reads(c), false)
	if _, err := c.Stat("mine"); err != nil {
		t.Error(err)
	}
	check("wo", writes(c), true)
	f, err := c.OpenFile("mine", os.O_RDWR)
	must(t, err)
	defer f.Close()
	if text, err := io.ReadAll(f); err == nil || len(text) > 0 {
		t.Errorf("wo: %q is read", text)
	}
}

// Without a limit the account's whole tree is there, and relative paths start at home.
func TestAll(t *testing.T) {
	top, folder := place(t)
	c := dial(t, Options{Home: folder})
	f, err := c.Open("away/secret")
	must(t, err)
	text, err := io.ReadAll(f)
	if must(t, err, f.Close()); string(text) != "secret" {
		t.Errorf("%q", text)
	}
	must(t, write(c.Create(top+"/outside/new")), c.Symlink("/etc", "etc"))
	// rename replaces nothing, and rmdir and rm keep to folders and files
	for how, err := range map[string]error{"rename": c.Rename("mine", "leak"),
		"rmdir": c.RemoveDirectory("mine"), "stat": second(c.Stat("nothing"))} {
		if err == nil {
			t.Errorf("%s is not refused", how)
		}
	}
	if _, err := c.Stat("nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	c = dial(t, Options{Home: top + "/no home"})
	if where, err := c.Getwd(); err != nil || where != "/" {
		t.Errorf("%s, %v", where, err)
	}
}

func second[T any](_ T, err error) error { return err }

// A folder that is not there is told before anything is served.
func TestNoFolder(t *testing.T) {
	err := Serve(strings.NewReader(""), nil, Options{Folder: t.TempDir() + "/nothing"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A client that asks and ends its stream at once gets every answer.
func TestLastAnswers(t *testing.T) {
	_, folder := place(t)
	var asked []byte
	asked = append(asked, packet(1, struct{ Version uint32 }{3})...)
	for id := range uint32(300) {
		asked = append(asked, packet(17, struct {
			ID   uint32
			Path string
		}{id, "mine"})...)
	}
	for range 20 {
		in, out, err := os.Pipe()
		must(t, err)
		told := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(in)
			told <- all
		}()
		must(t, Serve(bytes.NewReader(asked), out, Options{Home: folder}))
		out.Close()
		count, rest := 0, <-told
		for ; len(rest) >= 4; count++ {
			rest = rest[4+binary.BigEndian.Uint32(rest):]
		}
		if count != 301 || len(rest) > 0 {
			t.Errorf("%d answers came", count)
		}
		in.Close()
	}
}

// A client that takes no answers ends the server, and does not hold it.
func TestNobodyReads(t *testing.T) {
	in, out, err := os.Pipe()
	must(t, err, in.Close())
	defer out.Close()
	ask := packet(1, struct{ Version uint32 }{3})
	Serve(bytes.NewReader(ask), out, Options{Home: "/"})
}
