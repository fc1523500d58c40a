package files

import (
	"os"

	"minissh/protocol"
)

// fileID is how a system identifies a file, whatever its names.
type fileID struct{ device, number uint64 }

// twins finds names that differ in the stream and are one on the disk, because its file system
// ignores case, or the ways to write an accent (FI7): the later would replace the earlier, and
// nobody would know. What a name means on the disk is not computed but looked up: it is a file that
// this transfer has put in place under another name. The zero value is ready.
type twins struct {
	now, before map[fileID]string // paths by file; when now is full, it becomes before
	room        int               // bytes left in now
}

// twinsMost is the most that one of the two may hold, in bytes: some fifty thousand names.
const twinsMost = 4 << 20

// add notes a file that was put in place, or was there already.
func (t *twins) add(id fileID, path string) {
	if cost := len(path) + 64; t.room < cost {
		t.now, t.before, t.room = map[fileID]string{}, t.now, twinsMost-cost
	} else {
		t.room -= cost
	}
	t.now[id] = path
}

// check says whether what comes under a path may replace a file.
func (t *twins) check(id fileID, path string) error {
	first, found := t.now[id]
	if !found {
		first = t.before[id]
	}
	if first == "" || first == path {
		return nil
	}
	first = protocol.Quote(first)
	return &Error{Code: CodeExists, Message: "here its name is the same as that of " +
		first[1:len(first)-1] + ", which was copied before it"}
}

// free says whether what comes under a path may replace what a name in a folder leads to, if
// anything.
func (t *twins) free(dir *os.Root, base, path string) error {
	if id, there := identify(dir, base); there {
		return t.check(id, path)
	}
	return nil
}
