//go:build unix

package service

import (
	"encoding/json"
	"errors"
	"net"
	"sync"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/keeper"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// keeping is about commands that go on without their client (protocol/JOBS.md). Each belongs to a
// keeper, a process of the account's (daemon/keeper). What it is asked for is done by that, or by
// another helper, the clerk: this daemon touches none of the account's files.
type keeping struct{ running *running }

func jobs(r *running) []Service { return []Service{keeping{r}} }

func (keeping) Key() authorized.Service { return authorized.Job }

// usualSpool is how much of a job's output is kept, in bytes, unless the client says less or more.
const usualSpool = 1 << 30

func (k keeping) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckJob()); ok {
		return refusal(broken.Code, broken.Message)
	}
	switch open.Job.Do {
	case protocol.JobStart:
		return startJob(h, ch, who)
	case protocol.JobAttach, protocol.JobStop:
		name := open.Job.Name
		if c := k.heldAs(name, who); c != nil {
			if err := who.Grant.Allows(authorized.PTY); err != nil {
				return refusal(protocol.CodeServiceRefused, err.Error())
			}
			record, reason := c.become(h, ch, who, true)
			if reason != nil {
				return reason
			}
			name = record.ID
		}
		return visitJob(h, ch, who, name)
	case protocol.JobAdopt:
		return k.adopt(h, ch, who)
	}
	return k.askClerk(h, ch, who)
}

// startJob starts a keeper with its command, and tells the job's record (JO2).
func startJob(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	turn := who.Share.LongTurn()
	defer turn.Done()
	open, reason := whole(ch.Request(), ch, turn)
	if reason == nil && ch.Request().Length > 0 { // its text was not known before
		reason = h.Audited(who, ch.ID(), open)
	}
	if reason != nil {
		return reason
	}
	spec, reason := execSpec(open, who)
	if reason != nil {
		return reason
	}
	noPTY := terminal(&spec, open, who)
	order := keeper.NewOrder(spec, open.PTY)
	order.Home, order.Command = protocol.Bytes(who.Account.Home), protocol.Bytes(asked(open))
	order.Command = order.Command[:min(len(order.Command), protocol.MaxJobCommand)]
	h.keepAs(&order, open.Job)
	own := ownEnvironment(&spec, who)
	order.EnvFile = own.EnvFile
	for _, pair := range own.EnvAfter {
		order.EnvAfter = append(order.EnvAfter, protocol.Bytes(pair))
	}
	order.Timeout, order.Limits = open.Timeout, who.Account.MemoryLimits()
	leave, ok := enterKeeper(who.Account)
	if !ok {
		return refusal(protocol.CodeTooManyCommands, "this account runs as many jobs as it may")
	}
	k, reason := h.startHelper(ch, who, func() (*process.Process, error) {
		return process.StartLasting(who.Account, keeper.Verb)
	})
	if reason != nil {
		leave()
		return reason
	}
	emptied, err := k.OwnCgroup(who.Account)
	if err != nil {
		h.Log.Warn("A job has no cgroup of its own", "pid", k.PID, "error", err.Error())
	}
	go func() { <-k.Done(); emptied(); leave() }()
	k.late.Reset(h.HelperStart + process.StartTime) // it waits itself for what its command needs
	var answer keeper.Answer
	err = process.WriteMessage(k.Stdin, order)
	if err == nil {
		err = readAnswer(k, &answer)
	}
	if err != nil || answer.Job == nil {
		k.end()
		return k.refusal(err, answer)
	}
	k.letGo()
	turn.Done()
	h.noted(who, "Starting job", "pid", answer.Job.PID, "id", answer.Job.ID, "channel", ch.ID(),
		"command", asked(open), "pty", answer.Job.PTY)
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: answer.Job.PID})
	if noPTY == nil && answer.NoPTY != "" {
		noPTY = errors.New(logbook.Shorten(answer.NoPTY, 256))
	}
	if noPTY != nil {
		ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticePTYRefused,
			Message: noPTY.Error()})
	}
	return told(ch, answer.Job)
}

// keepAs says how a job is kept.
func (h *Host) keepAs(order *keeper.Order, job *protocol.Job) {
	order.Name, order.Wait, order.Spool = job.Name, job.Wait, job.Spool
	if order.Spool == 0 {
		order.Spool = usualSpool
	}
	order.Grace = h.StopGrace.Milliseconds()
}

