package files

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"minissh/protocol"
)

// Source is one thing to send.
type Source struct {
	Path  string   // as the user named it
	Limit *os.Root // the folder that it must be in, and that Path is relative to; nil: anywhere
	Fault error    // not nil: why it cannot be sent, if that is known already
}

// Merges says whether a path means what is in a folder rather than the folder, since it has no name
// for the folder: ".", "..", "x/.", "../", "/", "".
func Merges(path string) bool {
	base := strings.TrimRight(filepath.ToSlash(path), "/")
	base = base[strings.LastIndexByte(base, '/')+1:]
	return base == "" || base == "." || base == ".."
}

// batch is how many names of a folder are held at once.
const batch = 512

// step is what waits its turn in Resume: the answers come in the order of the offers, and what is
// not offered goes between (FI10).
type step struct {
	rec  Record // as it is to be sent, or as it was offered
	path string // of a file that was offered, below the source's root; "": what is sent as it is
	root *os.Root
	last bool // the source has no more: its root is closed
}

// mostRoots is how many sources may be open because their files wait for an answer.
const mostRoots = 64

// walker walks one source.
type walker struct {
	root    *os.Root // everything is below it
	recurse bool
	todo    []place // folders yet to be entered, the next one last
	// visit is called for each entry but folders, in the open folder dir.
	visit func(dir *os.Root, base string, at place, kind fs.FileMode) error
	enter func(at place, info fs.FileInfo) error
	fault func(name string, err error) error
}

// place is where something is below the root, and what it is called in the stream.
type place struct{ path, name string }

func (p place) join(base string) place {
	at := place{path: base, name: base}
	if p.path != "." {
		at.path = p.path + string(filepath.Separator) + base
	}
	if p.name != "" {
		at.name = p.name + "/" + base
	}
	return at
}

// top opens where a source is: its root, and the place below. A link named by the user is followed,
// as in cp.
func (src *Source) top() (root *os.Root, at place, err error) {
	name := filepath.Clean(src.Path)
	merges := Merges(src.Path)
	if src.Limit != nil {
		if merges || name == "." {
			root, err = openFolder(src.Limit, name)
			return root, place{path: "."}, err
		}
		root, err = openFolder(src.Limit, filepath.Dir(name))
		return root, place{filepath.Base(name), filepath.Base(name)}, err
	}
	if merges || filepath.Dir(name) == name {
		root, err = openFolder(wholeDisk{}, name)
		return root, place{path: "."}, err
	}
	if _, err := os.Stat(name); err != nil {
		return nil, at, err // in the system's words, which EvalSymlinks does not have for a loop
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, at, err
	}
	root, err = openFolder(wholeDisk{}, filepath.Dir(real))
	return root, place{filepath.Base(real), filepath.Base(name)}, err
}

// source sends one.
func (s *sender) source(src *Source) error {
	if src.Fault != nil {
		return s.fault(0, src.Path, src.Fault)
	}
	root, at, err := src.top()
	if err != nil {
		return s.fault(0, src.Path, err)
	}
	s.root = root
	w := &walker{root: root, recurse: s.o.Recursive, visit: s.visit, enter: s.enter}
	w.fault = func(name string, err error) error {
		if name == "" {
			name = src.Path
		}
		return s.fault(0, name, err)
	}
	err = w.start(at)
	s.queue = append(s.queue, step{root: root, last: true})
	if s.roots++; err == nil {
		err = s.settle(ahead)
	}
	for err == nil && s.roots > mostRoots {
		err = s.settle(len(s.queue) - 1)
	}
	return err
}

// leave closes what the queue still needed when the transfer broke off.
func (s *sender) leave() {
	for _, next := range s.queue {
		if next.last {
			next.root.Close()
		}
	}
	s.queue = nil
}

// start looks at the source itself, following a link, and walks.
func (w *walker) start(at place) error {
	info, err := w.root.Stat(at.path)
	if err != nil {
		return w.fault(at.name, err)
	}
	if !info.IsDir() {
		return w.visit(w.root, at.path, at, info.Mode().Type())
	}
	if !w.recurse {
		return w.fault(at.name, &Error{CodeIsFolder, "it is a folder, and -r was not given"})
	}
	w.todo = []place{at}
	for len(w.todo) > 0 {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if err := w.folder(next); err != nil {
			return err
		}
	}
	return nil
}

