package keeper

import (
	"errors"
	"time"

	"minissh/daemon/process"
	"minissh/daemon/process/stage"
	"minissh/protocol"
)

// The verbs of the two helpers here (process.Helper).
const (
	Verb      = "keeper"
	ClerkVerb = "jobs"
)

// Order is what a keeper is told on its standard input: one message. It answers by an Answer on its
// standard output, and then has nothing more to do with the daemon.
type Order struct {
	Home    protocol.Bytes `json:"home"`
	Name    string         `json:"name,omitempty"`
	Command protocol.Bytes `json:"command,omitempty"` // in words, for the record
	Spool   int64          `json:"spool"`             // bytes of output to keep
	Wait    bool           `json:"wait,omitempty"`    // the job waits when the spool is full
	Timeout int64          `json:"timeout_ms,omitempty"`
	Grace   int64          `json:"grace_ms"` // between HUP and KILL
	// what runs already is adopted: the rest is empty, and an Adoption follows
	Adopt bool `json:"adopt,omitempty"`

	// what is started, as in process.Spec
	Path    protocol.Bytes   `json:"path"`
	Search  bool             `json:"search,omitempty"`
	Args    []protocol.Bytes `json:"args"`
	Env     []protocol.Bytes `json:"env"`
	Dir     protocol.Bytes   `json:"dir,omitempty"`
	DirElse protocol.Bytes   `json:"dir_else,omitempty"`
	PTY     *protocol.PTY    `json:"pty,omitempty"`
	Limits  []stage.Limit    `json:"limits,omitempty"`
	// ~/.ssh/environment in Home adds to Env, but does not change these pairs
	EnvFile  bool             `json:"env_file,omitempty"`
	EnvAfter []protocol.Bytes `json:"env_after,omitempty"`
}

// Adoption is what a keeper is told of a command that it takes over, after it has answered that it
// can. What the command's terminal has shown follows on its standard input, up to the end of that;
// then the terminal itself comes on its socket (process.StartSocket), with one byte, and in the
// end, as another message on it, how the command ended: process.Result.
type Adoption struct {
	PID     int            `json:"pid"`
	TTY     protocol.Bytes `json:"tty"`
	Began   int64          `json:"began_ms"`             // milliseconds since 1970 began
	Timeout int64          `json:"timeout_ms,omitempty"` // what is left of it
}

// NewOrder is an order to start what spec says.
func NewOrder(spec process.Spec, pty *protocol.PTY) Order {
	o := Order{Path: protocol.Bytes(spec.Path), Search: spec.Search, Dir: protocol.Bytes(spec.Dir),
		DirElse: protocol.Bytes(spec.DirElse)}
	for _, word := range spec.Args {
		o.Args = append(o.Args, protocol.Bytes(word))
	}
	for _, pair := range spec.Env {
		o.Env = append(o.Env, protocol.Bytes(pair))
	}
	if spec.PTY != nil {
		o.PTY = pty
	}
	return o
}

// spec is what it starts.
func (o *Order) spec() process.Spec {
	spec := process.Spec{Path: string(o.Path), Search: o.Search, Dir: string(o.Dir),
		DirElse: string(o.DirElse), Limits: o.Limits}
	for _, word := range o.Args {
		spec.Args = append(spec.Args, string(word))
	}
	for _, pair := range o.Env {
		spec.Env = append(spec.Env, string(pair))
	}
	if o.PTY != nil {
		spec.PTY = &process.PTY{Size: o.PTY.Size, Modes: o.PTY.Modes}
	}
	return spec
}

func (o *Order) grace() time.Duration   { return time.Duration(o.Grace) * time.Millisecond }
func (o *Order) timeout() time.Duration { return time.Duration(o.Timeout) * time.Millisecond }

// Answer is what a keeper, or the clerk, says: a job, or why not. Neither: the clerk has no more,
// or the keeper is ready to adopt a command.
type Answer struct {
	Refused *protocol.Reason    `json:"refused,omitempty"`
	Job     *protocol.JobRecord `json:"job,omitempty"`
	NoPTY   string              `json:"no_pty,omitempty"` // why the job has no terminal
}

// refused is an error as an answer.
func refused(err error) Answer {
	reason := &protocol.Reason{Code: protocol.CodeStartFailed, Message: err.Error()}
	if v, ok := errors.AsType[*protocol.Violation](err); ok {
		reason = v.Reason()
	} else if start, ok := errors.AsType[*process.StartError](err); ok && start.Op == "chdir" {
		reason.Code = protocol.CodeNoDirectory
	}
	return Answer{Refused: reason}
}
