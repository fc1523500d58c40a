package check

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/dialect"
)

// Experiments: when a case has failed and its bytes do not tell why, the same is tried in another
// way. What works then names the bug.

// inPieces names the bug of a client that reads what comes at once and fails by a schedule.
func (a *attack) inPieces(name string, s chaos.Schedule, err error) error {
	f, ok := err.(*Failure)
	switch {
	case !ok || f.Belief == cause.Sleeping:
	case f.Belief == cause.BreakWhenShort:
		// A single recv, however large, shows the same; pieces of a multiple of what a loop asks
		// for tell them apart.
		output := lines("long", 3*loopful)
		message := answer(name, a.o.BigEnd, output)
		head := len(message) - len(output)
		pieces := [][]byte{message[:head+loopful], message[head+loopful : head+2*loopful],
			message[head+2*loopful:]}
		if head > 0 {
			pieces = append([][]byte{message[:head]}, pieces...)
			pieces[1] = pieces[1][head:]
		}
		again, failed := a.afresh(name, output, pieces).(*Failure)
		if failed && !again.NotUp {
			f.proves(cause.BiggerBuffer)
		}
	case f.Proven:
	case s.Name == chaos.InsideLength.Name, s.Name == chaos.InsideJSON.Name:
		f.proves(cause.ShortRecv)
	}
	return err
}

// loopful is a multiple of every recv that students write into loops, in bytes.
const loopful = 48 << 10

// tryOtherwise names the bug of a client that does not show what comes at once, if it does when
// something is done as it believes: length, header and data apart, or the length reversed.
func (a *attack) tryOtherwise(p *peer, name string, err error) error {
	f, ok := err.(*Failure)
	if !ok || f.Proven || name == "ack" {
		return err
	}
	if !p.prog.ended() {
		mark := p.prog.output.size()
		p.conn.Write([]byte("+")) // whoever waits for one byte more has it
		if p.wantOutput(mark, lines("all", 20_000), cause.Sent{}, &Failure{}) == nil {
			f.proves(cause.OneMore)
			return f
		}
	}
	a.explain(f) // with this run's own words
	output := lines("apart", 3000)
	message := answer(name, a.o.BigEnd, output)
	apart := chaos.AfterLength.Pieces(message, chaos.Find(a.o.BigEnd, true, message))
	reversed := answer(name, !a.o.BigEnd, output)
	switch {
	case a.afresh(name, output, [][]byte{reversed}) == nil:
		f.Belief, f.Proven = cause.ByteOrder, true
	case a.afresh(name, output, apart) == nil:
		f.Belief, f.Proven = cause.ReadsTooMuch, true
	}
	return err
}

// tryAlone names the bug of a client that shows the first answer and not the second, if it shows
// that by itself.
func (a *attack) tryAlone(name string, err error) error {
	f, ok := err.(*Failure)
	if !ok || f.Proven || name == "ack" {
		return err
	}
	a.explain(f) // with this run's own words
	const alone = "/home/student\n"
	if a.afresh(name, alone, [][]byte{answer(name, a.o.BigEnd, alone)}) == nil {
		f.Belief, f.Proven = cause.NotReset, true
	}
	return err
}

// afresh starts the client again, for one experiment.
func (a *attack) afresh(name, output string, pieces [][]byte) error {
	a.endProgram()
	p, err := a.startClient()
	if err != nil {
		return err
	}
	return p.answeredIn(name, "show again", output, pieces, Text{})
}

// getsApart names the bug of a client that does not save what comes at once, if it does when
// length, header and data come apart.
func (a *attack) getsApart(name string, err error) error {
	f, ok := err.(*Failure)
	if !ok || f.Proven {
		return err
	}
	a.explain(f) // with this run's own words
	a.endProgram()
	p, started := a.startClient()
	if started == nil && p.gets(name, "lab-apart.txt", []byte("apart"), chaos.AfterLength) == nil {
		f.Belief, f.Proven = cause.ReadsTooMuch, true
	}
	return err
}

// hasGet says of a server that answers no get, and takes a put, that it has no get: a chapter may
// lack it.
func (a *attack) hasGet(name string, f *Failure) error {
	if f.Proven || a.o.Connect {
		return f
	}
	a.explain(f) // with this run's own words
	a.endProgram()
	if conn, err := a.dial(); err == nil && a.putOne(conn, name) == nil {
		return &Skipped{tx("put 可以，get 没有回答：这个程序没有 get",
			"it takes a put and answers no get: this program has no get")}
	}
	return f
}

// asGBK names the bug of a server that does not find a file by its name in utf-8, if it does by the
// one in gbk.
func (a *attack) asGBK(name, file string, f *Failure) error {
	conn, err := a.dial()
	if f.Proven || err != nil {
		return f
	}
	inner, received, err := a.fileClient(conn, name)
	if err != nil {
		return f
	}
	defer received.Close()
	o := inner.Options()
	o.Encoding = simplifiedchinese.GBK
	r, err := dialect.NewClient(conn, inner.Dialect(), o).Exchange(a.ctx, "get "+file)
	if err == nil && r.Header != nil && r.Header.Size > 0 {
		f.proves(cause.WrongEncoding)
	}
	return f
}

// putApart names the bug of a server that saves nothing when command, header and file come at once,
// if it saves them when the command comes alone.
func (a *attack) putApart(name string, err error) error {
	f, ok := err.(*Failure)
	if !ok || f.Proven || a.o.Connect {
		return err
	}
	a.explain(f) // with this program's own words
	a.endProgram()
	conn, dialed := a.dial()
	if dialed != nil {
		return err
	}
	data := []byte("apart")
	command, framed := putMessage(name, a.o.BigEnd, "up-apart.txt", data)
	pieces, b := [][]byte{command, framed}, cause.PutGlued
	if name == "oo" {
		at := len(framed) - len(data)
		pieces, b = [][]byte{framed[:at], data}, cause.ReadsTooMuch
	}
	chaos.Send(a.ctx, conn.Conn, pieces)
	_, missed := a.saved("up-apart.txt", data, &Failure{})
	switch {
	case missed == nil:
		f.Belief, f.Proven = b, true
	case name != "oo" && !a.prog.ended() && a.getOneElsewhere(name) && f.Said == "" &&
		a.prog.errors.size() == 0:
		return &Skipped{tx("粘不粘在一起，put 都什么也没存下：这个程序没有 put",
			"put saves nothing, glued or apart: this program has no put")}
	}
	return err
}

// getOneElsewhere says whether the server serves a get on another connection.
func (a *attack) getOneElsewhere(name string) bool {
	conn, err := a.dial()
	return err == nil && a.getOne(conn, name) == nil
}

// block is what a C library, and Perl, write to a pipe at a time, or a part of it, in bytes.
const block = 1024

// unflushed says whether a client that asks for its next line has had the answer all the time and
// not written it out: at the end of its input it does. Python is told not to buffer.
func (a *attack) unflushed(mark int, want string) bool {
	isPython := slices.ContainsFunc(a.prog.words, func(w string) bool {
		return strings.HasPrefix(filepath.Base(w), "python") || filepath.Ext(w) == ".py"
	})
	if isPython || a.prog.output.size()%block != 0 || !asks(a.prog.p.PID) {
		return false
	}
	a.prog.p.Stdin.Close()
	select {
	case <-a.prog.p.Done():
	case <-time.After(time.Second):
	case <-a.ctx.Done():
	}
	a.prog.settle()
	return cause.Shows(a.prog.output.from(mark), want)
}
