package client

import (
	"sync"

	"minissh/client/copying"
	"minissh/protocol/files"
)

// passing follows what goes from one machine to another, so that it can be shown.
type passing struct {
	view  *copying.View
	bytes int64 // of the goroutine that calls record

	mu    sync.Mutex             // guards the rest
	names map[int64]files.Record // entries that have no answer yet, by number
	said  int64                  // all up to this one are told
}

// mostNames bounds names: a sender keeps to the protocol's window, and one that does not is shown without names.
const mostNames = 2 * files.Window

// record sees what the sender says.
func (p *passing) record(rec *files.Record) {
	switch rec.Kind {
	case files.KindTotal:
		p.view.Watch(files.Event{What: files.EventTotal, ID: rec.Files, Size: rec.Bytes})
		return
	case files.KindFault:
		p.view.Watch(files.Event{What: files.EventFailed, Kind: rec.Kind, Name: string(rec.Name), Err: &files.Error{Code: rec.Code, Message: rec.Message}})
		p.forget(rec.ID)
		return
	case files.KindFile:
		p.view.Watch(files.Event{What: files.EventStart, Name: string(rec.Name), Size: rec.Size})
	case files.KindDir, files.KindLink, files.KindOffer, files.KindData:
	case files.KindEnd:
		if rec.Code != "" {
			p.view.Watch(files.Event{What: files.EventFailed, Kind: files.KindFile, Err: &files.Error{Code: rec.Code, Message: rec.Message}})
		}
		return
	default:
		return
	}
	p.bytes += rec.Body
	p.view.Watch(files.Event{What: files.EventBytes, Size: rec.Body, There: rec.Offset})
	if rec.Kind == files.KindData {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.names) < mostNames {
		p.names[rec.ID] = files.Record{ID: rec.ID, Kind: rec.Kind, Name: rec.Name, Size: rec.Size}
	}
}

func (p *passing) forget(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.names, id)
}

// answer sees what the receiver says.
func (p *passing) answer(rec *files.Record) {
	switch rec.Kind {
	case files.KindError:
		p.tell(files.EventFailed, rec.ID, &files.Error{Code: rec.Code, Message: rec.Message})
	case files.KindHave:
		p.tell(files.EventSkipped, rec.ID, nil)
	case files.KindStored:
		p.mu.Lock()
		from := p.said
		p.said = max(p.said, rec.ID)
		to := min(p.said, from+mostNames)
		p.mu.Unlock()
		for id := from + 1; id <= to; id++ {
			p.tell(files.EventStored, id, nil)
		}
	}
}

func (p *passing) tell(what string, id int64, err *files.Error) {
	p.mu.Lock()
	e, known := p.names[id]
	delete(p.names, id)
	p.mu.Unlock()
	if known {
		kind := e.Kind
		if kind == files.KindOffer {
			kind = files.KindFile
		}
		p.view.Watch(files.Event{What: what, ID: id, Kind: kind, Name: string(e.Name), Size: e.Size, Err: err})
	}
}
