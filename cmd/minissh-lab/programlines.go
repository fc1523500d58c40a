package main

import (
	"bytes"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

// maxLine is how much of a program's output is one line at most, in bytes.
const maxLine = 4096

// promptWait is how long the end of a line may take. After that it is a prompt, and shown. Python
// without a buffer writes the words of one print, and its line end, one by one.
const promptWait = 100 * time.Millisecond

// ownLines shows what a learner's program writes, each line with the program's name before it.
type ownLines struct {
	who string // server, client
	p   *speak.Printer

	mu    sync.Mutex
	part  []byte // of a line whose end has not come
	shown bool   // a part of this line has been shown
	timer *time.Timer
}

// Write takes what the program has written.
func (l *ownLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	for line := range bytes.Lines(b) {
		for len(line) > 0 {
			n := min(len(line), maxLine-len(l.part))
			l.part, line = append(l.part, line[:n]...), line[n:]
			if len(l.part) == maxLine || l.part[len(l.part)-1] == '\n' {
				l.show()
			}
		}
	}
	if len(l.part) > 0 {
		l.timer = time.AfterFunc(promptWait, l.end)
	}
	return len(b), nil
}

// end shows what there is of a line without an end.
func (l *ownLines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.part) > 0 {
		l.show()
	}
}

// show shows the line, or the part of it. The end of a line that has been shown is nothing new.
func (l *ownLines) show() {
	text := bytes.TrimRight(l.part, "\r\n")
	if len(text) > 0 || !l.shown {
		l.p.Raw(l.who + " | " + speak.Clean(string(text)) + "\n")
	}
	l.shown = l.part[len(l.part)-1] != '\n'
	l.part = l.part[:0]
}
