package supervise

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roll is a table of the commands that a generation runs, in memory that it shares with the
// supervisor: so noting one costs no system call, and the table is there when the generation is
// not. The first number says how many of the places after it were ever used; a place is 0, or a
// process id times two, plus one if the command has a terminal.
type roll struct {
	slots []int64

	// A generation's own: where each command is, and which places are free.
	mu    sync.Mutex
	where map[int]int
	free  []int
}

// rollSlots is how many commands can be noted, and one. What comes above that is not noted.
const rollSlots = 1 << 16

// newMemory makes memory of n numbers that processes can share.
func newMemory(name string, n int) (fd int, err error) {
	fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	if err := unix.Ftruncate(fd, int64(8*n)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// mapMemory maps such memory until the process ends, or unmap is called.
func mapMemory(fd, n int) (numbers []int64, unmap func(), err error) {
	data, err := unix.Mmap(fd, 0, 8*n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	numbers = unsafe.Slice((*int64)(unsafe.Pointer(&data[0])), n)
	return numbers, func() { unix.Munmap(data) }, nil
}

func newRoll(slots []int64) *roll { return &roll{slots: slots, where: map[int]int{}} }

// Begins implements process.Roll.
func (r *roll) Begins(pid int, terminal bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, used := 0, int(r.slots[0])
	switch n := len(r.free); {
	case n > 0:
		at, r.free = r.free[n-1], r.free[:n-1]
	case used+1 < len(r.slots):
		at = used + 1
	default:
		return
	}
	r.where[pid] = at
	entry := int64(pid) << 1
	if terminal {
		entry |= 1
	}
	atomic.StoreInt64(&r.slots[at], entry)
	atomic.StoreInt64(&r.slots[0], max(int64(used), int64(at)))
}

// Ends implements process.Roll.
func (r *roll) Ends(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, there := r.where[pid]
	if !there {
		return
	}
	atomic.StoreInt64(&r.slots[at], 0)
	delete(r.where, pid)
	r.free = append(r.free, at)
}

// noted is a command on a roll.
type noted struct {
	pid      int
	terminal bool
}

// on lists the commands on another process's roll.
func on(slots []int64) (list []noted) {
	if len(slots) == 0 {
		return nil
	}
	used := min(int(atomic.LoadInt64(&slots[0])), len(slots)-1)
	for i := 1; i <= used; i++ {
		if entry := atomic.LoadInt64(&slots[i]); entry > 1 {
			list = append(list, noted{int(entry >> 1), entry&1 == 1})
		}
	}
	return list
}
