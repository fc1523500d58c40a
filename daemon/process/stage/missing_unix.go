//go:build linux || darwin

package stage

import "syscall"

// Missing says whether an errno means that a directory cannot be entered, or a program not run.
func Missing(err error) bool {
	switch err {
	case syscall.EACCES, syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG,
		syscall.EIO, syscall.ESTALE, syscall.ENOTCONN:
		return true
	}
	return false
}
