//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// What the system says becomes a code of FI5, and its words without a path.
func TestProblems(t *testing.T) {
	for number, code := range map[syscall.Errno]string{
		syscall.ENOENT: CodeNotFound, syscall.EACCES: CodeNoPermission,
		syscall.EPERM: CodeNoPermission, syscall.EROFS: CodeReadOnly,
		syscall.EEXIST: CodeExists, syscall.EISDIR: CodeExists,
		syscall.ENOTDIR: CodeExists, syscall.ENOTEMPTY: CodeExists, syscall.ENOSPC: CodeNoSpace,
		syscall.EDQUOT: CodeNoSpace, syscall.EFBIG: CodeNoSpace,
		syscall.ENAMETOOLONG: CodeNameTooLong,
		syscall.EIO:          CodeIO, syscall.ELOOP: CodeIO,
	} {
		p := problem(&fs.PathError{Op: "open", Path: "/where/it/is", Err: number})
		if p.Code != code || p.Message != number.Error() {
			t.Errorf("%v: %+v, not %s", number, p, code)
		}
	}
	if p := problem(fmt.Errorf("so: %w", errDigest)); p != errDigest {
		t.Errorf("%+v", p)
	}
	if p := problem(errors.New("odd")); p.Code != CodeIO || p.Message != "odd" {
		t.Errorf("%+v", p)
	}
	root := mustRoot(t, t.TempDir())
	must(t, os.Symlink("/etc", root.Name()+"/out"))
	if _, err := root.Open("out/passwd"); problem(err).Code != CodeOutside {
		t.Errorf("%v", err)
	}
}

// Unfinished files at the source belong to nobody, and are not sent.
func TestPartialsAreNotSent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/src/a", []byte("a"))
	write(t, dir+"/src/"+partialName("b"), []byte("b"))
	if c := transfer(t, Options{Recursive: true}, dir+"/dst",
		dir+"/src").fine(t); c.sent.Stored != 2 {
		t.Errorf("%+v", c.sent)
	}
}
