package protocol

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Hello is the client's first frame on every link (SE1).
type Hello struct {
	Protocol string `json:"protocol"`           // "minissh/1"
	Session  string `json:"session"`            // 64 lower-case hex digits
	Epoch    int64  `json:"epoch"`              // from 1, rises with each attempt
	Create   bool   `json:"create"`             // make the session if the daemon does not have it
	Received int64  `json:"received"`           // session frames received
	User     string `json:"user"`               // account to run as
	Resend   int64  `json:"resend"`             // bytes kept for resending; 0: none
	Hold     int64  `json:"hold,omitempty"`     // seconds to keep the session without a link
	Channels int    `json:"channels,omitempty"` // channels the daemon may have open
	// fingerprints of other keys the client holds, at most 16
	Keys     []string `json:"keys,omitempty"`
	Software string   `json:"software,omitempty"` // for logs
	Auth     string   `json:"auth,omitempty"`     // by a key that TLS cannot carry (LO1)
}

// Check finds what in a HELLO breaks SE1; the error is a *Violation.
func (h *Hello) Check() error {
	if h.Protocol != ALPN {
		return Violate(CodeUnsupportedProtocol, "this daemon speaks %s", ALPN)
	}
	id, err := hex.DecodeString(h.Session)
	switch {
	case err != nil || len(id) != 32 || hex.EncodeToString(id) != h.Session:
		return Violate(CodeBadHello, "session is not 64 lower-case hex digits")
	case h.Epoch < 1:
		return Violate(CodeBadHello, "epoch begins at 1")
	case h.Epoch == 1 && !h.Create:
		return Violate(CodeBadHello, "the first hello of a session creates it")
	case h.Resend != 0 && h.Resend < MinResend:
		return Violate(CodeBadHello, "resend is neither 0 nor at least %d", MinResend)
	case h.Received < 0 || h.Hold < 0 || h.Channels < 0 || len(h.Keys) > 16:
		return Violate(CodeBadHello, "received, hold, channels or keys is out of range")
	}
	return nil
}

// Welcome is the daemon's answer to a Hello that it accepts (SE2).
type Welcome struct {
	Received int64 `json:"received"`            // session frames received
	Resend   int64 `json:"resend"`              // bytes kept for resending; 0: none
	Hold     int64 `json:"hold,omitempty"`      // seconds granted
	Channels int   `json:"channels"`            // channels the client may have open
	Uptime   int64 `json:"uptime_ms,omitempty"` // how long the daemon has run, in milliseconds
	// which of several daemons has the session (RE9)
	Generation string `json:"generation,omitempty"`
	User       string `json:"user,omitempty"`     // account that commands run as
	Home       Bytes  `json:"home,omitempty"`     // its home directory
	Software   string `json:"software,omitempty"` // for people
	Banner     string `json:"banner,omitempty"`   // what a client's user is told first
}

// Check finds what in a WELCOME breaks SE2; the error is a *Violation.
func (w *Welcome) Check() error {
	if w.Channels < MinChannels || w.Received < 0 || w.Hold < 0 || w.Uptime < 0 ||
		(w.Resend != 0 && w.Resend < MinResend) {
		return Violate(CodeBadFrame,
			"a WELCOME with channels %d, received %d, hold %d, resend %d, uptime_ms %d",
			w.Channels, w.Received, w.Hold, w.Resend, w.Uptime)
	}
	if w.Generation != "" && !ValidGeneration(w.Generation) {
		return Violate(CodeBadFrame, "a WELCOME whose generation is not 1 to %d small letters "+
			"and digits", MaxGeneration)
	}
	return nil
}

