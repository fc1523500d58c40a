package check

import (
	"path/filepath"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/speak"
)

// trace is the last error in the program's output, nil if there is none.
func (a *attack) trace() *cause.Trace {
	if a.prog == nil {
		return nil
	}
	return cause.Traceback(a.prog.errors.from(0), a.prog.mine)
}

// traceAtRest is trace once the program works no more: one that closes a connection says why only
// after that.
func (a *attack) traceAtRest() *cause.Trace {
	if a.prog != nil && !a.prog.ended() {
		a.fateOf(nil, time.Second)
	}
	return a.trace()
}

// crash is a failure if the program has died, and not because it meant to: of a signal, of an error
// that nobody raised on purpose, or as programs in other languages say it. A crash is never a pass.
func (a *attack) crash() *Failure {
	if a.prog == nil || !a.prog.ended() {
		return nil
	}
	a.prog.settle()
	r := a.prog.p.Result()
	t := a.trace()
	switch {
	case r.Signal != "" && r.Number != 0:
		return &Failure{Got: tx("程序被信号 %s 结束了", "signal %s ended the program", r.Signal)}
	case r.Code == 0:
		return nil
	case t != nil && !t.InThread() && !t.Meant():
		return &Failure{Got: tx("程序崩了", "the program crashed")}
	case t == nil && panicked(a.prog.errors.from(0)):
		return &Failure{Got: tx("程序崩了", "the program crashed")}
	}
	return nil
}

// panicked recognises the crashes of other languages than Python.
func panicked(stderr string) bool {
	for _, sign := range []string{"panic: ", "panicked at", "Exception in thread",
		"Unhandled exception", "\n    at ", "core dumped", "AddressSanitizer"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

// explain adds what the program itself said to f: the error, and the student's own line. An error
// names its bug unless the bytes have already proved one.
func (a *attack) explain(f *Failure) *Failure {
	if a.prog == nil || f.Said != "" || f.Where != "" {
		return f
	}
	a.prog.settle()
	if last := a.prog.errors.lastLine(); last != "" {
		f.Said = speak.QuoteShort([]byte(last), 160)
	}
	t := a.trace()
	if t == nil {
		return f
	}
	if t.File != "" {
		f.Where = speak.Clean(filepath.Base(t.File)) + ":" + itoa(t.Line)
		if t.Source != "" {
			f.Where += "  " + speak.QuoteShort([]byte(t.Source), 100)
		}
	}
	if b := a.named(t); b != nil && !f.Proven {
		f.Belief, f.Proven = b, true
	}
	return f
}

// named is the bug that an error of the program's gives away. What the error means depends on what
// the program is.
func (a *attack) named(t *cause.Trace) *Belief {
	b := t.Belief()
	switch {
	case t.Meant():
		return nil
	case a.check.Datagram && strings.HasSuffix(t.Type, "ConnectionRefusedError"):
		return cause.WrongSocketType
	case a.side == Server && strings.HasSuffix(t.Type, "ConnectionRefusedError"):
		return cause.WrongRole
	case b == cause.TrustedLength && !a.hostile:
		return cause.Crashed // it took something else for a length
	case a.side == Client && b == cause.AddressInUse:
		return cause.WrongRoleServer
	case a.side == Client && b == cause.ResetKills:
		return nil // the lab has gone
	case a.side == Client && b == cause.MissingFile:
		return cause.Crashed
	}
	return b
}
