//go:build unix

package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// What is in a job's directory.
const (
	statusFile = "status.json" // for everybody to read, without minissh too
	lockFile   = "lock"        // locked (flock(2)) as long as its keeper lives
	socketFile = "socket"      // where its keeper answers
	stdoutFile = "stdout"
	stderrFile = "stderr"
)

// folder is one job's directory.
type folder struct{ dir string }

func (f *folder) id() string { return filepath.Base(f.dir) }

// status is what status.json has: what clients are told, and what tells whether it still holds.
type status struct {
	protocol.JobRecord
	Boot   string `json:"boot_id"`    // of the system's start in which it ran
	Keeper int    `json:"keeper_pid"` // for people
}

const maxStatus = 64 << 10 // bytes

// read reads the status as it was written.
func (f *folder) read() (s status, err error) {
	file, err := os.Open(filepath.Join(f.dir, statusFile))
	if err != nil {
		return s, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxStatus+1))
	if err != nil {
		return s, err
	}
	if len(text) > maxStatus {
		return s, errors.New("the status is too long")
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	if s.ID != f.id() {
		return s, fmt.Errorf("the status belongs to another job")
	}
	return s, nil
}

// write replaces the status in one step. With sync it is on the disk then.
func (f *folder) write(s status, sync bool) error {
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	name := filepath.Join(f.dir, statusFile)
	file, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if sync && err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// record is what is known of the job now.
func (f *folder) record() (protocol.JobRecord, error) {
	s, err := f.read()
	if err != nil {
		return s.JobRecord, err
	}
	if s.State == protocol.JobRunning {
		lock, err := f.lock()
		if err == nil { // nobody holds it: its keeper is dead
			defer lock.Close()
			if again, err := f.read(); err == nil { // it may have ended just now
				s = again
			}
			if s.State == protocol.JobRunning {
				s.State = protocol.JobLost
				if s.Boot != bootID() {
					s.State = protocol.JobReboot
				}
				s.Attached = 0
				f.write(s, false)
			}
		}
	}
	s.Stdout, s.Stderr = f.size(stdoutFile), f.size(stderrFile)
	return s.JobRecord, nil
}

func (f *folder) size(name string) int64 {
	info, err := os.Stat(filepath.Join(f.dir, name))
	if err != nil {
		return 0
	}
	return info.Size()
}

// errKept means that a keeper holds the job.
var errKept = errors.New("its keeper lives")

// lock takes the job, as its keeper does. The error is errKept if another process has it.
func (f *folder) lock() (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(f.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if err == unix.EWOULDBLOCK {
			err = errKept
		}
		return nil, err
	}
	return file, nil
}

// remove deletes the job, unless it has a keeper.
func (f *folder) remove() error {
	lock, err := f.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	return os.RemoveAll(f.dir)
}