// ValidGeneration says whether a text may name a generation (RE9).
func ValidGeneration(name string) bool {
	return name != "" && len(name) <= MaxGeneration &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// Open asks for a service on a new channel (CH1, EX1).
type Open struct {
	Service   string     `json:"service"`              // its name, as in "exec"
	Command   Bytes      `json:"command,omitempty"`    // run by the login shell
	Argv      []Bytes    `json:"argv,omitempty"`       // or run without a shell
	Shell     bool       `json:"shell,omitempty"`      // or the login shell itself
	PTY       *PTY       `json:"pty,omitempty"`        // a terminal for it (TE1)
	Env       [][2]Bytes `json:"env,omitempty"`        // pairs of name and value
	Dir       Bytes      `json:"dir,omitempty"`        // where to start
	OldDir    Bytes      `json:"old_dir,omitempty"`    // what `cd -` goes back to
	ReportDir bool       `json:"report_dir,omitempty"` // tell the shell's directory in EXIT
	// stop the command after so many milliseconds
	Timeout int64  `json:"timeout_ms,omitempty"`
	Files   *Files `json:"files,omitempty"` // what to copy (FI1)

	// channel of the shell that runs a line (LI3), or of a connection's group or listener (FO1)
	In       int64     `json:"in,omitempty"`
	Length   int64     `json:"length,omitempty"`   // bytes of STDIN that are the command, or line
	Complete *Complete `json:"complete,omitempty"` // names are asked for (LI6)

	Name string `json:"name,omitempty"` // of the subsystem that is to run (SU1)

	Connect *Target `json:"connect,omitempty"` // where to (FO1)
	Listen  *Target `json:"listen,omitempty"`  // where to listen (FO7)
	Accept  bool    `json:"accept,omitempty"`  // take a connection (FO8)

	Agent int64 `json:"agent,omitempty"` // channel of the listener that SSH_AUTH_SOCK names (FO9)

	Job *Job `json:"job,omitempty"` // what is wanted of a job (JO1)
}

// Complete asks for the names that begin as Word does (LI6).
type Complete struct {
	Kind string `json:"kind"` // one of the Kind constants
	Word Bytes  `json:"word"`
}

// The kinds of LI6.
const (
	KindCommand  = "command"
	KindVariable = "variable"
	KindPath     = "path"
)

// MaxLength is the longest command or line that may come by STDIN, in bytes (EX1, LI3).
const MaxLength = 1 << 20

// CheckNumbers finds a number below 0, whatever the service (JS4); the error is a *Violation with
// CodeBadRequest.
func (o *Open) CheckNumbers() error {
	if min(o.In, o.Agent, o.Length, o.Timeout) < 0 {
		return Violate(CodeBadRequest, "a number is below 0")
	}
	return nil
}

// CheckLine finds what is wrong with a request for a line (LI3); the error is a *Violation with
// CodeBadRequest.
func (o *Open) CheckLine() error {
	asked := 0
	for _, given := range []bool{len(o.Command) > 0, o.Length != 0, o.Complete != nil} {
		if given {
			asked++
		}
	}
	switch {
	case asked != 1:
		return Violate(CodeBadRequest, "exactly one of command, length and complete must be given")
	case o.Length > MaxLength:
		return Violate(CodeBadRequest, "length is not 1 to %d", MaxLength)
	case o.Complete != nil && o.Complete.Kind != KindCommand &&
		o.Complete.Kind != KindVariable && o.Complete.Kind != KindPath:
		return Violate(CodeBadRequest, "names of such a kind cannot be asked for")
	case o.Complete != nil && o.PTY != nil:
		return Violate(CodeBadRequest, "names need no terminal")
	case o.PTY != nil:
		if err := o.PTY.Check(); err != nil {
			return Violate(CodeBadRequest, "%v", err)
		}
	}
	return o.CheckNumbers()
}

// CheckLineShell finds what is wrong with a request for a shell that is told its lines (LI1), its
// terminal aside; the error is a *Violation with CodeBadRequest.
func (o *Open) CheckLineShell() error {
	if len(o.Command) > 0 || o.Length != 0 || o.Complete != nil {
		return Violate(CodeBadRequest, "a line needs in: the channel of its shell")
	}
	return o.CheckNumbers()
}

// CheckExec finds what is wrong with a request to run a command (EX1, TE1); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckExec() error {
	asked := 0
	for _, given := range []bool{len(o.Command) > 0, o.Length != 0, len(o.Argv) > 0, o.Shell} {
		if given {
			asked++
		}
	}
	switch {
	case asked != 1:
		return Violate(CodeBadRequest,
			"exactly one of command, length, argv and shell must be given")
	case o.Length > MaxLength:
		return Violate(CodeBadRequest, "length is not 1 to %d", MaxLength)
	case o.Timeout > MaxTimeout:
		return Violate(CodeBadRequest, "timeout_ms is out of range")
	case o.PTY != nil:
		if err := o.PTY.Check(); err != nil {
			return Violate(CodeBadRequest, "%v", err)
		}
	}
	return o.CheckNumbers()
}

// CheckSubsystem finds what is wrong with a request for a subsystem (SU1, TE1); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckSubsystem() error {
	if o.Name == "" {
		return Violate(CodeBadRequest, "name must be given")
	}
	if err := o.CheckNumbers(); err != nil {
		return err
	}
	return (&Open{Shell: true, Timeout: o.Timeout, PTY: o.PTY}).CheckExec()
}

// MaxTimeout is the longest time after which a daemon stops a command, in milliseconds (EX1).
const MaxTimeout = 1_000_000_000

// Opened is the acceptor's answer (EX2).
type Opened struct {
	PID   int    `json:"pid"`
	TTY   Bytes  `json:"tty,omitempty"`   // name of the pty, if there is one
	Shell string `json:"shell,omitempty"` // of a shell that is told its lines: its name (LI1)
	Port  int    `json:"port,omitempty"`  // of a listener: what it listens on (FO7)
	From  string `json:"from,omitempty"`  // of a connection that has come: its address (FO8)
	Path  Bytes  `json:"path,omitempty"`  // of an agent's listener: its socket (FO9)
}

// Signal asks for a signal to the command's process group (EX3).
type Signal struct {
	Signal string `json:"signal"` // without SIG
}

