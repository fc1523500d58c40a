//go:build !unix

package authorized

import (
	"fmt"
	"os"
)

// Owner is whose file it is. On this system owners and modes are not checked.
type Owner struct {
	UID  uint32
	Home string
}

// Load reads a file. The error is os.ErrNotExist where there is none.
func Load(name string, _ Owner) (*File, []Problem, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, nil, fmt.Errorf("%s is not a regular file of at most %d bytes", name, maxFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	file, problems := Parse(name, text)
	return file, problems, nil
}
