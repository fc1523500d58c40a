package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// Options are what a transfer does beyond copying. Nothing changes after the start.
type Options struct {
	Recursive bool // sender: folders, with what is in them
	Preserve  bool // receiver: modes and times as at the source
	Resume    bool // go on with what is there: the sender asks; the receiver ignores this
	Checksum  bool // receiver: size and time do not show that a file is the same
	Sync      bool // receiver: a file is on the disk before it gets its name
	Total     bool // sender: say first how much will come
	// PlainLinks refuses every link that could lead out of the target folder: for peers that must
	// stay in it.
	PlainLinks bool
	// Content, if not nil, is what of a file is read from its beginning on: sender, for one that
	// goes to many.
	Content func(*os.File) io.ReadSeeker
}

// What an Event reports.
const (
	EventTotal = "total" // Size bytes in ID files will come
	EventStart = "start" // a file of Size bytes begins
	// Size more bytes of content went by; of a file's, There need not be sent
	EventBytes   = "bytes"
	EventStored  = "stored"  // an entry is in place
	EventSkipped = "skipped" // it was there already
	EventFailed  = "failed"  // it is not; Err says why
)

// Event is what a transfer's watcher may want to know. Name and Err may be the other side's words:
// quote them.
type Event struct {
	What string
	ID   int64
	Kind Kind // dir, link or file
	Name string
	Size int64
	// There counts the bytes that are there already of a file begun earlier.
	There int64
	Err   *Error
	Far   bool // Err is what the other side said
}

// Summary is the result of a transfer.
type Summary struct {
	Stored, Skipped, Failed int64 // entries, folders and links among them
	Bytes                   int64 // of content that went over the stream
}

// ackEvery is the most entries after which a receiver says how far it is.
const ackEvery = 64

// receiver is a transfer's receiving side. One goroutine owns it.
type receiver struct {
	in    *Reader
	out   *Writer
	heard *listener // below out
	place *Place
	o     Options
	watch func(Event)

	folders folders
	twins   twins
	body    []byte // of one record
	top     string // the first part of all names, if the place has another for it
	last    int64  // the latest entry's number
	acked   int64  // what we said
	sum     Summary

	now   *arrival           // the file whose data comes; nil: none
	offer map[int64]*remains // what waits for its file, by entry; at most Window
	// partials are those of them that are open.
	partials int
}

// Receive takes what a sender streams until it is done, and puts it where place says. Entries that
// fail are reported to the sender and to watch, which may be nil; the error is what ended the
// whole: the streams' own, or a *protocol.Violation. What is not whole by then is kept for a later
// transfer.
func Receive(in io.Reader, out io.Writer, place *Place, o Options, watch func(Event)) (Summary,
	error) {
	if watch == nil {
		watch = func(Event) {}
	}
	heard := &listener{w: out}
	r := &receiver{in: NewReader(in), out: NewWriter(heard), heard: heard, place: place, o: o,
		watch: watch, offer: map[int64]*remains{}}
	r.folders = folders{root: place.Root, o: o}
	defer r.end()
	err := r.run()
	return r.sum, err
}

// end lets go of everything.
func (r *receiver) end() {
	if r.now != nil {
		r.now.interrupt()
	}
	for _, s := range r.offer {
		s.release()
	}
	r.folders.missing(true)
	r.folders.reach("") // what was made gets its mode, even if the rest did not come
	r.folders.close()
}

func (r *receiver) run() error {
	var rec Record
	for {
		if !r.in.Waiting() { // the sender may wait for us
			r.ack()
			r.out.Flush()
		}
		if err := r.in.Next(&rec); err != nil {
			return cut(err)
		}
		if rec.Kind == KindDone {
			return r.done()
		}
		if err := r.take(&rec); err != nil {
			return err
		}
		if r.last-r.acked >= ackEvery {
			r.ack()
		}
	}
}

// take acts on one record. The error ends the transfer.
func (r *receiver) take(rec *Record) error {
	if r.now != nil && rec.Kind != KindData && rec.Kind != KindEnd {
		return violate("%s within a file", short(string(rec.Kind)))
	}
	switch rec.Kind {
	case KindTotal:
		r.watch(Event{What: EventTotal, ID: rec.Files, Size: rec.Bytes})
		return nil
	case KindData:
		return r.data(rec)
	case KindEnd:
		err := r.finish(rec)
		if err == nil { // a large file is worth a word at once: the sender may show it
			r.ack()
			r.out.Flush()
		}
		return err
	case KindOffer:
		return r.offered(rec)
	case KindDir, KindLink, KindFile, KindFault:
		return r.entry(rec)
	}
	return violate("a sender said %s", short(string(rec.Kind)))
}

