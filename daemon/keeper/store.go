//go:build unix

package keeper

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// where jobs are below an account's home directory.
const where = ".local/state/minissh/jobs"

// What is kept of an account's jobs on one machine.
const (
	mostRunning = 256
	mostEnded   = 10_000
	keptFor     = 7 * 24 * time.Hour // after a job's end
)

// store is where the jobs of an account on this machine are. Homes may be shared between machines:
// each has a directory of its own, and never looks into another's.
type store struct{ dir string }

func storeOf(home string) store {
	return store{filepath.Join(home, where, machine())}
}

// machine names this machine, as long as it is installed: a digest, since machine-id(5) is not to
// be shown to others.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(strings.TrimSpace(string(id))) == 0 {
		name, _ := os.Hostname()
		id = []byte(name)
	}
	sum := sha256.Sum256([]byte("minissh jobs\n" + strings.TrimSpace(string(id))))
	return hex.EncodeToString(sum[:6])
}

// letters of a job's id: those that are not taken for one another.
const letters = "23456789abcdefghjkmnpqrstuvwxyz"

const idSize = 8

// create makes a new job's directory.
func (s store) create() (*folder, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	for range 100 {
		random := make([]byte, idSize)
		rand.Read(random)
		for i, b := range random {
			random[i] = letters[int(b)%len(letters)]
		}
		f := &folder{filepath.Join(s.dir, string(random))}
		err := os.Mkdir(f.dir, 0o700)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, errors.New("no free name for a job was found")
}

// job is one that was found, and what is known of it.
type job struct {
	*folder
	protocol.JobRecord
}

// list has all jobs, the oldest first. One that cannot be read is left out: its keeper is just
// making it, or somebody has damaged it.
func (s store) list() ([]job, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []job
	for _, entry := range entries {
		if f := (&folder{filepath.Join(s.dir, entry.Name())}); entry.IsDir() {
			if r, err := f.record(); err == nil {
				all = append(all, job{f, r})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b job) int {
		return int(max(-1, min(1, a.Began-b.Began)))
	})
	return all, nil
}

// find finds a job by its id or its name (JO1).
func (s store) find(name string) (found job, _ error) {
	all, err := s.list()
	if err != nil {
		return job{}, err
	}
	for _, j := range all {
		newer := j.Name == name && (found.folder == nil || j.State == protocol.JobRunning ||
			found.State != protocol.JobRunning)
		if j.ID == name {
			return j, nil
		}
		if newer {
			found = j
		}
	}
	if found.folder == nil {
		return job{}, protocol.Violate(protocol.CodeNoJob, "there is no job %s here",
			protocol.Quote(name))
	}
	return found, nil
}

// turn is for one who starts a job: it is closed when the job can be found.
func (s store) turn() (*os.File, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(s.dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// admit says why no job of that name may be started now, and makes room for it: jobs that ended
// long ago go (JO8).
func (s store) admit(name string, now time.Time) error {
	all, err := s.list()
	if err != nil {
		return err
	}
	s.clear()
	running, ended := 0, 0
	for _, j := range all {
		switch {
		case j.State == protocol.JobRunning && name != "" && j.Name == name:
			return protocol.Violate(protocol.CodeJobExists,
				"a job that is called %s runs here already", name)
		case j.State == protocol.JobRunning:
			running++
		case now.Sub(time.UnixMilli(j.ended())) > keptFor:
			j.remove() // another time, if it fails
		default:
			ended++
		}
	}
	if running >= mostRunning {
		return protocol.Violate(protocol.CodeTooManyCommands,
			"this account runs %d jobs, as many as it may", running)
	}
	for _, j := range all {
		if ended >= mostEnded && j.State != protocol.JobRunning && j.remove() == nil {
			ended--
		}
	}
	if ended >= mostEnded {
		return protocol.Violate(protocol.CodeTooManyCommands, "%d jobs that have ended are kept "+
			"for this account, and none of them can be removed", ended)
	}
	return nil
}

// clear removes what keepers have left that ended before they had a job. The caller has the turn.
func (s store) clear() {
	entries, _ := os.ReadDir(s.dir)
	for _, entry := range entries {
		f := &folder{filepath.Join(s.dir, entry.Name())}
		_, err := os.Stat(filepath.Join(f.dir, statusFile))
		if entry.IsDir() && errors.Is(err, fs.ErrNotExist) {
			f.remove() // not if a keeper has it
		}
	}
}

// ended is when a job that does not run ended, as far as that is known, in milliseconds.
func (j job) ended() int64 {
	if j.Ended > 0 {
		return j.Ended
	}
	if info, err := os.Stat(filepath.Join(j.dir, statusFile)); err == nil {
		return info.ModTime().UnixMilli()
	}
	return j.Began
}

func notFound(err error) error { return fmt.Errorf("this account's jobs cannot be read: %w", err) }
