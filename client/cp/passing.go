package cp

import (
	"strings"
	"sync"

	"minissh/protocol"
	"minissh/protocol/files"
)

// passing follows what goes from one machine to another, so that it can be shown.
type passing struct {
	view  *View
	asked func(top string, below bool, kind files.Kind) bool
	from  func(files.Event) // for what the sender said
	to    func(files.Event) // and the receiver
	bytes int64             // of the goroutine that calls record

	mu    sync.Mutex       // guards the rest
	names map[int64]passed // entries that have no answer yet, by number
	said  int64            // all up to this one are told
	now   int64            // the file whose data comes
}

// passed is what is known about an entry.
type passed struct {
	kind  files.Kind
	name  string
	size  int64
	whole bool // the receiver had all of it
}

// mostNames is how many names are kept: a sender keeps to the protocol's window, and one that does
// not is shown without names.
const mostNames = 2 * files.Window

// record sees what the sender says.
func (p *passing) record(rec *files.Record) error {
	switch rec.Kind {
	case files.KindDir, files.KindLink, files.KindOffer, files.KindFile:
		kind := rec.Kind
		if kind == files.KindOffer {
			kind = files.KindFile
		}
		if top, _, below := strings.Cut(string(rec.Name), "/"); !p.asked(top, below, kind) {
			return protocol.Violate(protocol.CodeBadRecord, "%s was sent, and nobody asked for it",
				protocol.Quote(string(rec.Name)))
		}
	}
	switch rec.Kind {
	case files.KindTotal:
		p.view.Watch(files.Event{What: files.EventTotal, ID: rec.Files, Size: rec.Bytes})
	case files.KindFault:
		p.from(files.Event{What: files.EventFailed, Kind: rec.Kind, Name: string(rec.Name),
			Err: &files.Error{Code: rec.Code, Message: rec.Message}, Far: true})
		p.forget(rec.ID)
	case files.KindDir, files.KindLink, files.KindOffer:
		p.note(rec, false)
	case files.KindFile:
		p.view.Watch(files.Event{What: files.EventStart, Name: string(rec.Name), Size: rec.Size})
		whole := rec.Offset > 0 && rec.Offset == rec.Size
		p.note(rec, whole)
		if !whole { // what is there already counts when the receiver has seen its end
			p.went(rec.Body, rec.Offset)
		}
	case files.KindData:
		p.went(rec.Body, 0)
	case files.KindEnd:
		if rec.Code != "" {
			p.tell(p.from, files.EventFailed, p.now,
				&files.Error{Code: rec.Code, Message: rec.Message})
		}
	}
	return nil
}

// went counts content.
func (p *passing) went(sent, there int64) {
	p.bytes += sent
	p.view.Watch(files.Event{What: files.EventBytes, Size: sent, There: there})
}

func (p *passing) note(rec *files.Record, whole bool) {
	kind := rec.Kind
	if kind == files.KindOffer {
		kind = files.KindFile
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rec.Kind == files.KindFile {
		p.now = rec.ID
	}
	if len(p.names) < mostNames {
		p.names[rec.ID] = passed{kind, string(rec.Name), rec.Size, whole}
	}
}

func (p *passing) forget(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.names, id)
}

// answer sees what the receiver says.
func (p *passing) answer(rec *files.Record) error {
	switch rec.Kind {
	case files.KindError:
		p.tell(p.to, files.EventFailed, rec.ID, &files.Error{Code: rec.Code, Message: rec.Message})
	case files.KindHave:
		p.tell(p.to, files.EventSkipped, rec.ID, nil)
	case files.KindStored:
		p.mu.Lock()
		from := p.said
		p.said = max(p.said, rec.ID)
		to := min(p.said, from+mostNames)
		p.mu.Unlock()
		for id := from + 1; id <= to; id++ {
			p.tell(p.to, files.EventStored, id, nil)
		}
	}
	return nil
}

// tell shows how an entry ended, in the words of the side that said so.
func (p *passing) tell(show func(files.Event), what string, id int64, err *files.Error) {
	p.mu.Lock()
	e, known := p.names[id]
	delete(p.names, id)
	p.mu.Unlock()
	if !known {
		return
	}
	if what == files.EventStored && e.whole {
		what = files.EventSkipped
	}
	show(files.Event{What: what, ID: id, Kind: e.kind, Name: e.name, Size: e.size, Err: err,
		Far: true})
}
