package folder

import (
	"errors"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrName is a file name that is refused: not the plain name of one file.
var ErrName = errors.New("refused file name: a plain name such as a.txt is wanted, without folders")

// Check refuses every name that is not the plain name of one file on every
// system: folders (/, \), "..", drive letters and streams (:), control characters,
// Windows' reserved names, hidden files, more than 200 bytes.
func Check(name string) error {
	bad := name == "" || len(name) > 200 || !utf8.ValidString(name) ||
		strings.ContainsAny(name, `/\:*?"<>|`) ||
		strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") ||
		strings.TrimSpace(name) != name || !filepath.IsLocal(name) || reserved(name)
	for _, r := range name {
		// Direction marks are not printable either: a name must read as what it is.
		if !unicode.IsPrint(r) {
			bad = true
		}
	}
	if bad {
		return ErrName
	}
	return nil
}

// reserved reports Windows' device names, which are refused on every system so
// that a classroom with both behaves alike.
func reserved(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base = strings.TrimSpace(base); base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) &&
		base[3] >= '0' && base[3] <= '9'
}

// Base is the last part of a path as any system writes it: students type
// `put D:\python\a.txt` as well as `put /tmp/a.txt`.
func Base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
