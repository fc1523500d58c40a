package audit

import (
	"os"
	"time"
)

// writer is the goroutine that writes. It may hang in the system, and holds nothing while it does.
type writer struct {
	l     *Log
	f     *os.File
	dirty bool // something is not on the disk yet
	told  bool // the log has told of the trouble that there is
}

// A batch is written at once; what cannot be written is tried again.
const (
	batchMost = 1 << 20
	againTime = time.Second
	syncTime  = time.Second
)

func (w *writer) run() {
	defer close(w.l.done)
	var sync <-chan time.Time
	for {
		select {
		case <-w.l.work:
		case <-sync:
			w.f.Sync() // one a second at most
			w.dirty, sync = false, nil
			continue
		}
		for {
			batch, last, closing := w.take()
			if len(batch) == 0 {
				if closing {
					w.f.Sync()
					w.f.Close()
					return
				}
				break
			}
			w.write(batch, last)
		}
		if w.dirty && sync == nil {
			sync = time.After(syncTime)
		}
	}
}

// take is the next of what is queued, and the number of its last entry.
func (w *writer) take() (batch []queued, last int64, closing bool) {
	l := w.l
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.queue) && (n == 0 || size+len(l.queue[n].text) <= batchMost) {
		size += len(l.queue[n].text)
		n++
	}
	batch, l.queue = l.queue[:n:n], l.queue[n:]
	return batch, l.number - int64(len(l.queue)), l.closing
}

// write writes a batch, however long that takes.
func (w *writer) write(batch []queued, last int64) {
	var text []byte
	for _, entry := range batch {
		text = append(text, entry.text...)
	}
	for {
		err := w.once(text)
		l := w.l
		l.mu.Lock()
		l.trouble = err
		if err == nil {
			l.queued -= len(text)
			for _, entry := range batch {
				if entry.of != nil {
					entry.of.queued -= len(entry.text)
				}
			}
			for number, written := range l.waiting {
				if number <= last {
					close(written)
					delete(l.waiting, number)
				}
			}
		}
		closing := l.closing
		l.mu.Unlock()
		switch {
		case err == nil:
			if w.told {
				l.opts.Log.Info("The audit log is written again", "file", l.opts.Path)
			}
			w.dirty, w.told = true, false
			return
		case !w.told:
			l.opts.Log.Error("The audit log cannot be written", "file", l.opts.Path, "error",
				err.Error(), "until then", map[string]string{Refuse: "nothing new is begun",
					Drop: "entries are dropped"}[l.opts.Full])
			w.told = true
		}
		if closing {
			return
		}
		time.Sleep(againTime)
	}
}

// once writes a batch whole, or not at all.
func (w *writer) once(batch []byte) error {
	for range 3 { // others may be renaming it too
		if err := lock(w.f); err != nil {
			return err
		}
		same, size, err := isAt(w.f, w.l.opts.Path)
		if err == nil && same && size > 0 && size+int64(len(batch)) > w.l.opts.Size {
			err, same = rotate(w.l.opts.Path, w.l.opts.Keep), false
		}
		if err == nil && same {
			err = appendWhole(w.f, size, batch)
			unlock(w.f)
			return err
		}
		unlock(w.f)
		if err != nil {
			return err
		}
		f, err := openFile(w.l.opts.Path)
		if err != nil {
			return err
		}
		w.f.Sync()
		w.f.Close()
		w.f = f
	}
	return errBusy
}
