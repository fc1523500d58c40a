package fanout

import (
	"bufio"
	"fmt"
	"os"
)

// What one host may take: its connection and two files, with one to spare; and its windows.
const (
	descriptorsEach = 4
	memoryEach      = 4 << 20 // bytes
)

// DefaultFanout is how many hosts are served at the same time unless the user says otherwise: as
// many as the descriptors and the memory of this machine allow, at most Most.
func DefaultFanout() int {
	n := Most
	if descriptors := mostDescriptors(); descriptors > 0 {
		n = min(n, (descriptors-64)/descriptorsEach)
	}
	if memory := freeMemory(); memory > 0 {
		n = min(n, int(memory/2/memoryEach))
	}
	return max(n, 1)
}

// freeMemory is what the system could give, in bytes (proc(5)); 0: unknown.
func freeMemory() int64 {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
