package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// openFolder opens a folder through what is above it. os's own way would open whatever has that
// name, and wait for the writer of a named pipe; of "name/." the kernel opens nothing but a folder.
func openFolder(on interface {
	OpenRoot(name string) (*os.Root, error)
}, name string) (*os.Root, error) {
	return on.OpenRoot(name + string(filepath.Separator) + ".")
}

// OpenLimit opens the folder that a peer is limited to.
func OpenLimit(path string) (*os.Root, error) { return openFolder(wholeDisk{}, path) }

// escapes says that in a pattern a backslash makes the next character ordinary. On Windows a
// backslash separates names.
const escapes = filepath.Separator == '/'

// Expand finds what a user's path means on this side, as in a shell and in scp: the file of that
// name, or else what matches the pattern. A pattern has * ? [ in it; a backslash makes the next
// character ordinary. limit as in Source.
func Expand(limit *os.Root, name string) ([]string, error) {
	d := on(limit)
	literal := name
	if limit != nil {
		literal = filepath.Clean(name)
	}
	wild := strings.ContainsAny(name, `*?[`)
	_, missing := d.Lstat(literal)
	if missing == nil || !wild && !(escapes && strings.Contains(name, `\`)) {
		return []string{name}, nil
	}
	found, err := glob(d, name)
	switch {
	case len(found) > 0 && err == nil:
		return found, nil
	case !wild, err == nil && !errors.Is(missing, fs.ErrNotExist):
		return []string{name}, nil // what the system says about the name is to be reported
	case err != nil:
		return nil, &Error{CodeNotFound, "the pattern is not complete"}
	}
	return nil, &Error{CodeNotFound, "nothing matches"}
}

// glob is filepath.Glob, but opens folders only: each part of the path is either a name or a
// pattern, and hidden names match only where the dot is written.
func glob(d disk, name string) ([]string, error) {
	top := filepath.VolumeName(name)
	rest := name[len(top):]
	for rest != "" && os.IsPathSeparator(rest[0]) {
		top, rest = top+rest[:1], rest[1:]
	}
	found := []string{top}
	parts := strings.FieldsFunc(rest,
		func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
	for i, part := range parts {
		if _, err := filepath.Match(part, ""); err != nil {
			return nil, err
		}
		last := i == len(parts)-1 && !os.IsPathSeparator(lastByte(rest))
		found = among(d, found, part, last)
	}
	if os.IsPathSeparator(lastByte(rest)) {
		for i := range found {
			found[i] += rest[len(rest)-1:]
		}
	}
	return found, nil
}

// among finds what has a name, or matches a pattern, in each of these folders. last says that it
// need not be a folder.
func among(d disk, folders []string, part string, last bool) (found []string) {
	for _, above := range folders {
		names := []string{unescaped(part)}
		if isPattern(part) {
			names = matching(d, above, part)
		}
		for _, name := range names {
			path := join(above, name)
			info, err := d.Lstat(path)
			if err == nil && !last && !info.IsDir() {
				info, err = d.Stat(path)
			}
			if err == nil && (last || info.IsDir()) {
				found = append(found, path)
			}
		}
	}
	return found
}

// matching lists the names in a folder that match. A folder that cannot be read has none, as in a
// shell.
func matching(d disk, folder, pattern string) (matched []string) {
	if folder == "" {
		folder = "."
	}
	root, err := openFolder(d, folder)
	if err != nil {
		return nil
	}
	defer root.Close()
	list, err := root.Open(".")
	if err != nil {
		return nil
	}
	defer list.Close()
	names, _ := list.Readdirnames(-1)
	for _, name := range names {
		if ok, _ := filepath.Match(pattern, name); ok &&
			(name[0] != '.' || unescaped(pattern)[0] == '.') {
			matched = append(matched, name)
		}
	}
	slices.Sort(matched)
	return matched
}

// join is a name in a folder; the folder's own is "" or ends in a separator if nothing is to be put
// between.
func join(folder, name string) string {
	if folder == "" || os.IsPathSeparator(lastByte(folder)) || runtime.GOOS == "windows" &&
		strings.HasSuffix(folder, ":") {
		return folder + name
	}
	return folder + string(filepath.Separator) + name
}

// isPattern says whether a part of a path holds characters with a special meaning.
func isPattern(part string) bool {
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '*', '?', '[':
			return true
		case '\\':
			if escapes {
				i++
			}
		}
	}
	return false
}

// unescaped is a part without its backslashes, except those that are meant.
func unescaped(part string) string {
	if !escapes || !strings.Contains(part, `\`) {
		return part
	}
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		if part[i] == '\\' && i+1 < len(part) {
			i++
		}
		b.WriteByte(part[i])
	}
	return b.String()
}
