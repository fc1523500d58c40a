//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scene is what root prepares for one attacker, and takes away after it.
type scene struct {
	w      *world
	files  []*os.File // handed to the attacker, from descriptor 3 on
	undone []func()
}

// hang mounts a FUSE file system at a directory of somebody's, as fusermount3 would where
// /etc/fuse.conf has user_allow_other; the attacker gets its server's end. Without allow_other the
// kernel refuses root at once, even with the user's effective ids: nothing of root's would hang.
func (s *scene) hang(dir string, owner *person) error {
	if err := owner.own(dir, 0o755, nil); err != nil {
		return err
	}
	server, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return &notRun{"needs FUSE"}
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other",
		server.Fd(), owner.uid, owner.uid)
	if err := unix.Mount("hung", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		server.Close()
		return &notRun{"needs FUSE"}
	}
	s.files = append(s.files, server)
	s.undone = append(s.undone, func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return nil
}

// fifo puts a named pipe in place of what is there.
func (s *scene) fifo(path string, owner *person) error {
	if err := s.aside(path); err != nil {
		return err
	}
	s.undone = append(s.undone, func() { os.Remove(path) })
	return errors.Join(owner.own(filepath.Dir(path), 0o700, nil), unix.Mkfifo(path, 0o600),
		os.Chown(path, int(owner.uid), int(owner.uid)))
}

// aside moves a file out of the way until the scene is taken away.
func (s *scene) aside(path string) error {
	if err := os.Rename(path, path+".aside"); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	s.undone = append(s.undone, func() { os.Rename(path+".aside", path) })
	return nil
}

// program puts a copy of /bin/true that belongs to somebody.
func (s *scene) program(path string, owner *person) error {
	text, err := os.ReadFile("/bin/true")
	if err != nil {
		return err
	}
	s.undone = append(s.undone, func() { os.Remove(path) })
	return owner.own(path, 0o755, text)
}

// handedOver closes our ends: what the attacker holds ends with it.
func (s *scene) handedOver() {
	for _, f := range s.files {
		f.Close()
	}
	s.files = nil
}

// strike takes everything away, the last thing first.
func (s *scene) strike() {
	s.handedOver()
	for i := len(s.undone) - 1; i >= 0; i-- {
		s.undone[i]()
	}
	s.undone = nil
}
