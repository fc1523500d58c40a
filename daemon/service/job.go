//go:build unix

package service

import (
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"

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
type keeping struct{}

func jobs() []Service { return []Service{keeping{}} }

func (keeping) Key() authorized.Service { return authorized.Job }

// usualSpool is how much of a job's output is kept, in bytes, unless the client says less or more.
const usualSpool = 1 << 30

func (keeping) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckJob()); ok {
		return refusal(broken.Code, broken.Message)
	}
	switch open.Job.Do {
	case protocol.JobStart:
		return startJob(h, ch, who)
	case protocol.JobAttach, protocol.JobStop:
		return visitJob(h, ch, who)
	}
	return askClerk(h, ch, who)
}

// startJob starts a keeper with its command, and tells the job's record (JO2).
func startJob(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	turn := who.Share.LongTurn()
	defer turn.Done()
	open, reason := whole(ch.Request(), ch, turn)
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
	order.Name, order.Wait = open.Job.Name, open.Job.Wait
	order.Spool = open.Job.Spool
	if order.Spool == 0 {
		order.Spool = usualSpool
	}
	order.Timeout, order.Grace = open.Timeout, h.StopGrace.Milliseconds()
	k, reason := h.startHelper(ch, who, func() (*process.Process, error) {
		return process.StartSelf(who.Account, keeper.Verb)
	})
	if reason != nil {
		return reason
	}
	var answer keeper.Answer
	err := process.WriteMessage(k.Stdin, order)
	if err == nil {
		err = process.ReadMessage(k.Stdout, &answer)
	}
	if err != nil || answer.Job == nil {
		k.end()
		return k.refusal(err, answer)
	}
	k.letGo()
	turn.Done()
	h.noted(who, "Starting job", "pid", answer.Job.PID, "id", answer.Job.ID, "channel", ch.ID(),
		"command", logbook.Shorten(asked(open), 512), "pty", answer.Job.PTY)
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
func clerk(h *Host, ch *mux.Channel, who *access.Client) (*helper, *net.UnixConn,
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
		Job: *ch.Request().Job}) // if it fails there is no answer
	return c, socket, nil
}

// askClerk lists jobs, or removes one.
func askClerk(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	c, socket, reason := clerk(h, ch, who)
	if reason != nil {
		return reason
	}
	defer c.end()
	defer socket.Close()
	opened := false
	for {
		var answer keeper.Answer
		err := process.ReadMessage(c.Stdout, &answer)
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
		if answer.Job == nil {
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

// visitJob attaches a client to a job, or stops the job: it joins the channel to one of the job's
// keeper.
func visitJob(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	c, socket, reason := clerk(h, ch, who)
	if reason != nil {
		return reason
	}
	defer c.end()
	defer socket.Close()
	var answer keeper.Answer
	if err := process.ReadMessage(c.Stdout, &answer); err != nil || answer.Job == nil {
		return c.refusal(err, answer)
	}
	if answer.Job.PTY && ch.Request().Job.Do == protocol.JobAttach {
		if err := who.Grant.Allows(authorized.PTY); err != nil {
			return refusal(protocol.CodeServiceRefused, err.Error())
		}
	}
	conn, err := passedConn(socket)
	if err != nil {
		return c.refusal(err, keeper.Answer{})
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(h.HelperStart))
	s := mux.New(mux.Config{Role: mux.Client, Budget: mux.NewBudget(0)})
	defer s.Close(nil)
	if _, err := s.Connect(conn, &protocol.Hello{User: who.User}); err != nil {
		return refusal(protocol.CodeStartFailed, "the job's keeper does not answer")
	}
	conn.SetDeadline(time.Time{})
	to, err := s.Open(&protocol.Open{Service: authorized.Job.Name, Job: ch.Request().Job})
	if err != nil {
		return refusal(protocol.CodeStartFailed, "the job's keeper does not answer")
	}
	c.answered()
	h.noted(who, "Job", "do", ch.Request().Job.Do, "id", logbook.Shorten(answer.Job.ID, 16),
		"channel", ch.ID())
	join(ch, to)
	return nil
}

// passedConn takes the connection that a helper passes.
func passedConn(socket *net.UnixConn) (net.Conn, error) {
	_, d, err := receiveMessage(socket, make([]byte, 16))
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.conn()
}

// join joins a client's channel to a keeper's, to the end of both. What a keeper says is the
// account's words, and passes as the output of a command does.
func join(ch, to *mux.Channel) {
	var others sync.WaitGroup
	over := make(chan struct{})
	others.Go(func() { requestsTo(to, ch, over) })
	others.Go(func() { inputTo(to, ch) })
	exit, reason := answersTo(ch, to)
	if reason != nil {
		ch.Close(reason)
	} else {
		ch.End(exit)
	}
	close(over)
	to.Close(nil)
	to.Session().Abandon(mux.ErrGoodbye) // what waits for it goes on
	others.Wait()
}

// requestsTo passes signals and sizes, and the client's going.
func requestsTo(to, ch *mux.Channel, over <-chan struct{}) {
	for {
		select {
		case e := <-ch.Requests():
			if sig, ok := e.Message.(*protocol.Signal); ok {
				to.Send(protocol.TypeSignal, sig)
			}
		case size := <-ch.Resizes():
			to.Send(protocol.TypeResize, &size)
		case <-ch.Gone():
			to.Close(&protocol.Reason{Code: protocol.CodeCancelled})
			return
		case <-over:
			return
		}
	}
}

// inputTo passes what the client types.
func inputTo(to, ch *mux.Channel) {
	for {
		e, err := ch.Take()
		if len(e.Data) > 0 {
			to.Write(protocol.TypeStdin, e.Data) // if it fails the keeper has gone
		}
		if err != nil {
			return
		}
	}
}

// answersTo passes what the keeper says, up to EXIT or the reason that comes in its place.
func answersTo(ch, to *mux.Channel) (*protocol.Exit, *protocol.Reason) {
	passOne := func(e mux.Event) {
		switch m := e.Message.(type) {
		case *protocol.Opened:
			ch.Send(protocol.TypeOpened, &protocol.Opened{PID: m.PID, TTY: m.TTY})
		case *protocol.Notice:
			ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: m.Notice, Message: m.Message,
				Exit: m.Exit})
		}
	}
	select {
	case e := <-to.Requests(): // OPENED is the first (CH4)
		passOne(e)
	case <-to.Gone():
		select {
		case e := <-to.Requests():
			passOne(e)
		default:
		}
	}
	ended := make(chan struct{})
	var notices sync.WaitGroup
	notices.Go(func() {
		for {
			select {
			case e := <-to.Requests():
				passOne(e)
			case <-ended:
				for len(to.Requests()) > 0 {
					passOne(<-to.Requests())
				}
				return
			}
		}
	})
	defer notices.Wait()
	defer close(ended)
	var exit *protocol.Exit
	for {
		e, err := to.Take()
		if len(e.Data) > 0 {
			if _, err := ch.Write(e.Type, e.Data); err != nil {
				to.Close(&protocol.Reason{Code: protocol.CodeCancelled})
			}
		}
		if e.EOF {
			ch.EOF(e.Type)
		}
		switch m := e.Message.(type) {
		case *protocol.Exit:
			exit = m
		case *protocol.Reason:
			if exit == nil && m.Code != "" {
				return nil, itsWords(m)
			}
		}
		if err != nil && exit == nil {
			return nil, refusal(protocol.CodeJobLost, "the job's keeper ended, or does not answer")
		}
		if err != nil {
			return exit, nil
		}
	}
}
