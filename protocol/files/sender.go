package files

import (
	"io"
	"os"
	"sync"
	"time"

	"minissh/protocol"
)

// Stream is what a transfer runs over: the other side's records in, ours out. Abort makes both end
// at once; it is called at most once, when the other side breaks a rule or is gone.
type Stream struct {
	In    io.Reader
	Out   io.Writer
	Abort func()
}

// entry is something on its way: sent, or offered, and not yet answered.
type entry struct {
	id      int64
	kind    Kind
	name    string
	size    int64
	offered bool
	whole   bool // the receiver had all of it
	failed  bool
	said    bool // watch knows how it ended
}

// sender is a transfer's sending side. The goroutine of Send walks and writes; another reads the
// answers.
type sender struct {
	o     Options
	watch func(Event) // called under mu
	out   *Writer
	next  int64    // the latest entry's number; of the goroutine of Send
	root  *os.Root // of the source under way
	queue []step
	roots int // of sources, open in the queue
	piece []byte

	mu      sync.Mutex // guards the rest
	change  sync.Cond
	open    []entry // in the order of their numbers, at most Window
	begun   int64   // the number of the latest of them
	answers map[int64]Record
	done    *Record
	broken  error // why no more answers come
	sum     Summary
}

// Send streams sources, in their order, to a receiver. Entries that fail, here or there, are
// reported to watch, which may be nil; the error is what ended the whole.
func Send(over Stream, sources []Source, o Options, watch func(Event)) (Summary, error) {
	if watch == nil {
		watch = func(Event) {}
	}
	s := &sender{o: o, watch: watch, out: NewWriter(over.Out), answers: map[int64]Record{}}
	s.change.L = &s.mu
	var answers sync.WaitGroup
	answers.Go(func() {
		err := s.listen(NewReader(over.In))
		if err != nil && over.Abort != nil {
			over.Abort()
		}
	})
	err := s.run(sources)
	if err != nil && over.Abort != nil {
		s.mu.Lock()
		told := s.broken != nil
		s.mu.Unlock()
		if !told {
			over.Abort()
		}
	}
	answers.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil && s.done == nil {
		err = s.broken // the reason; a failed write is not one (FR8)
	}
	return s.sum, err
}

