package report

import (
	"errors"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// Class is what kind of failure something is, for programs (--outcome).
type Class string

// The classes.
const (
	ClassAuth        Class = "auth"        // no key of ours may log in
	ClassHostKey     Class = "host_key"    // the host's key is not the right one, or not known
	ClassUnreachable Class = "unreachable" // nobody answered as a daemon does
	ClassRefused     Class = "refused"     // the daemon answered, and did not do it
	ClassLost        Class = "lost"        // the session or the job ended before the command
	ClassDeadline    Class = "deadline"    // the command was stopped at its time limit
	ClassInterrupted Class = "interrupted" // a signal ended us
	ClassUsage       Class = "usage"       // the command line, or the configuration
	ClassInternal    Class = "internal"    // anything else
)

// ClassOf is an error's class. loggedIn says that there was a login before it.
func ClassOf(err error, loggedIn bool) Class {
	for at := err; at != nil; at = errors.Unwrap(at) {
		classed, ok := at.(interface{ FailureClass() string })
		if ok && classed.FailureClass() != "" {
			return Class(classed.FailureClass())
		}
	}
	said, isSaid := errors.AsType[*protocol.RemoteError](err)
	_, lost := errors.AsType[*mux.LinkLost](err)
	switch {
	case isSaid:
		return classOfCode(said.Code, loggedIn)
	case lost, errors.Is(err, mux.ErrRestarted), errors.Is(err, mux.ErrGoodbye),
		errors.Is(err, mux.ErrExpired):
		return ClassLost
	case errors.Is(err, protocol.ErrTooLarge), errors.Is(err, protocol.ErrNUL):
		return ClassUsage
	case !loggedIn:
		return ClassUnreachable
	}
	return ClassInternal
}

// classOfCode is the class of what a daemon says.
func classOfCode(code protocol.Code, loggedIn bool) Class {
	switch code {
	case protocol.CodeKeyNotAuthorized, protocol.CodeTooManyFailures:
		return ClassAuth
	case protocol.CodeUnknownService, protocol.CodeServiceRefused, protocol.CodeBadRequest,
		protocol.CodeStartFailed, protocol.CodeNoDirectory, protocol.CodeTooManyChannels,
		protocol.CodeTooManyCommands, protocol.CodeBusy, protocol.CodeNoJob, protocol.CodeJobExists:
		return ClassRefused
	case protocol.CodeShuttingDown, protocol.CodeSessionExpired, protocol.CodeSessionEnded,
		protocol.CodeEndedByAdmin, protocol.CodeIdleTimeout, protocol.CodeJobLost,
		protocol.CodeTakenOver, protocol.CodeDetached:
		if loggedIn {
			return ClassLost
		}
	}
	if !loggedIn {
		return ClassRefused
	}
	return ClassInternal
}
