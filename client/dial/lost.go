package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Quiet is how long a person at a terminal is told nothing of a link that was lost: most come back
// sooner.
const Quiet = 2 * time.Second

// Announcer tells of lost links in lines, each with say: to a person after Quiet, together with
// what gives up, to a program (giveUp "") at once; then, once, of each reason for which an attempt
// was refused. It is for Watch.
func Announcer(host, giveUp string, say func(line string)) func(*Loss) {
	a := &announcer{host: host, say: say, person: giveUp != ""}
	if a.person {
		a.giveUp = "; " + giveUp
	}
	return a.watch
}

// announcer is the state of an Announcer.
type announcer struct {
	host, giveUp string
	person       bool
	say          func(line string)

	mu    sync.Mutex // guards the rest
	loss  *Loss      // nil: there is a link
	later *time.Timer
	told  map[string]bool // of this outage, by kind; nil: nothing yet
}

func (a *announcer) watch(loss *Loss) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if loss == a.loss {
		return // somebody began to watch
	}
	before := a.loss
	a.loss = loss
	switch {
	case loss == nil:
		if a.told != nil {
			a.say(fmt.Sprintf("the link to %s is back%s", a.host,
				longer(" after ", time.Since(before.Since), "")))
		}
		if a.later != nil {
			a.later.Stop()
		}
		a.later, a.told = nil, nil
	case a.told != nil:
		a.tellRefusal()
	case !a.person:
		a.tell()
	case a.later == nil:
		var later *time.Timer
		later = time.AfterFunc(Quiet-time.Since(loss.Since), func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.later == later { // else the link was back meanwhile
				a.tell()
			}
		})
		a.later = later
	}
}

// tell tells of the loss. The caller holds mu.
func (a *announcer) tell() {
	a.told = map[string]bool{}
	a.say(a.loss.Words(a.host) + a.giveUp)
	a.tellRefusal()
}

// tellRefusal tells why the last attempt was refused, if that is new. The caller holds mu.
func (a *announcer) tellRefusal() {
	if refusal := a.loss.Refusal; refusal != nil && !a.told[kind(refusal)] {
		a.told[kind(refusal)] = true
		a.say(a.loss.Refused(a.host))
	}
}

// announce makes a Connection's Announce.
func (d *Dialer) announce() func(*Loss) {
	giveUp := ""
	if d.Messages.Interactive() {
		giveUp = "Ctrl-C gives up"
	}
	return Announcer(d.Options.Alias, giveUp, func(line string) {
		d.Messages.Say(options.LevelInfo, "%s", line)
	})
}

// Words says that the link was lost, how long ago and why, and for how long a new one is tried for.
func (l *Loss) Words(host string) string {
	return fmt.Sprintf("the link to %s was lost%s: %s; trying for a new one for up to %s", host,
		longer(" ", time.Since(l.Since), " ago"), Happened(l.Cause),
		protocol.InWords(time.Until(l.Until)))
}

// Happened says in plain words what ended a link, or an attempt to make another.
func Happened(err error) string {
	var op *net.OpError
	var slow net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.EPIPE):
		return "it was closed on the way"
	case errors.Is(err, syscall.ECONNRESET):
		return "it was reset on the way"
	case errors.Is(err, errSilent):
		return "nothing comes over it"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &op) && op.Op == "dial" &&
		op.Timeout():
		return "there was no answer in time"
	case errors.As(err, &slow) && slow.Timeout():
		return "nothing could be sent over it any more"
	}
	return report.Plain(err).Error()
}

// Refused says who refused the last attempt, and why; "" if nobody did.
func (l *Loss) Refused(host string) string {
	said, ok := errors.AsType[*protocol.RemoteError](l.Refusal)
	switch {
	case l.Refusal == nil:
		return ""
	case !ok:
		return fmt.Sprintf("no new link to %s yet: %v; trying on", host, l.Refusal)
	case said.Code == protocol.CodeKeyNotAuthorized, said.Code == protocol.CodeTooManyFailures:
		host += " refused to take the session back from this address"
	default:
		host += " refused to take the session back"
	}
	return fmt.Sprintf("%s: %s; trying on", host, protocol.Quote(said.Message))
}

// longer is a time between words, "" if it is less than a second.
func longer(before string, d time.Duration, after string) string {
	if d < time.Second {
		return ""
	}
	return before + protocol.InWords(d) + after
}
