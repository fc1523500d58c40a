package forward

import (
	"minissh/client/options"
	"minissh/protocol"
)

// agentService is the service of FO9.
const agentService = "agent"

// mostAgentWaiting is how many channels wait for programs that use the agent.
const mostAgentWaiting = 2

// lend lets programs there use the agent at a socket here. If the other side does not want that,
// they run without it, as with ssh.
func (f *Forwards) lend(socket string) {
	ch, err := f.conn.Session.OpenWaiting(&protocol.Open{Service: agentService})
	if err != nil {
		return // the session has ended: whoever uses it learns why
	}
	select {
	case <-ch.Requests(): // OPENED is the first
	case <-ch.Gone():
		reason := ended(ch)
		if f.conn.Session.Err() == nil {
			f.conn.Messages.Say(options.LevelInfo, "%s does not take your agent: %s",
				f.conn.Options.Alias, (&protocol.RemoteError{Reason: *reason}).Error())
		}
		return
	}
	f.Agent = int64(ch.ID())
	l := f.newListener(&options.Forward{Remote: true,
		Target: protocol.Target{Path: protocol.Bytes(socket)}}, agentService, ch, mostAgentWaiting)
	l.place = "the agent's socket"
	f.carrying.Go(func() { f.take(l) })
}
