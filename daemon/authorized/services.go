package authorized

import (
	"fmt"
	"strings"
)

// The services that a key's options can close. OPEN (CH1) asks for each by its name, except PTY,
// which is a part of others.
const (
	ServiceExec    = "exec"    // a command or a shell
	ServicePTY     = "pty"     // a pty for it
	ServiceFiles   = "files"   // copying files
	ServiceForward = "forward" // connections to and from elsewhere
)

// closedBy lists for each service the options that close it to a key. Every option closes a service
// without a row, so a later service is open only to keys without restrictions until it has one.
var closedBy = map[string][]string{
	ServiceExec:  {"minissh-files"},
	ServicePTY:   {"no-pty", "minissh-files"},
	ServiceFiles: {"command", "restrict"},
	// Until forwarding can tell destinations apart, a key that is limited to some may not forward.
	ServiceForward: {"command", "no-port-forwarding", "permitopen", "permitlisten",
		"minissh-files"},
}

// restricting are the options that take something away.
var restricting = []string{
	"command", "restrict", "no-pty", "no-port-forwarding", "no-agent-forwarding",
	"no-X11-forwarding", "no-user-rc", "permitopen", "permitlisten",
	"minissh-files",
}

// has says whether one of the restricting options is in force, also because of restrict.
func (r *Restrictions) has(option string) bool {
	switch option {
	case "command":
		return r.HasCommand
	case "restrict":
		return r.Restricted
	case "no-pty":
		return r.NoPty
	case "no-port-forwarding":
		return r.NoPortForwarding
	case "no-agent-forwarding":
		return r.NoAgentForwarding
	case "no-X11-forwarding":
		return r.NoX11Forwarding
	case "no-user-rc":
		return r.NoUserRC
	case "permitopen":
		return r.PermitOpen != nil
	case "minissh-files":
		return r.FilesFolder != ""
	case "permitlisten":
		return r.PermitListen != nil
	}
	return true // what is unknown closes
}

// RefusedError is a service that a key may not use. Its text may be told to the client.
type RefusedError struct{ Service, Option string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("this key may not use %s (%s in authorized_keys)", shown(e.Service),
		e.Option)
}

// Allows says whether a key may use a service; the error is a *RefusedError. A key with command=
// may open exec, with or without a pty, and nothing else; one with restrict, exec and what other
// options give back to it (RULES A6); one with minissh-files=, files and nothing else.
func (r *Restrictions) Allows(service string) error {
	if service == ServiceFiles && r.FilesFolder != "" {
		return nil // granted by name, within its folder
	}
	options, known := closedBy[service]
	if !known {
		options = restricting
	}
	for _, option := range options {
		if r.has(option) {
			if r.Restricted && strings.HasPrefix(option, "no-") {
				option = "restrict" // which is what the line says
			}
			return &RefusedError{Service: service, Option: option}
		}
	}
	return nil
}
