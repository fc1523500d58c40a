//go:build !linux

package process

import "os"

func selfPath() (string, error) { return os.Executable() }
