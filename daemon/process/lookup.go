package process

import "errors"

// ErrNoAccount means that the system has no account of that name.
var ErrNoAccount = errors.New("there is no such account")

// maxName bounds an account's name, in bytes: utmp's bound is 32, directory services have longer ones.
const maxName = 128

// possibleName says whether a name may be asked for. passwd(5) has no room for the first four of these, and a name that begins like an option or
// holds a path's separator never reaches a program or becomes part of a file's name here.
func possibleName(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '-' || name == "." || name == ".." {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == ':' || c == ',' || c == '/' || c == 0x7f {
			return false
		}
	}
	return true
}
