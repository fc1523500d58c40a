package prompt

import (
	"bytes"

	"minissh/client/editor"
)

// piece is output of what an earlier line left running.
type piece struct {
	data  []byte
	toErr bool
}

// mostKept is how much output may wait to be shown, in bytes; whoever writes more waits.
const mostKept = 64 << 10

// output is an editor.Output.
var _ editor.Output = (*output)(nil)

// Hold keeps what comes for the terminal from now on: a line is edited on it.
func (o *output) Hold() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = true
	return o.news
}

// keep says whether it has kept what was to be written; mu is held.
func (o *output) keep(p []byte, toErr bool) bool {
	for o.held && o.keptSize >= mostKept {
		o.room.Wait()
	}
	if !o.held {
		return false
	}
	o.kept = append(o.kept, piece{bytes.Clone(p), toErr})
	o.keptSize += len(p)
	select {
	case o.news <- struct{}{}:
	default:
	}
	return true
}

// Show writes what was kept on a terminal in raw mode, where LF alone does not go to the first
// column, and leaves the cursor there.
func (o *output) Show() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.putKept(true)
	o.plain()
	if o.partial {
		o.putOut([]byte("\r\n"))
	}
}

// Release ends Hold; the terminal is in its normal mode again, with the cursor in the first column.
func (o *output) Release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = false
	o.putKept(false)
}

// putKept writes what was kept; mu is held.
func (o *output) putKept(raw bool) {
	for _, p := range o.kept {
		if raw {
			p.data = bytes.ReplaceAll(p.data, []byte("\n"), []byte("\r\n"))
		}
		if p.toErr {
			o.putErr(p.data)
		} else {
			o.putOut(p.data)
		}
	}
	o.kept, o.keptSize = nil, 0
	o.room.Broadcast()
}
