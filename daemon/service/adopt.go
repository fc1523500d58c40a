//go:build unix

package service

import (
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/access"
	"minissh/daemon/keeper"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// adopt makes a job of a command that runs on another channel (JO10).
func (k keeping) adopt(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	k.running.mu.Lock()
	c := k.running.of[place{ch.Session(), ch.Request().Job.Channel}]
	k.running.mu.Unlock()
	if c == nil || c.p.TTY == "" {
		return refusal(protocol.CodeBadRequest, "no command with a terminal runs on that channel")
	}
	record, reason := c.become(h, ch, who, false)
	if reason != nil {
		return reason
	}
	return told(ch, record)
}

// become makes a job of the command: a keeper gets its terminal. We stay the command's parent, and
// tell the keeper how it ends. away says that its client is; else that asks for this, on ch.
func (c *command) become(h *Host, ch *mux.Channel, who *access.Client, away bool) (
	*protocol.JobRecord, *protocol.Reason) {
	terminal, err := c.p.Terminal()
	if err != nil {
		return nil, refusal(protocol.CodeServiceRefused, "a command that runs cannot become a job "+
			"here: "+err.Error())
	}
	defer terminal.Close()
	order := keeper.Order{Home: protocol.Bytes(who.Account.Home), Adopt: true,
		Command: protocol.Bytes(c.words)}
	order.Command = order.Command[:min(len(order.Command), protocol.MaxJobCommand)]
	h.keepAs(&order, ch.Request().Job)
	if away {
		order.Name = "" // it names what is asked for
	}
	leave, ok := enterKeeper(who.Account)
	if !ok {
		return nil, refusal(protocol.CodeTooManyCommands,
			"this account runs as many jobs as it may")
	}
	var socket *net.UnixConn
	helper, reason := h.startHelper(ch, who, func() (p *process.Process, err error) {
		p, socket, err = process.StartLastingSocket(who.Account, keeper.Verb)
		return p, err
	})
	if reason != nil {
		leave()
		return nil, reason
	}
	fail := func() {
		helper.Stdin.Close() // a keeper without a command ends
		helper.end()
		socket.Close()
		go func() { <-helper.Done(); leave() }()
	}
	var ready, answer keeper.Answer
	if err = process.WriteMessage(helper.Stdin, order); err == nil {
		err = readAnswer(helper, &ready)
	}
	if err != nil || ready.Refused != nil {
		fail()
		return nil, helper.refusal(err, ready)
	}
	if !away {
		ch.Send(protocol.TypeOpened, &protocol.Opened{PID: c.p.PID})
	}
	helper.late.Stop()        // the client takes what has come first, for as long as it likes
	helper.needed.Store(true) // from here on also for what runs
	if gone(ch) != "" || !c.hand(away) {
		fail()
		return nil, refusal(protocol.CodeBadRequest,
			"what ran there has ended, or is being stopped")
	}
	helper.late.Reset(h.HelperStart + screenTime)
	from := ch
	if away {
		from = nil
	}
	err = handTo(helper, socket, c, from, terminal)
	if err == nil {
		err = readAnswer(helper, &answer)
	}
	if err != nil || answer.Job == nil {
		fail()
		left, _ := c.p.HangUp(h.Hurried, h.StopGrace)
		c.p.Close()
		h.noted(who, "Command stopped", "pid", c.p.PID, "why", "no keeper took it", "left", left)
		return nil, refusal(protocol.CodeInternal, "the job's keeper failed; what ran was stopped")
	}
	helper.letGo()
	h.Outliving.Add(1)
	go func() {
		c.outlive(socket, helper.Done())
		h.Outliving.Add(-1)
		<-helper.Done()
		<-c.p.Done() // it may live longer, and takes something here
		leave()
	}()
	h.noted(who, "Command became a job", "pid", c.p.PID, "id", answer.Job.ID, "command",
		c.words)
	return answer.Job, nil
}

// handTo gives a keeper the command, and what the client has seen of it, if there is one.
func handTo(to *helper, socket *net.UnixConn, c *command, ch *mux.Channel,
	terminal interface{ Fd() uintptr }) error {
	adoption := keeper.Adoption{PID: c.p.PID, TTY: protocol.Bytes(c.p.TTY),
		Began: c.began.UnixMilli()}
	if !c.deadline.IsZero() {
		adoption.Timeout = max(1, time.Until(c.deadline).Milliseconds())
	}
	if err := process.WriteMessage(to.Stdin, adoption); err != nil {
		return err
	}
	if ch != nil {
		screen(to.Stdin, ch)
	}
	to.Stdin.Close()
	socket.SetWriteDeadline(time.Now().Add(screenTime))
	_, _, err := socket.WriteMsgUnix([]byte{0}, unix.UnixRights(int(terminal.Fd())), nil)
	return err
}

// screen passes what the client has seen, up to its EOF, its end, or the end of the time for it.
func screen(to io.Writer, ch *mux.Channel) {
	all := make(chan struct{})
	go func() {
		defer close(all)
		for left := protocol.MaxJobScreen; ; {
			e, err := ch.Take()
			n := min(left, len(e.Data))
			if _, failed := to.Write(e.Data[:n]); failed != nil || err != nil || e.EOF {
				return
			}
			left -= n
		}
	}()
	late := time.NewTimer(screenTime)
	defer late.Stop()
	select {
	case <-all:
	case <-late.C:
	}
}

// outlive waits for a command that a keeper has, and tells the keeper how it ended. Its number is
// kept for as long as the keeper lives, and no longer, whoever has its socket then.
func (c *command) outlive(keeper *net.UnixConn, ended <-chan struct{}) {
	defer keeper.Close()
	defer c.p.Close()
	c.p.CloseTerminal()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		keeper.Read(make([]byte, 1)) // it has nothing to say
	}()
	select {
	case <-c.p.Done():
		keeper.SetWriteDeadline(time.Now().Add(screenTime))
		result := c.p.Result()
		result.Err, result.Dir, result.OldDir = nil, nil, nil
		if process.WriteMessage(keeper, result) != nil {
			return
		}
	case <-gone:
		return
	case <-ended:
		return
	}
	select {
	case <-gone:
	case <-ended:
	}
}
