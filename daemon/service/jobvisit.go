//go:build unix

package service

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/keeper"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// visitJob attaches a client to a job, or stops the job: it joins the channel to one of the job's
// keeper. name is its name or id.
func visitJob(h *Host, ch *mux.Channel, who *access.Client, name string) *protocol.Reason {
	silent, reason := visitOnce(h, ch, who, name)
	if silent && gone(ch) == "" { // it was just ending: somebody else answers for it now
		_, reason = visitOnce(h, ch, who, name)
	}
	return reason
}

// visitOnce is visitJob; silent says that the keeper did not answer.
func visitOnce(h *Host, ch *mux.Channel, who *access.Client, name string) (silent bool,
	_ *protocol.Reason) {
	job := *ch.Request().Job
	job.Name = name
	c, socket, reason := clerk(h, ch, who, job)
	if reason != nil {
		return false, reason
	}
	defer c.end()
	defer socket.Close()
	var answer keeper.Answer
	if err := readAnswer(c, &answer); err != nil || answer.Job == nil {
		return false, c.refusal(err, answer)
	}
	if answer.Job.PTY && ch.Request().Job.Do == protocol.JobAttach {
		if err := who.Grant.Allows(authorized.PTY); err != nil {
			return false, refusal(protocol.CodeServiceRefused, err.Error())
		}
	}
	conn, err := passedConn(socket)
	if err != nil {
		return false, c.refusal(err, keeper.Answer{})
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(h.HelperStart))
	s := mux.New(mux.Config{Role: mux.Client, Budget: mux.NewBudget(0)})
	defer s.Close(nil)
	if _, err := s.Connect(conn, &protocol.Hello{User: who.User}); err != nil {
		return true, refusal(protocol.CodeStartFailed, "the job's keeper does not answer")
	}
	conn.SetDeadline(time.Time{})
	to, err := s.Open(&protocol.Open{Service: authorized.Job.Name, Job: &job})
	if err != nil {
		return true, refusal(protocol.CodeStartFailed, "the job's keeper does not answer")
	}
	c.answered()
	h.noted(who, "Job", "do", ch.Request().Job.Do, "id", logbook.Shorten(answer.Job.ID, 16),
		"channel", ch.ID())
	join(h, ch, to)
	return false, nil
}

// passedConn takes the connection that a helper passes: a Unix socket. Another one might make
// whoever closes it wait (socket(7), SO_LINGER), so that is closed at once, and does not.
func passedConn(socket *net.UnixConn) (net.Conn, error) {
	_, d, err := receiveMessage(socket, make([]byte, 16))
	if err != nil {
		return nil, err
	}
	defer d.close()
	for _, fd := range d.fds {
		address, err := unix.Getsockname(fd)
		if _, local := address.(*unix.SockaddrUnix); err != nil || !local {
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			return nil, errNoConnection
		}
	}
	return d.conn()
}

// join joins a client's channel to a keeper's, to the end of both. What a keeper says is the
// account's words, and passes as the output of a command does. A keeper that does not answer is
// waited for as long as the client does, and HelperGrace more.
func join(h *Host, ch, to *mux.Channel) {
	var others sync.WaitGroup
	over := make(chan struct{})
	abandon := func() { to.Session().Abandon(mux.ErrGoodbye) } // what waits for it goes on
	others.Go(func() { requestsTo(to, ch, over, h.HelperGrace, abandon) })
	others.Go(func() { inputTo(to, ch) })
	exit, reason := answersTo(ch, to)
	if reason == nil && ch.End(exit) != nil {
		reason = refusal(protocol.CodeInternal, "the job's outcome cannot be told")
	}
	if reason != nil {
		ch.Close(reason)
	}
	close(over)
	to.Close(nil)
	abandon()
	others.Wait()
}

// requestsTo passes signals and sizes, and the client's going, after which a keeper has some time
// to
// answer.
func requestsTo(to, ch *mux.Channel, over <-chan struct{}, grace time.Duration, abandon func()) {
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
			late := time.NewTimer(grace)
			defer late.Stop()
			select {
			case <-late.C:
				abandon()
			case <-over:
			}
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
			ch.Send(protocol.TypeOpened, &protocol.Opened{PID: m.PID,
				TTY: m.TTY[:min(len(m.TTY), 256)]})
		case *protocol.Notice:
			ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: logbook.Shorten(m.Notice, 64),
				Message: m.Message})
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
			exit = bounded(m)
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
