package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// agent listens for the programs that use a client's ssh-agent, and takes their connections (FO9).
// It is forward with a key of its own: which options close it to a key is another question.
type agent struct{ forward }

func (agent) Key() authorized.Service { return authorized.Agent }

func (a agent) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	ch.IgnoreRequests() // a signal means nothing here
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckAgent()); ok {
		return refusal(broken.Code, broken.Message)
	}
	if who.Permits.NoAgents {
		return refusal(protocol.CodeServiceRefused,
			"this daemon takes no agents (--allow-agent-forwarding)")
	}
	if open.Accept {
		return a.accepted(h, ch, who, true)
	}
	return a.listen(h, ch, who, &listener{agent: true, on: &protocol.Target{}})
}

// clearHelper is this program as what removes the socket of an agent, and its folder, after the
// helper that made them was killed (FO9). Its argument is the socket's path.
const clearHelper = "clear-agent"

func init() { process.Helper(clearHelper, beClearHelper) }

func beClearHelper(args []string) int {
	if len(args) != 1 {
		return 2
	}
	path := args[0]
	folder := filepath.Dir(path)
	if filepath.Dir(folder) != filepath.Clean(os.TempDir()) ||
		!strings.HasPrefix(filepath.Base(folder), agentFolder) {
		return 2 // the killed helper's words may have been anything
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		os.Remove(path)
	}
	os.Remove(folder)
	return 0
}

// clear has what an agent's helper has left removed, with the account's rights, whether or not
// anybody wants the channel still. It takes HelperStart at most, and its turn.
func (h *Host) clear(who *access.Client, path string) {
	ctx, cancel := context.WithTimeout(h.Hurried, h.HelperStart)
	defer cancel()
	turn, err := process.Turn(ctx, who.Account)
	if err != nil {
		return
	}
	defer turn()
	p, err := process.StartSelf(who.Account, clearHelper, path)
	if err != nil {
		return
	}
	defer p.Close()
	p.Stdout.Close()
	p.Stderr.Close()
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.End()
	}
}

const agentVariable = "SSH_AUTH_SOCK="

// lend tells what is to be started where the client's agent is, if a request asks for that.
func (ls *listeners) lend(spec *process.Spec, ch *mux.Channel) *protocol.Reason {
	number := ch.Request().Agent
	if number == 0 {
		return nil
	}
	ls.mu.Lock()
	l := ls.of[place{ch.Session(), number}]
	path := ""
	if l != nil {
		path = l.path
	}
	ls.mu.Unlock()
	if path == "" {
		return refusal(protocol.CodeBadRequest, "there is no agent on that channel")
	}
	isAgent := func(pair string) bool { return strings.HasPrefix(pair, agentVariable) }
	spec.Env = append(slices.DeleteFunc(spec.Env, isAgent), agentVariable+path)
	return nil
}
