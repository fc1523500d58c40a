package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCheckRefusesWhatIsNoPlainName(t *testing.T) {
	for _, name := range []string{"a.txt", "你好.txt", "a b.tar.gz", "compass.txt", "com.txt"} {
		if err := Check(name); err != nil {
			t.Errorf("Check(%q) = %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "../a", `..\a`, "/etc/passwd", `C:\a`, "c:a", "a/b", ".bashrc", "a\x00b",
		"a\nb", "a\x1b[2J",
		"nul", "NUL.txt", "com1", "LPT9.log", "a.", "a ", " a", "\xff", "a\u202etxt.exe",
		strings.Repeat("a", 201),
	} {
		if err := Check(name); !errors.Is(err, ErrName) {
			t.Errorf("Check(%q) = %v, want ErrName", name, err)
		}
	}
	for path, want := range map[string]string{"a": "a", "/x/a": "a", `D:\x\a`: "a", `/x\a/`: ""} {
		if got := Base(path); got != want {
			t.Errorf("Base(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestTempHasSamplesAndIsRemoved(t *testing.T) {
	f, err := Temp()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range Samples() {
		file, size, err := f.Read(name)
		if err != nil {
			t.Fatalf("Read(%s): %v", name, err)
		}
		got, _ := io.ReadAll(file)
		file.Close()
		if string(got) != string(want) || size != int64(len(want)) {
			t.Errorf("%s: %d bytes, size %d", name, len(got), size)
		}
	}
	if len(Samples()["big.txt"]) != 3000 {
		t.Errorf("big.txt has %d bytes, want 3000", len(Samples()["big.txt"]))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}

func open(t *testing.T) *Folder {
	t.Helper()
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSaveNeverOverwrites(t *testing.T) {
	f := open(t)
	for i, want := range []string{"a.txt", "a-2.txt", "a-3.txt"} {
		content := string(rune('1' + i))
		saved, err := f.Save("a.txt", 1, strings.NewReader(content))
		if err != nil || saved != want {
			t.Fatalf("Save = %q, %v; want %q", saved, err, want)
		}
		if got, _ := os.ReadFile(filepath.Join(f.Path(), want)); string(got) != content {
			t.Errorf("%s holds %q, want %q", want, got, content)
		}
	}
}

func TestSaveRemovesWhatIsNotWhole(t *testing.T) {
	f := open(t)
	if _, err := f.Save("a.txt", 10, strings.NewReader("short")); !errors.Is(err,
		io.ErrUnexpectedEOF) {
		t.Errorf("Save = %v, want ErrUnexpectedEOF", err)
	}
	if left, _ := os.ReadDir(f.Path()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSaveIsBounded(t *testing.T) {
	f := open(t)
	for _, size := range []int64{-1, MaxFile + 1, 1 << 40} {
		if _, err := f.Save("a.txt", size, strings.NewReader("")); !errors.Is(err, ErrLimit) {
			t.Errorf("Save of %d bytes = %v, want ErrLimit", size, err)
		}
	}
	f.bytes = MaxTotal
	if _, err := f.Save("a.txt", 1, strings.NewReader("1")); !errors.Is(err, ErrLimit) {
		t.Errorf("over the total: %v", err)
	}
	f.bytes, f.files = 0, MaxFiles
	if _, err := f.Save("a.txt", 1, strings.NewReader("1")); !errors.Is(err, ErrLimit) {
		t.Errorf("too many files: %v", err)
	}
}

func TestReadStaysInside(t *testing.T) {
	f := open(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Read("../secret"); !errors.Is(err, ErrName) {
		t.Errorf("Read(../secret) = %v", err)
	}
	if err := os.Mkdir(filepath.Join(f.Path(), "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Read("sub"); !errors.Is(err, ErrNotFile) {
		t.Errorf("Read of a folder = %v", err)
	}
	if _, _, err := f.Read("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read(none) = %v", err)
	}
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	if err := os.Symlink(outside, filepath.Join(f.Path(), "link")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Read("link"); err == nil {
		t.Error("a link led out of the folder")
	}
}