// Notice reports something that neither ends nor answers anything (EX5).
type Notice struct {
	Notice  string `json:"notice"`
	Message string `json:"message,omitempty"`
	Exit    *Exit  `json:"exit,omitempty"` // with output_held: how the command has ended
	// with shutting_down: how long commands may still run
	Grace int64 `json:"grace_ms,omitempty"`
}

// The notices of EX5.
const (
	NoticeOutputHeld    = "output_held"
	NoticeSignalRefused = "signal_refused"
	NoticePTYRefused    = "pty_refused"
	NoticeShuttingDown  = "shutting_down"
	NoticeWantsTerminal = "wants_terminal" // LI4
	NoticeOutputDropped = "output_dropped" // JO7
)

// Exit says how a command ended (EX6).
type Exit struct {
	How      string    `json:"how"`                   // one of the How constants
	Code     *int      `json:"code,omitempty"`        // exit code, if it exited by itself
	Signal   string    `json:"signal,omitempty"`      // signal that ended it, without SIG
	Core     bool      `json:"core,omitempty"`        // core dumped
	Duration int64     `json:"duration_ms,omitempty"` // wall-clock milliseconds
	UserTime int64     `json:"user_ms,omitempty"`     // CPU milliseconds in user mode
	SysTime  int64     `json:"system_ms,omitempty"`   // CPU milliseconds in the kernel
	MaxRSS   int64     `json:"max_rss_kib,omitempty"` // largest resident memory, KiB
	Dir      Bytes     `json:"dir,omitempty"`         // the shell's directory at its end
	OldDir   Bytes     `json:"old_dir,omitempty"`     // its $OLDPWD
	Left     []Process `json:"left,omitempty"`        // what could not be stopped
}

// Check finds why an EXIT tells no outcome (EX6). That breaks no rule of the wire: the error is for
// people.
func (e *Exit) Check() error {
	switch e.How {
	case HowDeadline, HowCancelled, HowHungUp:
		return nil
	case HowExited:
		if e.Code == nil {
			return errors.New("it is said to have exited, without an exit code")
		}
		return nil
	case HowSignalled:
		if e.Signal == "" {
			return errors.New("it is said to have ended by a signal, without the signal's name")
		}
		return nil
	}
	if e.How == "unknown" {
		return errors.New("the other side did not see it")
	}
	return fmt.Errorf("it is said to have ended by %s, which means nothing", Quote(clip(e.How)))
}

// Fit leaves out what makes an EXIT too large for its frame: processes that could not be stopped,
// then directories (EX6).
func (e *Exit) Fit() *Exit {
	_, most := TypeExit.sizes()
	fits := func(e *Exit) bool {
		payload, err := marshal(e)
		return err == nil && len(payload) <= int(most)
	}
	if fits(e) {
		return e
	}
	small := *e
	for len(small.Left) > 0 && !fits(&small) {
		small.Left = small.Left[:len(small.Left)/2]
	}
	if !fits(&small) {
		small.Dir, small.OldDir = nil, nil
	}
	return &small
}

// The values of Exit.How (EX6).
const (
	HowExited    = "exited"
	HowSignalled = "signalled"
	HowDeadline  = "deadline"
	HowCancelled = "cancelled"
	HowHungUp    = "hung_up"
)

// Process names a process that could not be stopped.
type Process struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
}

// Reason is the payload of ERROR, CLOSE and GOODBYE (CO3); the zero Reason, {}, means that all went
// well.
type Reason struct {
	Code    Code   `json:"code,omitempty"`
	Message string `json:"message,omitempty"` // for people, at most 1,024 bytes
	// with key_not_authorized: a fingerprint that would do
	Key string `json:"key,omitempty"`
}

// AppendMessage appends a frame with a JSON payload; the text for people in a *Reason or *Notice is
// cut to what CO3 allows. The error says that the message does not fit in a frame.
func AppendMessage(b []byte, t Type, channel uint32, message any) ([]byte, error) {
	switch m := message.(type) {
	case *Reason:
		fitting := *m
		fitting.Message = clip(m.Message)
		message = &fitting
	case *Notice:
		fitting := *m
		fitting.Message = clip(m.Message)
		message = &fitting
	}
	payload, err := marshal(message)
	if err != nil {
		return b, err
	}
	if _, most := t.sizes(); len(payload) > int(most) {
		return b, fmt.Errorf("%v of %d bytes %w; the most is %d", t, len(payload), ErrTooLarge,
			most)
	}
	return AppendFrame(b, t, 0, channel, payload), nil
}

// MarshalJSON is json.Marshaler's. It makes encoding/json plan only for the fields that are set.
func (f *Files) MarshalJSON() ([]byte, error) {
	type fields Files
	return marshal((*fields)(f))
}

// MarshalJSON is json.Marshaler's, as that of Files.
func (p *PTY) MarshalJSON() ([]byte, error) {
	type fields PTY
	return marshal((*fields)(p))
}
