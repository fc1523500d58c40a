package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Limits of one folder.
const (
	MaxFile  = 64 << 20  // largest file that is saved or sent, bytes
	MaxTotal = 256 << 20 // all that one Folder saves in its life, bytes
	MaxFiles = 200       // files that one Folder saves in its life
)

// ErrLimit is a file that would pass one of the limits.
var ErrLimit = errors.New("refused file: over the limit of size or number")

// ErrNotFile is a name that exists and is not a regular file.
var ErrNotFile = errors.New("not a regular file")

// Folder is one guarded directory. It may be used by several goroutines.
type Folder struct {
	path string
	root *os.Root
	temp bool // made by Temp: Close removes it

	mu    sync.Mutex
	files int   // saved so far; owned by mu
	bytes int64 // reserved by saves so far; owned by mu
}

// Open guards an existing directory.
func Open(path string) (*Folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &Folder{path: abs, root: root}, nil
}

// Temp makes a fresh directory with the samples in it; Close removes it.
func Temp() (*Folder, error) {
	path, err := os.MkdirTemp("", "minissh-lab-")
	if err != nil {
		return nil, err
	}
	f, err := Open(path)
	if err != nil {
		os.RemoveAll(path)
		return nil, err
	}
	f.temp = true
	for name, data := range Samples() {
		if err := f.root.WriteFile(name, data, 0o644); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// Path is the absolute path of the directory.
func (f *Folder) Path() string { return f.path }

// Temporary reports whether Close removes the directory.
func (f *Folder) Temporary() bool { return f.temp }

// Close releases the directory and removes it if Temp made it.
func (f *Folder) Close() error {
	err := f.root.Close()
	if f.temp {
		err = errors.Join(err, os.RemoveAll(f.path))
	}
	return err
}

// Read opens a file for reading and tells its size in bytes. Errors: ErrName,
// ErrNotFile, ErrLimit, or the system's (fs.ErrNotExist).
func (f *Folder) Read(name string) (*os.File, int64, error) {
	if err := Check(name); err != nil {
		return nil, 0, err
	}
	// Looked at first: opening a named pipe would wait for its writer.
	info, err := f.root.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, ErrNotFile
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err = file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = ErrNotFile
	case info.Size() > MaxFile:
		err = ErrLimit
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// Save writes exactly size bytes of r to a new file and returns the name it got:
// name itself, or `a-2.txt` where `a.txt` exists, since nothing is overwritten. A
// file that did not arrive whole is removed. On ErrName and ErrLimit nothing of r
// has been read.
func (f *Folder) Save(name string, size int64, r io.Reader) (saved string, err error) {
	if err := Check(name); err != nil {
		return "", err
	}
	if err := f.reserve(size); err != nil {
		return "", err
	}
	file, saved, err := f.create(name)
	if err != nil {
		return "", err
	}
	_, err = io.CopyN(file, r, size)
	err = errors.Join(err, file.Close())
	if err != nil {
		f.root.Remove(saved)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	return saved, nil
}

// reserve counts a file of size bytes against the limits. What was reserved stays
// so, also when the file does not arrive: trying is bounded too.
func (f *Folder) reserve(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size < 0 || size > MaxFile || f.files >= MaxFiles || f.bytes+size > MaxTotal {
		return ErrLimit
	}
	f.files++
	f.bytes += size
	return nil
}

// create makes a new file: name, else name with -2, -3 … before its extension.
func (f *Folder) create(name string) (*os.File, string, error) {
	ext := filepath.Ext(name)
	for i := 1; i <= MaxFiles; i++ {
		try := name
		if i > 1 {
			try = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), i, ext)
		}
		file, err := f.root.OpenFile(try, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return file, try, err
		}
	}
	return nil, "", ErrLimit
}

// Samples are the files of a fresh folder: a text, a Chinese name, 3000 bytes, an
// empty file, one byte.
func Samples() map[string][]byte {
	return map[string][]byte{
		"a.txt":     []byte("hello world"),
		"big.txt":   []byte(strings.Repeat("0123456789abcde\n", 188)[:3000]),
		"你好.txt":    []byte("包没有粘，是流没有边界。\n"),
		"empty.txt": {},
		"one.txt":   []byte("1"),
	}
}
