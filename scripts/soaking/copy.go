//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"minissh/scripts/testhost"
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
	if differ, err := testhost.Differences(j.path("from"), j.path("to")); err != nil {
		j.fault("%v", err)
	} else if differ != "" {
		j.fault("the trees differ:\n%s", differ)
	}
}

func put(j *job) { j.copies("", "box:") }
func get(j *job) { j.copies("box:", "") }

// between has two sessions, each over a relay of its own.
func between(j *job) { j.copies("box:", "other:") }
