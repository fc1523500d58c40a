//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// promptWithin is the aim: how long after a command's last output the next prompt may come, in ms.
const promptWithin = 3

// atPrompt is a `minissh prompt` on a terminal of its own.
type atPrompt struct {
	*typist
	seen bytes.Buffer
}

// runPrompt times `true` at the prompt, from Enter to the next prompt, against one over OpenSSH's
// shared connection; and how long after a command's output the prompt comes.
func runPrompt(ctx context.Context, l *lab) result {
	r := result{Unit: "ms", Notes: []string{"`true` at the prompt is from Enter to the next " +
		"prompt; OpenSSH's is one over a ControlMaster"}}
	var cs []contender
	if p := l.find("openssh"); p != nil {
		shared, end := l.overMaster(ctx, p)
		defer end()
		cs = append(cs, shared)
	}
	after := "minissh (the prompt, after a command's output)"
	if p := l.find("minissh"); p != nil {
		argv := p.argv(p.address, "")
		argv = slices.Insert(argv[:len(argv)-1], 1, "prompt")
		a := &atPrompt{typist: l.sitDownFor(here, l.client(ctx, argv), promptMark)}
		defer a.getUp()
		cs = append(cs, contender{"minissh (at the prompt)", true,
			func(context.Context) (float64, error) { return a.line("true", "") }},
			contender{after, false,
				func(context.Context) (float64, error) {
					return a.line("echo out''put", "output")
				}})
	}
	r.Series = interleave(ctx, l.rounds("prompt"), true, cs)
	r.against("openssh (ControlMaster)", 1.0/3, true)
	if s := r.find(after); s != nil && s.measured() {
		r.Checks = append(r.Checks, absolute("ms from output to prompt", s.Median, promptWithin,
			"%.1f"))
	}
	return r
}

// line types a line, and returns the milliseconds until the next prompt: from Enter, or from when a
// text is shown.
func (a *atPrompt) line(text, shown string) (float64, error) {
	if a.err != nil {
		return 0, a.err
	}
	time.Sleep(10 * keyPause) // a person looks at the prompt
	a.seen.Reset()
	for _, c := range []byte(text) {
		if _, err := unix.Write(int(a.screen.Fd()), []byte{c}); err != nil {
			return 0, err
		}
	}
	if err := a.until(text); err != nil {
		return 0, err
	}
	a.seen.Reset()
	start := time.Now()
	if _, err := unix.Write(int(a.screen.Fd()), []byte{'\r'}); err != nil {
		return 0, err
	}
	if shown != "" {
		if err := a.until(shown); err != nil {
			return 0, err
		}
		start = time.Now()
	}
	err := a.until(promptMark)
	return time.Since(start).Seconds() * 1e3, err
}

// promptMark is what the prompt asks the terminal for when a line may be typed: pastes with marks.
const promptMark = "\x1b[?2004h"

// until reads until a text is shown.
func (a *atPrompt) until(text string) error {
	for !bytes.Contains(a.seen.Bytes(), []byte(text)) {
		piece, err := a.read()
		if err != nil {
			return fmt.Errorf("%w; the terminal shows %.300q, and not %q", err, a.seen.String(),
				text)
		}
		a.seen.Write(piece)
	}
	return nil
}
