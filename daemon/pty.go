package daemon

import (
	"slices"
	"strings"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
)

// terminal puts the terminal that the client asked for into what is started. The error, if any, is why it gets none: the command is run
// without one then, and the client is told (TE1).
func (s *Server) terminal(spec *process.Spec, open *protocol.Open, who *peer) error {
	if open.PTY == nil {
		return nil
	}
	if err := who.grant.Allows(authorized.ServicePTY); err != nil {
		return err
	}
	term := string(open.PTY.Term)
	if term == "" {
		term = "dumb"
	}
	spec.Env = append(slices.DeleteFunc(spec.Env, func(pair string) bool { return strings.HasPrefix(pair, "TERM=") }), "TERM="+term)
	spec.PTY = &process.PTY{Size: open.PTY.Size, Modes: open.PTY.Modes}
	return nil
}