// run says all there is to say, and waits for the receiver's last word.
func (s *sender) run(sources []Source) error {
	defer s.leave()
	if s.o.Total {
		if err := s.total(sources); err != nil {
			return err
		}
	}
	for i := range sources {
		if err := s.source(&sources[i]); err != nil {
			return err
		}
	}
	if err := s.settle(0); err != nil {
		return err
	}
	s.out.Write(&Record{Kind: KindDone}, nil)
	if err := s.out.Flush(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.done == nil && s.broken == nil {
		s.change.Wait()
	}
	return nil
}

// begin gives an entry its number, and waits while too many have no answer.
func (s *sender) begin(kind Kind, name string, size int64, offered bool) (int64, error) {
	s.next++
	s.mu.Lock()
	if len(s.open) >= Window {
		s.mu.Unlock()
		if err := s.out.Flush(); err != nil {
			return 0, err
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	for len(s.open) >= Window && s.broken == nil {
		s.change.Wait()
	}
	s.begun = s.next
	s.open = append(s.open, entry{id: s.next, kind: kind, name: name, size: size, offered: offered})
	if kind == KindFile && !offered {
		s.watch(Event{What: EventStart, ID: s.next, Name: name, Size: size})
	}
	return s.next, s.broken
}

// fault reports, both here and there, that an entry cannot be sent. id is 0 while it has no number
// yet.
func (s *sender) fault(id int64, name string, err error) error {
	p := problem(err)
	numbered := id != 0
	if !numbered {
		var failed error
		if id, failed = s.begin(KindFault, name, 0, false); failed != nil {
			return failed
		}
	}
	s.mu.Lock()
	s.fail(id, p, false)
	s.mu.Unlock()
	rec := Record{Kind: KindFault, ID: id, Code: p.Code, Message: p.Message}
	if len(name) <= MaxName {
		rec.Name = protocol.Bytes(name)
	}
	if numbered {
		return s.out.Write(&rec, nil)
	}
	return s.say(&rec)
}

// say sends what needs no answer, after what was offered before it.
func (s *sender) say(rec *Record) error {
	if len(s.queue) == 0 {
		return s.out.Write(rec, nil)
	}
	s.queue = append(s.queue, step{rec: *rec})
	return s.settle(ahead)
}

// fail notes that an entry failed, here or on the other side. The caller holds mu.
func (s *sender) fail(id int64, p *Error, far bool) {
	e := s.find(id)
	if e == nil || e.said {
		return
	}
	e.said, e.failed = true, true
	s.sum.Failed++
	s.watch(Event{What: EventFailed, ID: id, Kind: e.kind, Name: e.name, Err: p, Far: far})
}

// find is an open entry, nil if none has that number. Numbers are given one by one, so its place is
// known. The caller holds mu.
func (s *sender) find(id int64) *entry {
	if len(s.open) == 0 {
		return nil
	}
	i := id - s.open[0].id
	if i < 0 || i >= int64(len(s.open)) {
		return nil
	}
	return &s.open[i]
}

// unwanted says whether the receiver has given up on a file.
func (s *sender) unwanted(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id)
	return e == nil || e.failed || s.broken != nil
}

// listen reads answers until the last.
func (s *sender) listen(in *Reader) error {
	for {
		var rec Record
		err := in.Next(&rec)
		s.mu.Lock()
		if err == nil {
			err = s.answer(&rec)
		}
		if err != nil {
			s.broken = cut(err)
		}
		s.change.Broadcast()
		done := s.done != nil
		s.mu.Unlock()
		if err != nil || done {
			return err
		}
	}
}

// answer takes one. The caller holds mu.
func (s *sender) answer(rec *Record) error {
	switch rec.Kind {
	case KindStored:
		if rec.ID > s.begun {
			return violate("entry %d is stored, which was not sent", rec.ID)
		}
		s.stored(rec.ID)
	case KindError:
		s.fail(rec.ID, &Error{rec.Code, rec.Message}, true)
	case KindWant, KindHave:
		e := s.find(rec.ID)
		if e == nil || !e.offered {
			return violate("an answer to entry %d, which was not offered", rec.ID)
		}
		e.offered = false
		s.answers[rec.ID] = *rec
		if rec.Kind == KindHave {
			e.said = true
			s.sum.Skipped++
			s.watch(Event{What: EventSkipped, ID: e.id, Kind: e.kind, Name: e.name, Size: e.size})
			s.trim()
			break
		}
		s.watch(Event{What: EventStart, ID: e.id, Name: e.name, Size: e.size})
	case KindDone:
		if len(s.open) > 0 {
			s.stored(s.open[len(s.open)-1].id)
		}
		s.done = rec
	default:
		return violate("a receiver said %s", short(string(rec.Kind)))
	}
	return nil
}

// stored closes all entries up to a number. The caller holds mu.
func (s *sender) stored(id int64) {
	n := 0
	for n < len(s.open) && s.open[n].id <= id {
		e := &s.open[n]
		if n++; e.said {
			continue
		}
		what := EventStored
		if e.whole {
			what = EventSkipped
			s.sum.Skipped++
		} else {
			s.sum.Stored++
		}
		s.watch(Event{What: what, ID: e.id, Kind: e.kind, Name: e.name, Size: e.size})
	}
	s.open = s.open[n:]
}

// trim forgets from the front what has been reported: an entry that was there already is not
// followed by anything. The caller holds mu.
func (s *sender) trim() {
	for len(s.open) > 0 && s.open[0].said && !s.open[0].offered {
		s.open = s.open[1:]
	}
}

// stamp puts an mtime into a record.
func (r *Record) stamp(at time.Time) { r.Mtime, r.Nsec = at.Unix(), int64(at.Nanosecond()) }
