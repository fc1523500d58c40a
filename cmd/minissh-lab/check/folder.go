package check

import (
	"io/fs"
	"os"
	"path/filepath"

	"minissh/cmd/minissh-lab/folder"
)

// workFolder is where the learner's program runs: four levels deep in a fresh
// folder, so that ../../../x is still inside what the lab looks at.
type workFolder struct {
	base string // removed at the end
	dir  string // base/1/2/work
}

// commonFolders are names that the course's programs keep their files under.
var commonFolders = []string{"", "share", "download", "upload", "file_upload", "file_download"}

// newWorkFolder makes one; withSamples puts the sample files where programs look.
func newWorkFolder(withSamples bool) (*workFolder, error) {
	base, err := os.MkdirTemp("", "minissh-lab-check-")
	if err != nil {
		return nil, err
	}
	w := &workFolder{base: base, dir: filepath.Join(base, "1", "2", "work")}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		w.Close()
		return nil, err
	}
	if !withSamples {
		return w, nil
	}
	for _, sub := range commonFolders {
		dir := filepath.Join(w.dir, sub)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			w.Close()
			return nil, err
		}
		for name, data := range folder.Samples() {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				w.Close()
				return nil, err
			}
		}
	}
	return w, nil
}

// Close removes everything.
func (w *workFolder) Close() error { return os.RemoveAll(w.base) }

// find returns the paths of files of that name, within the work folder or, with
// outside, beside it.
func (w *workFolder) find(name string, outside bool) []string {
	var found []string
	filepath.WalkDir(w.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // a file that is going away is not there
		}
		if path == w.dir && outside {
			return filepath.SkipDir
		}
		inside := len(path) > len(w.dir) && path[:len(w.dir)] == w.dir
		if !d.IsDir() && d.Name() == name && inside != outside {
			found = append(found, path)
		}
		return nil
	})
	return found
}
