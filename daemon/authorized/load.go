package authorized

import (
	"fmt"
	"io"
	"os"
)

// MaxFile bounds a file, in bytes (RULES A6).
const MaxFile = 1 << 20

// Owner says whose file it is.
type Owner struct {
	UID  uint32 // the account that the file grants access to; only it and root may own the file
	Home string // where the check of directories ends; "" checks up to the root directory

	// Lax skips the checks of owners and modes, as sshd's StrictModes=no does. Windows never has
	// them.
	Lax bool
}

// ModeError is a file that somebody else could have written. sshd refuses it in the same words.
type ModeError struct {
	Path string // the file, or a directory above it
	Dir  bool
}

func (e *ModeError) Error() string {
	what := "file"
	if e.Dir {
		what = "directory"
	}
	return fmt.Sprintf("bad ownership or modes for %s %s", what, shown(e.Path))
}

// Hint is what the user can type.
func (e *ModeError) Hint() string { return "chmod go-w " + shown(e.Path) }

// Load reads a file, and tells which of its lines do not count. It must be a regular file of at
// most 1 MiB; opening it does not wait, as it would on a named pipe. A missing file gives
// fs.ErrNotExist, one that others could have written a *ModeError.
func Load(path string, owner Owner) (*File, []Problem, error) {
	text, err := Read(path, owner)
	if err != nil {
		return nil, nil, err
	}
	file, problems := Parse(path, text)
	return file, problems, nil
}

// Read is the first half of Load: the text of a file that can be trusted. Parse is the other half.
func Read(path string, owner Owner) ([]byte, error) { return ReadMost(path, owner, MaxFile) }

// ReadMost is Read for a file of so many bytes at most.
func ReadMost(path string, owner Owner, most int64) ([]byte, error) {
	in, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", shown(path))
	}
	if !owner.Lax {
		if err := owner.check(path, info); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s has more than %d MiB", shown(path), most>>20)
	}
	return text, nil
}
