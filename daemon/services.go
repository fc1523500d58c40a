package daemon

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// service answers one kind of OPEN. It returns nil when it has seen the channel to its end, or why it refuses, before it has said anything.
type service func(*Server, *mux.Channel, *peer) *protocol.Reason

// services are all that this daemon offers, by the name in OPEN. A service that is not here cannot be reached, and one that is here is reached
// through serve alone, which asks first whether the key may use it: no service can forget that. Whatever stands here needs its row in
// authorized's table of what closes it, and in the test's table of every option against every service.
var services = map[string]service{
	authorized.ServiceExec:  (*Server).exec,
	authorized.ServiceFiles: (*Server).files,
}

// serve answers a channel that an authorized client opened.
func (s *Server) serve(ch *mux.Channel, who *peer) {
	s.commands.Add(1)
	defer s.commands.Done()
	reason := s.admit(ch.Request().Service, who)
	var leave func()
	if reason == nil {
		leave, reason = who.visit.share.enterCommand()
	}
	if reason == nil {
		defer leave()
		defer who.visit.begins(ch.Request(), who.grant)()
		reason = services[ch.Request().Service](s, ch, who)
	}
	if reason != nil {
		s.tally.refused(slog.LevelInfo, "Request refused", who.user, who.user, "Request refused", "user", who.user, "from", who.addr.String(), "code", string(reason.Code), "message", reason.Message)
		ch.Close(reason)
	}
}

// admit says why a client may not use a service, nil if it may. A key's restrictions come first: it learns nothing of services that it may not use.
func (s *Server) admit(name string, who *peer) *protocol.Reason {
	_, known := services[name]
	if err := who.grant.Allows(name); err != nil && known {
		return refusal(protocol.CodeServiceRefused, err.Error())
	}
	if !known {
		return refusal(protocol.CodeUnknownService, "this daemon offers "+strings.Join(slices.Sorted(maps.Keys(services)), ", "))
	}
	select {
	case <-s.stopping:
		return refusal(protocol.CodeShuttingDown, "minisshd is being stopped")
	default:
		return nil
	}
}

func refusal(code protocol.Code, message string) *protocol.Reason {
	return &protocol.Reason{Code: code, Message: message}
}
