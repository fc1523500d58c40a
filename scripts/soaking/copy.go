//go:build linux

package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// plant makes a tree of random files below the job's directory.
func (j *job) plant(name string) error {
	content := stream(j.seed, streamTree)
	left := int64(logUniform(j.random, 1<<10, 48<<20))
	dirs := []string{j.path(name)}
	for n := 0; left > 0 && n < 200; n++ {
		if n%10 == 0 {
			dirs = append(dirs, filepath.Join(dirs[j.random.IntN(len(dirs))], fmt.Sprint("d", n)))
		}
		dir := dirs[j.random.IntN(len(dirs))]
		size := min(left, int64(logUniform(j.random, 1, 16<<20)))
		left -= size
		text := make([]byte, size)
		content.Read(text)
		if err := errors.Join(os.MkdirAll(dir, 0o755),
			os.WriteFile(filepath.Join(dir, fmt.Sprint("f", n)), text,
				os.FileMode(0o600|j.random.IntN(2)*0o155))); err != nil {
			return err
		}
	}
	return os.Symlink("nowhere", filepath.Join(dirs[0], "link"))
}

// tree tells all that is below a directory: names, kinds, modes and contents.
func tree(top string) (string, error) {
	var out strings.Builder
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := ""
		switch {
		case info.Mode().IsRegular():
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			what = fmt.Sprintf("%d bytes, %x", len(text), sha256.Sum256(text))
		case info.Mode()&fs.ModeSymlink != 0:
			what, _ = os.Readlink(name)
		}
		fmt.Fprintf(&out, "%q %v %s\n", strings.TrimPrefix(name, top), info.Mode(), what)
		return nil
	})
	return out.String(), err
}

// copies runs cp -r from one place to another, each of which is below the job's directory, and
// compares the trees.
func (j *job) copies(from, to string) {
	if err := j.plant("from"); err != nil {
		j.fault("%v", err)
		return
	}
	cmd := j.client("cp", j.level, "-r", j.config(), from+j.path("from"), to+j.path("to"))
	if !j.finish(cmd, 0) {
		return
	}
	here, err := tree(j.path("from"))
	there, err2 := tree(j.path("to"))
	if err := errors.Join(err, err2); err != nil {
		j.fault("%v", err)
	} else if here != there {
		j.fault("the trees differ:\n%s", unlike(here, there))
	}
}

// unlike are the lines that two trees do not share: those of the first, and after a + those of the
// second.
func unlike(a, b string) string {
	var out strings.Builder
	for _, pair := range [][3]string{{a, b, "- "}, {b, a, "+ "}} {
		other := map[string]bool{}
		for line := range strings.Lines(pair[1]) {
			other[line] = true
		}
		for line := range strings.Lines(pair[0]) {
			if !other[line] {
				out.WriteString(pair[2] + line)
			}
		}
	}
	return out.String()
}

func put(j *job) { j.copies("", "box:") }
func get(j *job) { j.copies("box:", "") }

// between has two sessions, each over a relay of its own.
func between(j *job) { j.copies("box:", "other:") }
