package files

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"time"
)

// errTaken is a partial file that another transfer writes.
var errTaken = errors.New("another transfer writes it")

// partial is the file that content is written into until it is whole. It is next to the one that it
// becomes, under a name made from that one's, so that a later transfer finds what is left of it
// (FI9). Whoever writes a partial file holds its lock, and nobody else removes or renames it.
type partial struct {
	dir        *os.Root
	base, name string // of the final file; of the partial one
	f          *os.File
}

// partialName is the partial file's name for a file's.
func partialName(base string) string {
	sum := sha256.Sum256([]byte(base))
	return PartialPrefix + hex.EncodeToString(sum[:8]) + PartialSuffix
}

// otherName is a partial file's name that no later transfer finds, for when the usual one is taken.
func otherName(base string) string {
	var salt [8]byte
	rand.Read(salt[:])
	name := partialName(base)
	return name[:len(name)-len(PartialSuffix)] + "-" + hex.EncodeToString(salt[:]) + PartialSuffix
}

// newPartial makes an empty one, in place of what is left of an earlier one.
func newPartial(dir *os.Root, base string, perm fs.FileMode) (*partial, error) {
	name := partialName(base)
	for {
		f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			if lock(f) == nil && links(f) == 1 {
				return &partial{dir, base, name, f}, nil
			}
			f.Close() // somebody removed it as left over, in the moment before it was locked
			name = otherName(base)
			continue
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if !removeLeft(dir, name) {
			name = otherName(base)
		}
	}
}

// removeLeft removes a partial file that nobody writes.
func removeLeft(dir *os.Root, name string) bool {
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil || info.IsDir():
		return false
	case !info.Mode().IsRegular():
		return dir.Remove(name) == nil
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil { // not ours to read, but perhaps to remove
		return dir.Remove(name) == nil
	}
	ours := lock(f) == nil && sameFile(dir, name, f)
	if !renameOpen {
		f.Close()
	}
	removed := ours && dir.Remove(name) == nil
	f.Close()
	return removed
}

// oldPartial opens what is left of an earlier one; nil if nothing is, or nothing that may be
// written into.
func oldPartial(dir *os.Root, base string) *partial {
	name := partialName(base)
	if info, err := dir.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	f, err := dir.OpenFile(name, os.O_RDWR|nonblock, 0)
	if err != nil {
		return nil
	}
	// A second name for it would belong to somebody else.
	if lock(f) != nil || links(f) != 1 || !sameFile(dir, name, f) {
		f.Close()
		return nil
	}
	return &partial{dir, base, name, f}
}

// sameFile says whether a name, without following links, is an open file.
func sameFile(dir *os.Root, name string, f *os.File) bool {
	a, err := dir.Lstat(name)
	if err != nil {
		return false
	}
	b, err := f.Stat()
	return err == nil && os.SameFile(a, b)
}

// keep leaves it for a later transfer, unless it is empty or none would find it.
func (p *partial) keep() {
	if info, err := p.f.Stat(); err != nil || info.Size() == 0 || p.name != partialName(p.base) {
		p.drop()
		return
	}
	p.f.Close()
}

// drop removes it.
func (p *partial) drop() {
	if renameOpen {
		p.dir.Remove(p.name)
		p.f.Close()
		return
	}
	p.f.Close()
	p.dir.Remove(p.name)
}

// finish gives it its mode and, if any, its time, and makes it the final file. chmod is false if it
// was made with this mode.
func (p *partial) finish(chmod bool, mode fs.FileMode, mtime time.Time, sync bool) error {
	err := p.settle(chmod, mode, mtime, sync)
	if err == nil && !renameOpen {
		err = p.f.Close()
	}
	if err == nil {
		err = p.dir.Rename(p.name, p.base)
	}
	if err != nil {
		p.drop()
		return err
	}
	p.f.Close()
	if sync {
		return syncFolder(p.dir)
	}
	return nil
}

func (p *partial) settle(chmod bool, mode fs.FileMode, mtime time.Time, sync bool) error {
	if chmod {
		if err := p.f.Chmod(mode); err != nil {
			return err
		}
	}
	if !mtime.IsZero() {
		if err := setTime(p.dir, p.name, mtime); err != nil {
			return err
		}
	}
	if sync {
		return p.f.Sync()
	}
	return nil
}

// syncFolder writes the names in a folder to the disk. It does nothing where folders cannot be
// synced, as on Windows.
func syncFolder(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && renameOpen {
		return err
	}
	return nil
}
