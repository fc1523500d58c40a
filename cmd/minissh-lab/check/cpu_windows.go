package check

import (
	"time"

	"golang.org/x/sys/windows"
)

// processorTime is what the program itself has used so far.
func processorTime(pid int) (time.Duration, bool) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return 0, false
	}
	defer windows.CloseHandle(h)
	var created, ended, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &ended, &kernel, &user) != nil {
		return 0, false
	}
	units := func(f windows.Filetime) int64 {
		return int64(f.HighDateTime)<<32 | int64(f.LowDateTime)
	}
	return time.Duration(units(kernel)+units(user)) * 100, true // of 100 ns
}
