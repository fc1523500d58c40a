package playshell

import (
	"path"
	"sort"
	"strings"
)

// home is where each line begins.
const home = "/home/student"

// files is the played file tree: absolute path to content.
var files = map[string]string{
	"/home/student/a.txt":     "hello world",
	"/home/student/big.txt":   Big(3000),
	"/home/student/empty.txt": "",
	// 1200 bytes: recv(1024) cuts a character
	"/home/student/zhong.txt":     strings.Repeat("中", 400),
	"/home/student/你好.txt":        "包没有粘，是流没有边界。\n",
	"/home/student/code/hello.py": "print('hello')\n",
	"/etc/hostname":               "classroom\n",
	"/tmp/.keep":                  "",
}

// Big is the output that does not fit into one recv(1024): n bytes of numbered
// lines, 16 bytes each, so that a leftover says where it was cut.
func Big(n int) string {
	var b strings.Builder
	for i := 1; b.Len() < n; i++ {
		line := "line 0000000000\n"
		digits := itoa(i)
		b.WriteString(line[:15-len(digits)] + digits + "\n")
	}
	return b.String()[:n]
}

// isDir reports whether p is a folder of the played tree.
func isDir(p string) bool {
	if p == "/" {
		return true
	}
	for f := range files {
		if strings.HasPrefix(f, p+"/") {
			return true
		}
	}
	return false
}

// list returns the sorted names in folder p, without hidden ones.
func list(p string) []string {
	seen := map[string]bool{}
	prefix := strings.TrimSuffix(p, "/") + "/"
	for f := range files {
		if rest, ok := strings.CutPrefix(f, prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			seen[name] = !strings.HasPrefix(name, ".")
		}
	}
	var names []string
	for name, shown := range seen {
		if shown {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// resolve makes p absolute, seen from cwd.
func resolve(cwd, p string) string {
	p = strings.ReplaceAll(p, `\`, "/") // `cd ..\code`, as typed on Windows
	switch {
	case p == "~":
		return home
	case strings.HasPrefix(p, "~/"):
		return path.Join(home, p[2:])
	case strings.HasPrefix(p, "/"):
		return path.Clean(p)
	}
	return path.Join(cwd, p)
}
