package testhost

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Build builds minissh and minisshd into a directory, with the race detector if asked.
func Build(ctx context.Context, dir string, race bool) error {
	args := []string{"build", "-o", dir + "/"}
	if race {
		args = append(args, "-race")
	}
	args = append(args, "minissh/cmd/minissh", "minissh/cmd/minisshd")
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// Differences are the lines that two trees do not share: those of the first after a -, then those
// of the second after a +. They tell names, kinds, modes, contents and the targets of links.
func Differences(a, b string) (string, error) {
	x, err1 := tree(a)
	y, err2 := tree(b)
	var out strings.Builder
	unlike := func(mark string, these, those map[string]bool) {
		for _, line := range slices.Sorted(maps.Keys(these)) {
			if !those[line] {
				out.WriteString(mark + line)
			}
		}
	}
	unlike("- ", x, y)
	unlike("+ ", y, x)
	return out.String(), errors.Join(err1, err2)
}

// tree tells all that is below a directory, a line each.
func tree(top string) (map[string]bool, error) {
	lines := map[string]bool{}
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
		lines[fmt.Sprintf("%q %v %s\n", strings.TrimPrefix(name, top), info.Mode(), what)] = true
		return nil
	})
	return lines, err
}