// told writes records, and the end.
func told(ch *mux.Channel, records ...*protocol.JobRecord) *protocol.Reason {
	for _, r := range records {
		if text, err := json.Marshal(r); err == nil {
			ch.Write(protocol.TypeStdout, append(text, '\n'))
		}
	}
	ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int)})
	return nil
}

// readAnswer reads what a helper says of one job, and bounds it: a client is sent it, and it is
// logged.
func readAnswer(from *helper, answer *keeper.Answer) error {
	if err := process.ReadMessage(from.Stdout, process.MaxAnswer, answer); err != nil {
		return err
	}
	r := answer.Job
	if r == nil {
		return nil
	}
	if !protocol.ValidJobName(r.ID) || len(r.Name) > protocol.MaxJobName ||
		len(r.State) > protocol.MaxJobName || len(r.Command) > protocol.MaxJobCommand {
		return errors.New("a record that cannot be")
	}
	if r.Exit != nil {
		r.Exit = bounded(r.Exit)
	}
	return nil
}

// bounded is an outcome as a keeper tells it, short enough for every frame.
func bounded(exit *protocol.Exit) *protocol.Exit {
	small := *exit
	small.How, small.Signal = logbook.Shorten(small.How, 64), logbook.Shorten(small.Signal, 64)
	small.Dir, small.OldDir = nil, nil
	small.Left = small.Left[:min(len(small.Left), 16)]
	return &small
}

// mostKeepers is how many keepers of one account this daemon starts at once, whatever the account's
// own files say: each that runs takes something here.
const mostKeepers = 256

// keepers are those that run, by uid.
var keepers struct {
	sync.Mutex
	of map[uint32]int
}

// enterKeeper counts one more keeper, until leave; false: the account has as many as it may.
func enterKeeper(acct process.Account) (leave func(), ok bool) {
	uid := uint32(0)
	if acct.Credential != nil {
		uid = acct.Credential.UID
	}
	keepers.Lock()
	defer keepers.Unlock()
	if keepers.of[uid] >= mostKeepers {
		return nil, false
	}
	if keepers.of == nil {
		keepers.of = map[uint32]int{}
	}
	keepers.of[uid]++
	return func() {
		keepers.Lock()
		defer keepers.Unlock()
		if keepers.of[uid]--; keepers.of[uid] == 0 {
			delete(keepers.of, uid)
		}
	}, true
}

// refusal is why a helper did not do what it was asked for.
func (h *helper) refusal(err error, answer keeper.Answer) *protocol.Reason {
	switch {
	case answer.Refused != nil:
		return itsWords(answer.Refused)
	case gone(h.ch) != "":
		return cancelled
	case err != nil:
		return refusal(protocol.CodeStartFailed,
			"the helper that keeps jobs for this account gave "+
				"no answer; its home directory may hang")
	}
	return refusal(protocol.CodeInternal,
		"the helper that keeps jobs for this account said nothing")
}

// clerk starts the helper that knows an account's jobs, and asks it.
func clerk(h *Host, ch *mux.Channel, who *access.Client, job protocol.Job) (*helper, *net.UnixConn,
	*protocol.Reason) {
	var socket *net.UnixConn
	c, reason := h.startHelper(ch, who, func() (p *process.Process, err error) {
		p, socket, err = process.StartSocket(who.Account, keeper.ClerkVerb)
		return p, err
	})
	if reason != nil {
		return nil, nil, reason
	}
	process.WriteMessage(c.Stdin, keeper.Question{Home: protocol.Bytes(who.Account.Home),
		Job: job}) // if it fails there is no answer
	return c, socket, nil
}

// askClerk lists jobs, or removes one.
func (k keeping) askClerk(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	job := *ch.Request().Job
	c, socket, reason := clerk(h, ch, who, job)
	if reason != nil {
		return reason
	}
	defer c.end()
	defer socket.Close()
	opened := false
	for {
		var answer keeper.Answer
		err := readAnswer(c, &answer)
		if err != nil || answer.Refused != nil {
			if opened {
				return refusal(protocol.CodeInternal, "the list of jobs ended early")
			}
			return c.refusal(err, answer)
		}
		if !opened {
			c.answered()
			ch.Send(protocol.TypeOpened, &protocol.Opened{})
			opened = true
		}
		if answer.Job == nil && job.Do == protocol.JobList {
			return told(ch, k.heldRecords(who)...)
		} else if answer.Job == nil {
			return told(ch)
		}
		text, err := json.Marshal(answer.Job)
		if err == nil {
			_, err = ch.Write(protocol.TypeStdout, append(text, '\n'))
		}
		if err != nil {
			return cancelled
		}
	}
}
