package conform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"minissh/protocol"
)

// Options say what is graded, and how.
type Options struct {
	// Program is the command line of the program under test. {address} in it becomes the
	// address, as unix:PATH, and {command} a client's command; at its end where it has none.
	Program []string
	// Put and Get are command lines of a client that copies a file or folder there, and from
	// there: {local} and {remote} become paths, {address} the address. Empty: it copies nothing.
	Put, Get []string
	// Address is a daemon that runs already: unix:PATH, or HOST:PORT with Login.
	Address string
	// Login is what TLS needs: our key, and the fingerprint of the daemon's. Nil: no TLS.
	Login *Login
	// User is the account to log in to.
	User string
	// Patience is the longest wait for something that must come at once.
	Patience time.Duration
	// Slow also tries what takes a time that the pages give: time-outs of up to 45 seconds.
	Slow bool
	// Only is a rule (CH5), a group of rules (CH) or a probe's name; "" is all.
	Only string
	// Tell, if not nil, hears each result as it comes.
	Tell func(Result)
}

// DefaultPatience is long enough for a busy machine: only a failure waits so long.
const DefaultPatience = 10 * time.Second

// Probe is one thing that is tried.
type Probe struct {
	Rule string
	Name string // short, for --only
	What Text
	slow bool
	run  func(*trial)
}

// trial is one run of one probe.
type trial struct {
	ctx   context.Context
	o     *Options
	unix  string // the socket of a daemon that we started
	stage *stage
	probe Probe
	said  []string
	clean []func() // what to close, last first

	listener net.Listener // a port of ours, for connections of the daemon's
}

// verdict ends a trial that does not hold. It is thrown with panic, and caught by try: a probe
// ends at its first failure, as a test does at Fatal.
type verdict struct {
	outcome   Outcome
	rule      string // "": the probe's own
	want, got Text
}

// try runs a probe.
func (t *trial) try() (res Result) {
	res = Result{Rule: t.probe.Rule, Probe: t.probe.Name, What: t.probe.What, Outcome: Holds}
	defer func() {
		defer func() {
			for i := len(t.clean) - 1; i >= 0; i-- {
				t.clean[i]()
			}
		}()
		thrown := recover()
		if thrown == nil {
			return
		}
		v, ok := thrown.(verdict)
		if !ok {
			panic(thrown)
		}
		res.Outcome, res.Want, res.Got, res.Said = v.outcome, v.want, v.got, t.said
		if v.rule != "" {
			res.Rule = v.rule
		}
	}()
	t.probe.run(t)
	return res
}

// closes has c closed when the trial ends, or nobody waits for it any more.
func (t *trial) closes(c io.Closer) {
	stop := context.AfterFunc(t.ctx, func() { c.Close() })
	t.clean = append(t.clean, func() { stop(); c.Close() })
}

// fail ends the trial: the rule does not hold.
func (t *trial) fail(want, got Text) { panic(verdict{outcome: Fails, want: want, got: got}) }

// broke is fail for another rule than the one that is tried.
func (t *trial) broke(rule string, want, got Text) {
	panic(verdict{outcome: Fails, rule: rule, want: want, got: got})
}

// unreached ends the trial: the rule could not be tried.
func (t *trial) unreached(why Text) { panic(verdict{outcome: Unreached, want: why}) }

const (
	maxSaid = 12  // frames of a conversation that are kept for the report
	maxLine = 150 // characters of one
)

// note keeps one line of the conversation.
func (t *trial) note(line string) {
	t.said = append(t.said, line)
	if len(t.said) > maxSaid {
		t.said = t.said[len(t.said)-maxSaid:]
	}
}

// shown is a frame as the report has it: its header in hex, and what it means.
func shown(f protocol.Frame) string {
	var h [protocol.HeaderSize]byte
	protocol.PutHeader(h[:], f.Header)
	text := []rune(fmt.Sprintf("%x %x %x %x %x  %s", h[0:4], h[4:5], h[5:6], h[6:8], h[8:12],
		protocol.Describe(f, 40)))
	if len(text) > maxLine {
		text = append(text[:maxLine], '…')
	}
	return string(text)
}

// ended is what a link's end was, as a text.
func ended(err error) Text {
	if v, ok := errors.AsType[*protocol.Violation](err); ok {
		return tx("不符合规范的帧头："+v.Error(), "a header that breaks a rule: "+v.Error())
	}
	if isTimeout(err) {
		return tx("一直没有等到", "nothing came")
	}
	return tx("连接断了："+err.Error(), "the link ended: "+err.Error())
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}
