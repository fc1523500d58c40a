// Package wholeline adds lines to files that several programs add to, so that a line is in the file
// whole or not at all.
package wholeline

import "os"

// Append writes text, one or more lines, at the end of a file that was opened with O_APPEND, in one
// write. If the disk is full, it takes back the part that was written, unless somebody else has
// written after it; the error is that of the write.
func Append(f *os.File, text string) error {
	n, err := f.WriteString(text)
	if err == nil || n == 0 {
		return err
	}
	end, seekErr := f.Seek(0, 1) // after what this descriptor wrote
	if info, statErr := f.Stat(); seekErr == nil && statErr == nil && info.Mode().IsRegular() &&
		info.Size() == end {
		f.Truncate(end - int64(n))
	}
	return err
}
