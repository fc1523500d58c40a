package testhost

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// The go command takes a test's result from its cache when nothing that the test looked at has
// changed. That the programs are built of the tree's sources it does not know, unless the test
// itself looks at them, while it runs.
var lookAtSources = sync.OnceFunc(func() {
	top, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; ; top = filepath.Dir(top) {
		if _, err := os.Stat(filepath.Join(top, "go.mod")); err == nil {
			break
		} else if top == filepath.Dir(top) {
			panic("no go.mod above the test")
		}
	}
	for _, dir := range []string{"cmd/minissh", "cmd/minisshd", "client", "daemon", "protocol"} {
		err := filepath.WalkDir(filepath.Join(top, dir),
			func(name string, d fs.DirEntry, err error) error {
				if err == nil && strings.HasSuffix(name, ".go") &&
					!strings.HasSuffix(name, "_test.go") {
					_, err = os.Stat(name)
				}
				return err
			})
		if err != nil {
			panic(err)
		}
	}
})