// entry is the next dir, link, file or fault.
func (r *receiver) entry(rec *Record) error {
	if rec.ID <= r.last {
		return violate("entry %d after %d", rec.ID, r.last)
	}
	r.last = rec.ID
	if rec.Kind == KindFault {
		r.found(rec.ID).release()
		r.sum.Failed++
		r.watch(Event{What: EventFailed, ID: rec.ID, Kind: KindFault, Name: string(rec.Name),
			Err: &Error{rec.Code, rec.Message}, Far: true})
		return nil
	}
	path, err := r.path(rec)
	switch {
	case rec.Kind == KindFile:
		return r.file(rec, path, err)
	case err != nil:
	case rec.Kind == KindDir:
		err = r.folders.enter(path, rec)
	default:
		err = r.link(rec, path)
	}
	r.result(rec, EventStored, err)
	return nil
}

// path is where an entry goes, if it may go there.
func (r *receiver) path(rec *Record) (string, error) {
	path, err := localName(string(rec.Name), runtime.GOOS)
	if err != nil {
		return "", err
	}
	path, err = r.rename(path, rec.Kind)
	if err != nil {
		return "", err
	}
	failed, err := r.folders.reach(path)
	if err != nil { // the fault is not this entry's, but that of the folder that was left
		r.watch(Event{What: EventFailed, Kind: KindDir, Err: problem(err)})
		r.sum.Failed++
	}
	if failed {
		return "",
			&Error{Code: CodeParent, Message: "the folder that it belongs in could not be made"}
	}
	return path, nil
}

// result reports what became of an entry.
func (r *receiver) result(rec *Record, what string, err error) {
	e := Event{What: what, ID: rec.ID, Kind: rec.Kind, Name: string(rec.Name), Size: rec.Size}
	switch {
	case err != nil:
		e.What, e.Err = EventFailed, problem(err)
		r.folders.missing(false)
		r.sum.Failed++
		r.out.Write(&Record{Kind: KindError, ID: rec.ID, Code: e.Err.Code, Message: e.Err.Message},
			nil)
	case what == EventSkipped:
		r.sum.Skipped++
	default:
		r.sum.Stored++
	}
	r.watch(e)
}

// ack says how far we are.
func (r *receiver) ack() {
	done := r.last
	if r.now != nil {
		done--
	}
	if done > r.acked {
		r.acked = done
		r.out.Write(&Record{Kind: KindStored, ID: done}, nil)
	}
}

func (r *receiver) done() error {
	if r.now != nil {
		return violate("done within a file")
	}
	if _, err := r.folders.reach(""); err != nil {
		r.sum.Failed++
		r.out.Write(&Record{Kind: KindError, ID: r.last, Code: problem(err).Code,
			Message: problem(err).Message}, nil)
	}
	r.ack()
	r.out.Write(&Record{Kind: KindDone, Files: r.sum.Stored, Bytes: r.sum.Bytes}, nil)
	r.out.Flush()
	return r.heard.gone
}

// listener is the sender, as somebody to report to. When it is gone, what it said before still
// counts, and may be a lot: the receiver reads on until its stream ends.
type listener struct {
	w    io.Writer
	gone error // the first failure; nothing is written after it
}

func (l *listener) Write(p []byte) (int, error) {
	if l.gone == nil {
		_, l.gone = l.w.Write(p)
	}
	return len(p), nil
}

// link makes a symbolic link, in place of the link or file that has its name.
func (r *receiver) link(rec *Record, path string) error {
	target := string(rec.Target)
	if target == "" || len(target) > MaxName {
		return &Error{Code: CodeNameRefused, Message: "the link's target is empty or too long"}
	}
	if r.o.PlainLinks && !plainTarget(target) {
		return &Error{Code: CodeOutside,
			Message: "a link that is absolute or holds .. is not taken from this key"}
	}
	dir, base, err := r.folders.open(path)
	if err != nil {
		return err
	}
	if err := replaceable(dir, base); err != nil {
		return err
	}
	if err := r.twins.free(dir, base, path); err != nil {
		return err
	}
	if there, err := dir.Readlink(base); err == nil && there == target {
		if r.o.Preserve {
			linkTime(dir, base, rec.time())
		}
		r.placed(dir, base, path)
		return nil
	}
	name := partialName(base)
	err = dir.Symlink(target, name)
	if errors.Is(err, fs.ErrExist) {
		if !removeLeft(dir, name) {
			name = otherName(base)
		}
		err = dir.Symlink(target, name)
	}
	if err != nil {
		return err
	}
	if r.o.Preserve {
		linkTime(dir, name, rec.time())
	}
	if err := dir.Rename(name, base); err != nil {
		dir.Remove(name)
		return err
	}
	r.placed(dir, base, path)
	return nil
}

// plainTarget recognizes targets that only lead downwards. Counting ".." would not do: a link on
// the way may lead up already.
func plainTarget(target string) bool {
	if localTarget, err := localName(target, runtime.GOOS); err != nil || localTarget == "" {
		return false
	}
	return true
}

func errLie(rec *Record, got, want int64) error {
	return violate("%s brings byte %d of a file of %d", short(fmt.Sprint(rec.Kind)), got, want)
}
