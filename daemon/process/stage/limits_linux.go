package stage

import (
	"os"
	"syscall"
	"unsafe"
)

// limit sets the program's limits, while this is still root, who may raise them. Those of memory
// are only made possible: with them this process, a Go program, might not get as far as the
// program.
func limit(limits []Limit) error {
	for _, l := range limits {
		set := syscall.Rlimit{Cur: l.Cur, Max: l.Max}
		if l.OfMemory() {
			if err := syscall.Getrlimit(int(l.Resource), &set); err != nil {
				return err
			}
			set.Max = max(set.Max, l.Max)
		}
		// it also keeps syscall.Exec from setting RLIMIT_NOFILE to what it was at the start
		if err := syscall.Setrlimit(int(l.Resource), &set); err != nil {
			return err
		}
	}
	return nil
}

// execute tells the daemon that the program is executed next, and does that. It returns only if
// that failed.
func execute(path string, args, env []string, limits []Limit, fd int) (Step, error) {
	if !anyOfMemory(limits) {
		tell(fd, used())
		return StepExec, syscall.Exec(path, args, env)
	}
	return StepExec, executeWithin(limits, path, args, env, func() { tell(fd, used()) })
}

func anyOfMemory(limits []Limit) bool {
	for _, l := range limits {
		if l.OfMemory() {
			return true
		}
	}
	return false
}

// executeWithin executes a program with limits, after a last word. Between them and the program no
// memory is asked for: there might not be any. One of them is that of open files, which Go has
// raised for this program, and which only syscall.Exec would lower.
func executeWithin(limits []Limit, path string, args, env []string, last func()) error {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	last()
	for _, l := range limits {
		values := [2]uint64{l.Cur, l.Max}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, uintptr(l.Resource),
			uintptr(unsafe.Pointer(&values)), 0, 0, 0); errno != 0 {
			return errno
		}
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])))
	return errno
}

// Limited is how this program is started to execute another one, under the same account, with
// limits of memory: what is started by a helper, which itself must not have them. The result is the
// argument vector.
func Limited(self string, limits []Limit, path string, args []string) []string {
	b := append32(nil, uint32(len(limits)))
	for _, l := range limits {
		b = append64(append64(append32(b, l.Resource), l.Cur), l.Max)
	}
	return append([]string{self, limitedMark, hex(b), path}, args...)
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	text := make([]byte, 0, 2*len(b))
	for _, c := range b {
		text = append(text, digits[c>>4], digits[c&15])
	}
	return string(text)
}

// limitedMark is the first argument of this program when it is started so.
const limitedMark = "--minissh-limited"

// runLimited is the life of this program when it is started so. The exit codes are the shell's.
func runLimited() int {
	r := &reader{b: unhex(os.Args[2])}
	limits := make([]Limit, r.count())
	for i := range limits {
		limits[i] = Limit{r.number(), r.long(), r.long()}
	}
	if r.bad || len(r.b) > 0 || len(os.Args) < 5 {
		return 126
	}
	err := executeWithin(limits, os.Args[3], os.Args[4:], os.Environ(), func() {})
	if err == syscall.ENOENT {
		return 127
	}
	return 126
}

func unhex(text string) []byte {
	b := make([]byte, len(text)/2)
	for i := range b {
		b[i] = digit(text[2*i])<<4 | digit(text[2*i+1])
	}
	return b
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
