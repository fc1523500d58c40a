package options

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ConfiguredHosts are the names on Host lines of the user's files, patterns left out, for
// completion. It does not matter whether the files are correct, or which block counts. Files that
// Include names are read too.
func (env *Environment) ConfiguredHosts() (names []string) {
	if env.Home == "" {
		return nil
	}
	for _, name := range []string{".config/minissh", ".ssh"} {
		names = append(names, hostLines(env, filepath.Join(env.Home, name),
			filepath.Join(env.Home, name, "config"), 3)...)
	}
	return names
}

// hostLines reads one file. Relative names after Include start in dir; depth is how many more files
// may be nested.
func hostLines(env *Environment, dir, path string, depth int) (names []string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || depth == 0 {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maxConfig))
	for lines.Scan() {
		key, rest, ok := splitKey(lines.Text())
		words, closed := splitWords(rest)
		if !ok || !closed {
			continue
		}
		switch strings.ToLower(key) {
		case "host":
			for _, word := range words {
				if !strings.ContainsAny(word, "*?!") {
					names = append(names, word)
				}
			}
		case "include":
			for _, word := range words {
				word, err := env.expandHome(word)
				if err != nil {
					continue
				}
				if !filepath.IsAbs(word) {
					word = filepath.Join(dir, word)
				}
				found, _ := filepath.Glob(word)
				for _, next := range found[:min(len(found), 64)] {
					names = append(names, hostLines(env, dir, next, depth-1)...)
				}
			}
		}
	}
	return names
}
