package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A job has a cgroup of its own (v2), so that all of it can be stopped, also what has left its
// kernel session (RULES C5):
//
//	users/UID/job-X    the keeper; jobs/job-X where accounts are not counted, and root's
//	        command/   its command, with all that this starts
//
// Both are root's, but for the files by which the account puts a process into one of the two, and
// kills what is in the lower one. It can move nothing in from outside, or out (cgroups(7),
// delegation), and its processes count towards its limit as before.

// jobsBelow is the directory of cgroups of jobs whose account has none; "": jobs have none. It is
// set before the first Start.
var jobsBelow string

// jobsMu is held while a job's cgroup is made and empty, and while empty ones are removed.
var jobsMu sync.Mutex

const (
	jobPrefix  = "job-"
	jobCommand = "command"
)

// UseJobCgroups gives each job a cgroup of its own below dir, or below the account's there. With
// dir "" it is the daemon's own cgroup, if a service manager has delegated that. It returns the
// directory, "" if jobs have none: they need cgroup v2, and Linux 5.14. What jobs before have left
// empty is removed.
func UseJobCgroups(dir string) string {
	jobsBelow = ""
	if dir == "" {
		dir = delegated()
	}
	below := filepath.Join(dir, "jobs")
	if err := os.Mkdir(below, 0o755); dir == "" || err != nil && !errors.Is(err, os.ErrExist) {
		return ""
	}
	if _, err := os.Stat(filepath.Join(below, "cgroup.kill")); err != nil {
		os.Remove(below)
		return ""
	}
	jobsBelow = below
	removeEmptyJobs(below)
	accounts, _ := filepath.Glob(filepath.Join(dir, "users", "*"))
	for _, account := range accounts {
		removeEmptyJobs(account)
	}
	return dir
}

// OwnCgroup moves a keeper that has started nothing yet into a new cgroup, if jobs have cgroups.
// left is called when it has ended. An error changes nothing.
func (p *Process) OwnCgroup(acct Account) (left func(), err error) {
	if jobsBelow == "" {
		return func() {}, nil
	}
	uid, below := os.Getuid(), jobsBelow
	if who := acct.Credential; who != nil {
		uid = int(who.UID)
		if cgroups != nil && !cgroups.v1 && uid != 0 {
			below = filepath.Join(cgroups.dir, "users", strconv.Itoa(uid))
		}
	}
	left = func() { removeEmptyJobs(below) }
	left() // of jobs that an earlier daemon had started
	jobsMu.Lock()
	defer jobsMu.Unlock()
	dir, err := os.MkdirTemp(below, jobPrefix)
	if err != nil {
		return left, err
	}
	if err := makeJob(dir, uid); err != nil {
		removeJob(dir)
		return left, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.reaped {
		err = write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(p.PID))
	}
	if err != nil {
		removeJob(dir)
	}
	return left, err
}

// makeJob makes a job's lower cgroup, and gives the account what it needs of both.
func makeJob(dir string, uid int) error {
	command := filepath.Join(dir, jobCommand)
	if err := os.Mkdir(command, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, file := range []string{dir + "/cgroup.procs", command + "/cgroup.procs",
		command + "/cgroup.kill"} {
		if err := os.Chown(file, uid, -1); err != nil {
			return err
		}
	}
	return nil
}

func removeJob(dir string) {
	os.Remove(filepath.Join(dir, jobCommand))
	os.Remove(dir)
}

// removeEmptyJobs removes the cgroups of jobs, below dir, in which nothing is left.
func removeEmptyJobs(dir string) {
	jobsMu.Lock()
	defer jobsMu.Unlock()
	all, _ := filepath.Glob(filepath.Join(dir, jobPrefix+"*"))
	for _, job := range all {
		if !populated(job) {
			removeJob(job)
		}
	}
}

// populated says whether a living process is in a cgroup of v2, or below it.
func populated(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
	return err == nil && !strings.Contains(string(text), "populated 0\n")
}

// CommandCgroup is the cgroup for this keeper's command, "" if it has none (Spec.Cgroup).
func CommandCgroup() string {
	own := cgroupOf("self")
	dir := filepath.Join(mountOfCgroup2(), own, jobCommand)
	if !strings.HasPrefix(filepath.Base(own), jobPrefix) ||
		unix.Access(filepath.Join(dir, "cgroup.kill"), unix.W_OK) != nil {
		return ""
	}
	return dir
}

// cgroupOf is a process's cgroup of v2, as /proc has it; "" if it is not known.
func cgroupOf(pid string) string {
	text, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path
		}
	}
	return ""
}

// killCgroup kills all that is in the command's cgroup; no fork can outrun that.
func (p *Process) killCgroup() {
	if p.cgroup != "" {
		write(filepath.Join(p.cgroup, "cgroup.kill"), "1") // else what members finds is killed
	}
}

// escaped lists what lives in the command's cgroup and has left its session, and calls each, if not
// nil, with one.
func (p *Process) escaped(each func(procStat)) (alive []Survivor) {
	if p.cgroup == "" || !populated(p.cgroup) {
		return nil
	}
	filepath.WalkDir(p.cgroup, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		text, _ := os.ReadFile(filepath.Join(name, "cgroup.procs"))
		for _, word := range strings.Fields(string(text)) {
			pid, _ := strconv.Atoi(word)
			s, err := readStat(pid)
			if err != nil { // it has ended just now, or /proc does not show it to us
				s = procStat{pid: pid, comm: "?"}
			} else if s.session == p.PID || !s.alive() {
				continue
			}
			alive = append(alive, Survivor{PID: pid, Comm: s.comm})
			if each != nil && err == nil {
				each(s)
			}
		}
		return nil
	})
	return alive
}

// holds says whether a process is in the command's cgroup.
func (p *Process) holds(pid int) bool {
	if p.cgroup == "" {
		return false
	}
	own := filepath.Join(mountOfCgroup2(), cgroupOf(strconv.Itoa(pid)))
	return own == p.cgroup || strings.HasPrefix(own, p.cgroup+"/")
}
