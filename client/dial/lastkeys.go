package dial

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"minissh/client/options"
)

// The file of keys that last worked: one line a host, "user@[host]:port SHA256:…", newest last. It
// only saves a refused attempt: nobody needs to know when it cannot be used.
const mostRemembered = 500

func readLastKeys() (lines []string) {
	f, err := os.Open(options.StateFile("last-keys"))
	if err != nil {
		return nil
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); scanner.Scan() && len(lines) < 2*mostRemembered; {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// lastKey is the key that last worked for a host.
func (s *Shared) lastKey(host string) (fingerprint string) {
	lines := readLastKeys
	if s != nil {
		s.mu.Lock()
		if s.last == nil {
			s.last = sync.OnceValue(readLastKeys)
		}
		lines = s.last
		s.mu.Unlock()
	}
	for _, line := range lines() {
		if h, f, ok := strings.Cut(line, " "); ok && h == host {
			fingerprint = f
		}
	}
	return fingerprint
}

// worked remembers the key for next time, if another would be tried first.
func (r *keyRing) worked(c *candidate) {
	if r.first() == c || len(r.list) == 1 {
		return
	}
	if r.shared != nil { // others may write it now
		r.shared.writing.Lock()
		defer r.shared.writing.Unlock()
	}
	lines := slices.DeleteFunc(readLastKeys(), func(line string) bool {
		return strings.HasPrefix(line, r.host+" ")
	})
	lines = append(lines[max(0, len(lines)-mostRemembered):], r.host+" "+c.name())
	file := options.StateFile("last-keys")
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid())
	if os.WriteFile(temporary, []byte(strings.Join(lines, "\n")+"\n"), 0o600) != nil ||
		os.Rename(temporary, file) != nil {
		os.Remove(temporary)
	}
}