// folder visits what is in one: first what is not a folder, while it is being read, so that a
// million names are never held at once; then the folders in it.
func (w *walker) folder(at place) error {
	dir, err := openFolder(w.root, at.path)
	if err != nil {
		return w.fault(at.name, err)
	}
	defer dir.Close()
	list, err := dir.Open(".")
	if err != nil {
		return w.fault(at.name, err)
	}
	defer list.Close()
	if at.name != "" {
		info, err := list.Stat()
		if err != nil {
			return w.fault(at.name, err)
		}
		if err := w.enter(at, info); err != nil {
			return err
		}
	}
	for {
		found, err := list.ReadDir(batch)
		for _, e := range found {
			if isPartial(e.Name()) {
				continue
			}
			if e.IsDir() {
				w.todo = append(w.todo, at.join(e.Name()))
			} else if err := w.visit(dir, e.Name(), at.join(e.Name()), e.Type()); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return w.fault(at.name, err)
		}
	}
}

// enter sends a folder.
func (s *sender) enter(at place, info fs.FileInfo) error {
	rec := Record{Kind: KindDir, Name: protocol.Bytes(at.name), Mode: int64(info.Mode().Perm())}
	rec.stamp(info.ModTime())
	return s.plain(&rec)
}

// visit sends, or offers, what is not a folder.
func (s *sender) visit(dir *os.Root, base string, at place, kind fs.FileMode) error {
	switch {
	case kind&fs.ModeSymlink != 0:
		target, err := dir.Readlink(base)
		if err != nil {
			return s.fault(0, at.name, err)
		}
		rec := Record{Kind: KindLink, Name: protocol.Bytes(at.name), Target: protocol.Bytes(target)}
		if info, err := dir.Lstat(base); err == nil {
			rec.stamp(info.ModTime())
		}
		return s.plain(&rec)
	case kind != 0:
		return s.fault(0, at.name, &Error{CodeNotCopied, "it is " + kindName(kind) +
			", which is not copied"})
	case s.o.Resume:
		return s.propose(dir, base, at)
	}
	return s.file(0, dir, base, at.name, nil)
}

func kindName(kind fs.FileMode) string {
	switch {
	case kind&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case kind&fs.ModeSocket != 0:
		return "a socket"
	case kind&fs.ModeDevice != 0:
		return "a device"
	}
	return "neither file nor folder nor link"
}

// plain sends a folder or link, after what was offered before it.
func (s *sender) plain(rec *Record) error {
	if len(rec.Name) > MaxName || len(rec.Target) > MaxName {
		return s.fault(0, string(rec.Name), &Error{CodeNameTooLong,
			"the path is longer than this protocol takes"})
	}
	id, err := s.begin(rec.Kind, string(rec.Name), 0, false)
	if err != nil {
		return err
	}
	rec.ID = id
	return s.say(rec)
}

// total counts what will come. What cannot be read counts nothing: it will be reported in its turn.
func (s *sender) total(sources []Source) error {
	var files, bytes int64
	for i := range sources {
		if sources[i].Fault != nil {
			continue
		}
		root, at, err := sources[i].top()
		if err != nil {
			continue
		}
		w := &walker{root: root, recurse: s.o.Recursive,
			fault: func(string, error) error { return nil }}
		w.enter = func(place, fs.FileInfo) error { return s.unbroken() }
		w.visit = func(dir *os.Root, base string, _ place, kind fs.FileMode) error {
			if info, err := dir.Stat(base); err == nil && kind == 0 {
				files++
				bytes += info.Size()
			}
			return nil
		}
		err = w.start(at)
		root.Close()
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.watch(Event{What: EventTotal, ID: files, Size: bytes})
	s.mu.Unlock()
	return s.out.Write(&Record{Kind: KindTotal, Files: files, Bytes: bytes}, nil)
}

// unbroken is why there is nobody to send to any more.
func (s *sender) unbroken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}
