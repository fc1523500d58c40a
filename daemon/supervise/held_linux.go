package supervise

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// storePrefix begins the names under which a service manager keeps descriptors (FDSTORE of
// sd_notify(3)); the rest is the key in hex, since such a name has no colon.
const storePrefix = "minisshd-"

// mostHeld is how many descriptors are kept.
const mostHeld = 512

// takeHeld takes over what the service manager passed: what it opened, and what it has kept for a
// supervisor before us.
func (s *supervisor) takeHeld() {
	for i, c := range s.Activated {
		raw, err := c.SyscallConn()
		if err != nil {
			continue
		}
		raw.Control(func(fd uintptr) {
			if dup, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
				s.held[activatedKey(i)] = dup
			}
		})
	}
	for key, fd := range s.Stored {
		unix.CloseOnExec(fd)
		s.stored[key] = true
		if key == numbersKey {
			s.numbers = fd
			continue
		}
		s.held[key] = fd
	}
	if s.numbers >= 0 {
		return
	}
	fd, err := newMemory("minisshd-"+numbersKey, 1)
	if err != nil {
		s.Log.Warn("Sessions of different daemons may have the same number", "error", err.Error())
		return
	}
	s.numbers = fd
	s.store(numbersKey, fd)
}

// keep keeps a descriptor, which it takes over, for the generations to come.
func (s *supervisor) keep(key string, fd int) {
	if len(s.held) >= mostHeld {
		unix.Close(fd)
		return
	}
	s.drop(key)
	s.held[key] = fd
	s.store(key, fd)
}

// store has the service manager keep a descriptor, for a supervisor after us.
func (s *supervisor) store(key string, fd int) {
	name := fmt.Sprintf("%s%x", storePrefix, key)
	if len(name) <= 255 { // else it does not outlive us
		s.stored[key] = true
		s.tell("FDSTORE=1\nFDNAME="+name, fd)
	}
}

// drop closes what is kept by a name, if anything is.
func (s *supervisor) drop(key string) {
	fd, there := s.held[key]
	if !there {
		return
	}
	unix.Close(fd)
	delete(s.held, key)
	if s.stored[key] {
		delete(s.stored, key)
		s.tell(fmt.Sprintf("FDSTOREREMOVE=1\nFDNAME=%s%x", storePrefix, key))
	}
}

// dropOthers closes what nobody wants any more, of the keys with a prefix.
func (s *supervisor) dropOthers(prefix string, wanted []string) {
	for key := range s.held {
		if strings.HasPrefix(key, prefix) && !slices.Contains(wanted, key) {
			s.drop(key)
		}
	}
}

// release closes everything that is held, at the end.
func (s *supervisor) release() {
	for _, fd := range s.held {
		unix.Close(fd)
	}
	if s.numbers >= 0 {
		unix.Close(s.numbers)
	}
	for _, g := range s.all {
		g.close()
	}
	s.inRush()
}
