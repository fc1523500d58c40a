//go:build linux || darwin

package stage

import "syscall"

// Bounds of an environment file.
const (
	mostEnvFile  = 64 << 10 // bytes
	mostEnvLines = 1000     // as in sshd
	mostBad      = 8        // lines that are told to be bad: nobody may be reading yet
)

// Environment is an environment with what the account's ~/.ssh/environment sets, as sshd reads it.
// bad is for the account: what of it does not count.
func (a *Arrival) Environment(env []string) (more []string, bad string) {
	if !a.EnvFile {
		return env, ""
	}
	file := a.Home + "/.ssh/environment"
	fd := opened(file)
	if fd < 0 {
		return env, ""
	}
	defer syscall.Close(fd)
	text := make([]byte, mostEnvFile+1)
	n := 0
	for n < len(text) {
		got, err := syscall.Read(fd, text[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got <= 0 {
			break
		}
		n += got
	}
	if n > mostEnvFile {
		return env, file + " is too long, and does not count\n"
	}
	set, lines := parseEnvironment(string(text[:n]))
	for i, number := range lines {
		if i < mostBad {
			bad += string(appendNumber([]byte("Bad line "), number)) + " in " + file + "\n"
		}
	}
	for _, pair := range set {
		env = with(env, pair)
	}
	for _, pair := range a.EnvAfter {
		env = with(env, pair)
	}
	return env, bad
}

// parseEnvironment reads the text of an environment file: NAME=value on each line, and comments.
// bad are the numbers of lines that are neither.
func parseEnvironment(text string) (pairs []string, bad []int) {
	for number := 1; text != "" && number <= mostEnvLines; number++ {
		line := text
		text = ""
		for i := range len(line) {
			if line[i] == '\n' {
				line, text = line[:i], line[i+1:]
				break
			}
		}
		for line != "" && (line[0] == ' ' || line[0] == '\t') {
			line = line[1:]
		}
		switch at := equals(line); {
		case line == "" || line[0] == '#':
		case at == 0: // sshd says nothing either
		case at < 0 || hasNUL(line):
			bad = append(bad, number)
		default:
			pairs = append(pairs, line)
		}
	}
	return pairs, bad
}

// equals is where the first = is, -1 if there is none.
func equals(s string) int {
	for i := range len(s) {
		if s[i] == '=' {
			return i
		}
	}
	return -1
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

// with is an environment with one more pair, in place of one of the same name.
func with(env []string, pair string) []string {
	n := equals(pair) + 1
	for i, have := range env {
		if len(have) >= n && have[:n] == pair[:n] {
			changed := append([]string(nil), env...)
			changed[i] = pair
			return changed
		}
	}
	return append(env[:len(env):len(env)], pair)
}

// opened opens a regular file for reading; -1: there is none.
func opened(file string) int {
	fd, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return -1
	}
	var info syscall.Stat_t
	if syscall.Fstat(fd, &info) != nil || info.Mode&syscall.S_IFMT != syscall.S_IFREG {
		syscall.Close(fd)
		return -1
	}
	return fd
}

func appendNumber(b []byte, n int) []byte {
	if n >= 10 {
		b = appendNumber(b, n/10)
	}
	return append(b, byte('0'+n%10))
}
