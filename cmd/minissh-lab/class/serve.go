package class

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

// line is any line that a student's program sends; see doc.go.
type line struct {
	Report
	Ask  bool `json:"ask"`
	Vote int  `json:"vote"`
}

// Serve takes lines on l until ctx ends, then closes l and waits for every connection. What does
// not begin as a line goes to page, the students' one; nil is for none. told hears of each report
// that was kept; its calls come one at a time.
func (b *Board) Serve(ctx context.Context, l net.Listener, page http.Handler,
	told func(Report)) error {
	var tell sync.Mutex
	pages := newHanded(l.Addr())
	if page != nil {
		s := newServer(page)
		ended := make(chan struct{})
		go func() { s.Serve(pages); close(ended) }()
		defer func() { s.Close(); <-ended }()
	}
	defer pages.Close()
	return accept(ctx, l, b.PerAddress, func(v *visitor) {
		v.SetDeadline(time.Now().Add(patience))
		if first, err := v.r.Peek(1); page != nil && err == nil && first[0] != '{' {
			pages.hand(v)
			return
		}
		defer v.Close()
		r, answer, err := b.take(v)
		if err != nil {
			fmt.Fprintf(v, "no: %v\n", err)
			return
		}
		io.WriteString(v, answer+"\n") // a student who has left needs no answer
		if r != nil {
			tell.Lock()
			defer tell.Unlock()
			told(*r)
		}
	})
}

// newServer serves pages to whoever comes, slow ones and hostile ones among them.
func newServer(page http.Handler) *http.Server {
	s := &http.Server{Handler: page, ReadTimeout: patience, WriteTimeout: patience,
		MaxHeaderBytes: maxRequest, ErrorLog: quiet}
	s.SetKeepAlivesEnabled(false) // a phone that waits for its next look holds no connection
	return s
}

// take reads one line and does what it says. The report is nil for a line that is not one.
func (b *Board) take(v *visitor) (*Report, string, error) {
	wanted := errors.New("one line of JSON is wanted")
	text, err := v.r.ReadSlice('\n') // at most maxLine
	if err != nil {
		return nil, "", wanted
	}
	var got line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(&got) != nil {
		return nil, "", wanted
	}
	switch {
	case got.Class != 1: // Add says so, too
		return nil, "", fmt.Errorf("class %d is not known here", got.Class)
	case got.Ask:
		if p, ok := b.Poll(); ok && p.Open {
			return nil, "vote " + p.Lesson, nil
		}
		return nil, "", ErrNoVote
	case got.Vote != 0:
		return nil, "ok", b.vote(got.Lesson, got.Vote, got.ID, v.from)
	}
	r, err := b.Add(got.Report, v.from)
	return &r, "ok", err
}

// Send reports to the board at address.
func Send(ctx context.Context, address string, r Report) error {
	r.Class = 1
	return wantOK(exchange(ctx, address, r))
}

// SendVote votes for an option, from 1, of a lesson's question.
func SendVote(ctx context.Context, address, lesson string, option int, id string) error {
	return wantOK(exchange(ctx, address, map[string]any{"class": 1, "lesson": lesson,
		"vote": option, "id": id}))
}

// Ask is the lesson on whose question the class votes now, or ErrNoVote.
func Ask(ctx context.Context, address string) (lesson string, err error) {
	answer, err := exchange(ctx, address, map[string]any{"class": 1, "ask": true})
	lesson, ok := strings.CutPrefix(answer, "vote ")
	if err == nil && !ok {
		err = wantOK(answer, nil)
	}
	return lesson, err
}

// exchange sends one line and returns the answer's.
func exchange(ctx context.Context, address string, what any) (string, error) {
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	line, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("no answer from the board: %w", err)
	}
	return strings.TrimSpace(answer), nil
}

// wantOK turns an answer that is not "ok" into an error.
func wantOK(answer string, err error) error {
	switch {
	case err != nil:
		return err
	case answer == "no: "+ErrNoVote.Error():
		return ErrNoVote
	case answer != "ok":
		return fmt.Errorf("the board says %s", speak.QuoteShort([]byte(answer), 200))
	}
	return nil
}
