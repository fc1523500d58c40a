package files

import (
	"errors"
	"io/fs"
	"syscall"
)

// Codes of a fault or an error (FI5).
const (
	CodeNotFound     = "not_found"
	CodeNoPermission = "no_permission"
	CodeExists       = "exists"        // something of another kind has that name
	CodeNoSpace      = "no_space"      // disk or quota
	CodeNameRefused  = "name_refused"  // not a valid name at the receiving side
	CodeNameTooLong  = "name_too_long" // for the file system
	CodeOutside      = "outside"       // it leaves the target folder
	CodeIsFolder     = "is_folder"     // a folder without -r
	CodeNotCopied    = "not_copied"    // a device, FIFO or socket
	CodeChanged      = "changed"       // while it was read
	CodeDigest       = "digest"        // what arrived is not what was sent
	CodeReadOnly     = "read_only"     // file system, or the key
	CodeParent       = "parent"        // the folder that it belongs in failed
	CodeIO           = "io"            // anything else
)

// Error is what is wrong with one entry; the others go on.
type Error struct {
	Code    string
	Message string // for people
}

func (e *Error) Error() string { return e.Message }

// problem makes an *Error of what the system said about an entry: without paths, which the other
// side need not know.
func problem(err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	text := err.Error()
	var path *fs.PathError
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		text = number.Error()
	case errors.As(err, &path):
		text = path.Err.Error()
	}
	code := CodeIO
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = CodeNotFound
	case errors.Is(err, fs.ErrPermission):
		code = CodeNoPermission
	case errors.Is(err, syscall.EROFS):
		code = CodeReadOnly
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR),
		errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENOTEMPTY):
		code = CodeExists
	case noSpace(err):
		code = CodeNoSpace
	case errors.Is(err, syscall.ENAMETOOLONG):
		code = CodeNameTooLong
	case text == "path escapes from parent": // os.Root's; it has no value to compare with
		code, text = CodeOutside, "it leads out of the folder, by a link or by .."
	}
	return &Error{Code: code, Message: text}
}
