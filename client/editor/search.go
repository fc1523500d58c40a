package editor

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// mostSought is how long what is searched for may become, in characters.
const mostSought = 1000

// searching is a search through the history, while it goes on.
type searching struct {
	e     *Editor
	query []rune
	place
	before []place // where the search was before each character of the query, for Backspace
}

// place is where a search is.
type place struct {
	older  bool // the direction
	back   int  // the line, as in editor
	at     int  // where the query is in it, in bytes
	failed bool // there is nothing further
}

// search is Ctrl-R (older) or Ctrl-S: it shows the line of the history that has what is typed, as
// readline does. It returns the key that has ended it, which is still to be obeyed; keyUnknown:
// there is none.
func (e *Editor) search(older bool) (rune, error) {
	f := &searching{e: e,
		place: place{older: older, back: e.back, at: len(string(e.line[:e.pos]))}}
	label, style := e.scr.label, e.scr.style
	e.alone, e.view = true, f.show
	key, err := f.keys()
	e.alone, e.view = false, nil
	e.scr.label, e.scr.style = label, style
	if len(f.query) > 0 {
		e.lastQuery = f.query
	}
	if err != nil || key == keyCancel {
		return keyUnknown, err
	}
	if len(f.query) > 0 {
		e.browse(f.back)
		e.pos = utf8.RuneCountInString(f.text(f.back)[:f.at])
	}
	if key == keyEscape {
		key = keyUnknown
	}
	return key, nil
}

// keys handles keys until one that is not for the search.
func (f *searching) keys() (rune, error) {
	for {
		key, err := f.e.key()
		switch {
		case err != nil:
			return keyUnknown, err
		case key == keySearchOlder || key == keySearchNewer:
			f.older = key == keySearchOlder
			if len(f.query) > 0 {
				f.find(true)
			} else {
				f.add(f.e.lastQuery...)
			}
		case key == keyBackspace:
			if n := len(f.query) - 1; n >= 0 {
				f.place, f.before, f.query = f.before[n], f.before[:n], f.query[:n]
			}
		case key > keyUnknown:
			f.add(key)
		default:
			return key, nil
		}
	}
}

// add makes the query longer.
func (f *searching) add(more ...rune) {
	for _, r := range more {
		if len(f.query) < mostSought {
			f.query, f.before = append(f.query, r), append(f.before, f.place)
		}
	}
	f.find(false)
}

// find goes to the next place, which may be the present one unless it is asked for again.
func (f *searching) find(again bool) {
	query, now, step := string(f.query), f.text(f.back), 0
	if again {
		step = 1
	}
	if f.older {
		end := min(len(now), max(0, f.at+len(query)-step))
		if f.found(f.back, strings.LastIndex(now[:end], query)) {
			return
		}
		for back := f.back + 1; back <= f.e.history.Len(); back++ {
			if text := f.text(back); text != now && f.found(back, strings.LastIndex(text, query)) {
				return
			}
		}
	} else {
		from := min(len(now), f.at+step)
		if i := strings.Index(now[from:], query); i >= 0 && f.found(f.back, from+i) {
			return
		}
		for back := f.back - 1; back >= 0; back-- {
			if text := f.text(back); text != now && f.found(back, strings.Index(text, query)) {
				return
			}
		}
	}
	f.failed = true
}

// found goes to a place, unless it is -1.
func (f *searching) found(back, at int) bool {
	if at < 0 {
		return false
	}
	f.back, f.at, f.failed = back, at, false
	return true
}

// text is the line that is so many back.
func (f *searching) text(back int) string { return string(f.e.entry(back)) }

// show puts the search on the screen; the cursor is at what was found.
func (f *searching) show() {
	what := "i-search"
	if f.older {
		what = "reverse-i-search"
	}
	if f.failed {
		what = "failed " + what
	}
	s, text := &f.e.scr, f.text(f.back)
	s.label, s.style = fmt.Sprintf("(%s)`%s': ", what, string(f.query)), ""
	s.line, s.pos = []rune(text), utf8.RuneCountInString(text[:f.at])
}
