package files

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// PartialPrefix begins, and PartialSuffix ends, the name of every partial file. Such names are
// never sent, and never accepted.
const (
	PartialPrefix = ".minissh-"
	PartialSuffix = ".part"
)

// isPartial recognizes the names of our own temporary files.
func isPartial(base string) bool {
	return strings.HasPrefix(base, PartialPrefix) && strings.HasSuffix(base, PartialSuffix)
}

// localName turns a name from the stream into a path below the target folder (FI6). It is the first
// of two walls: what it accepts goes to an os.Root, which does not leave its folder whatever is on
// the disk.
func localName(name string, system string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", &Error{Code: CodeNameRefused, Message: "this name is not taken: " + why}
	}
	switch {
	case name == "":
		return refuse("it is empty")
	case len(name) > MaxName:
		return refuse(fmt.Sprintf("it is longer than %d bytes", MaxName))
	case strings.IndexByte(name, 0) >= 0:
		return refuse("it holds a zero byte")
	case path.IsAbs(name):
		return refuse("it is absolute")
	case path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return refuse(`it has empty parts, "." or ".."`)
	case isPartial(path.Base(name)):
		return refuse("minissh's own unfinished files are called so")
	}
	if system != "windows" {
		return name, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if why := windowsPart(part); why != "" {
			return refuse(why)
		}
	}
	if runtime.GOOS == "windows" && !filepath.IsLocal(filepath.FromSlash(name)) {
		return refuse("Windows keeps it for itself")
	}
	return filepath.FromSlash(name), nil
}

// windowsPart says why Windows cannot have a file of that name (Microsoft, Naming Files, Paths, and
// Namespaces), or would read it as another name.
func windowsPart(part string) string {
	if strings.ContainsAny(part, `\:<>"|?*`) || strings.ContainsFunc(part,
		func(r rune) bool { return r < ' ' }) {
		return "it holds a character that Windows does not allow"
	}
	if strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
		return "Windows would drop the dot or blank at its end"
	}
	stem, _, _ := strings.Cut(part, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return "Windows keeps it for a device"
	}
	if rest, ok := strings.CutPrefix(stem, "COM"); ok && deviceNumber(rest) {
		return "Windows keeps it for a device"
	}
	if rest, ok := strings.CutPrefix(stem, "LPT"); ok && deviceNumber(rest) {
		return "Windows keeps it for a device"
	}
	return ""
}

func deviceNumber(s string) bool {
	switch s {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}
