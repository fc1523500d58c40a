package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/wildcard"
)

// exec runs commands and shells (P6).
type exec struct {
	agents  *listeners
	running *running
}

// running are the commands of exec, each by its session and channel.
type running struct {
	mu sync.Mutex
	of map[place]*command
}

// enter adds one, until left.
func (r *running) enter(c *command) (left func()) {
	at := placeOf(c.ch)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[at] = c
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.of, at)
	}
}

func (exec) Key() authorized.Service { return authorized.Exec }

// Serve runs one command. The answer is not nil if it was refused or could not be started.
func (e exec) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	if who.Grant.Forced {
		if _, is, _ := InternalSFTP(who.Grant.Command); is { // sshd's words
			return refusal(protocol.CodeServiceRefused,
				"this service allows sftp connections only")
		}
	}
	return run(h, ch, who, ch.Request(), e.agents, e.running)
}

// run starts what a request asks for, and sees it to its end. where, if not nil, has it meanwhile.
func run(h *Host, ch *mux.Channel, who *access.Client, open *protocol.Open,
	agents *listeners, where *running) *protocol.Reason {
	turn := who.Share.LongTurn()
	defer turn.Done()
	open, reason := whole(open, ch, turn)
	if reason == nil && ch.Request().Length > 0 { // its text was not known before
		reason = h.Audited(who, ch.ID(), open)
	}
	if reason != nil {
		return reason
	}
	spec, reason := execSpec(open, who)
	if reason == nil {
		reason = agents.lend(&spec, ch)
	}
	if reason != nil {
		return reason
	}
	kind := authorized.Exec
	if ch.Request().Service == authorized.Subsystem.Name {
		kind = authorized.Subsystem
	}
	h.arrives(&spec, open, who, kind)
	record, ctx := h.records(&spec, who), wanted(ch)
	p, refused, err := onTerminal(ctx, spec, open, who, process.StartContext)
	if err != nil {
		record.end()
		return notStarted(ctx, err)
	}
	c := newCommand(h, ch, p, who)
	c.record = record
	c.noPTY, c.timeout = refused, time.Duration(open.Timeout)*time.Millisecond
	h.noted(who, "Starting command", "pid", p.PID, "channel", ch.ID(),
		"command", asked(open), "forced", who.Grant.Forced, "tty", p.TTY)
	turn.Done() // the system has the command
	if where != nil {
		defer where.enter(c)()
	}
	c.run()
	return nil
}

// whole is a request with its command, if that comes by STDIN (EX1).
func whole(open *protocol.Open, ch *mux.Channel, turn *access.LongTurn) (*protocol.Open,
	*protocol.Reason) {
	if open.Length == 0 || open.CheckExec() != nil {
		return open, nil
	}
	text, reason := received(ch, turn, open.Length)
	with := *open
	with.Command, with.Length = text, 0
	return &with, reason
}

// received waits for a command or line that comes by STDIN (EX1, LI3). Memory is used for what has
// come, not for what was announced; for more than an OPEN has, when it is its turn.
func received(ch *mux.Channel, turn *access.LongTurn, length int64) (text []byte,
	_ *protocol.Reason) {
	var room [16 << 10]byte
	for int64(len(text)) < length {
		if len(text) >= protocol.MaxPayload && !turn.Take(ch.Gone()) {
			return nil, cancelled // CH9
		}
		e, err := ch.Next(room[:min(int64(len(room)), length-int64(len(text)))])
		if err != nil {
			return nil, cancelled // CH9
		}
		if e.EOF {
			return nil, refusal(protocol.CodeBadRequest, "STDIN ends before length")
		}
		text = append(text, room[:e.N]...)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, refusal(protocol.CodeBadRequest, protocol.ErrNUL.Error())
	}
	return text, nil
}

// asked is what the client wanted to run, in words; "" is a shell.
func asked(open *protocol.Open) string {
	if open.Shell {
		return ""
	}
	if len(open.Argv) == 0 {
		return string(open.Command)
	}
	return joined(open.Argv)
}

func joined(words []protocol.Bytes) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, " ")
}

// execSpec turns a request into what to start (EX1).
func execSpec(open *protocol.Open, who *access.Client) (process.Spec, *protocol.Reason) {
	acct := who.Account
	spec := process.Spec{Path: acct.Shell, Dir: acct.Dir(), DirElse: "/",
		Credential: acct.Credential}
	var extra []string
	for _, pair := range open.Env {
		if accepts(who.Permits, string(pair[0])) {
			extra = append(extra, string(pair[0])+"="+string(pair[1]))
		}
	}
	extra = append(extra, who.Grant.Environment...)
	extra = append(extra, connectionEnvironment(who)...)
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckExec()); ok {
		return spec, refusal(broken.Code, broken.Message)
	}
	if len(open.Dir) > 0 && !who.Grant.Forced {
		spec.DirElse = ""
		if spec.Dir = string(open.Dir); !filepath.IsAbs(spec.Dir) {
			spec.Dir = acct.Dir() + "/" + spec.Dir // the system resolves .. (EX1)
		}
	}
	switch {
	case who.MustChange: // and Changes has let it pass
		spec.Path, spec.Args = changer, []string{"passwd"}
	case who.Grant.Forced:
		if !open.Shell {
			extra = append(extra, "SSH_ORIGINAL_COMMAND="+asked(open))
		}
		spec.Args = process.ShellCommand(acct.Shell, who.Grant.Command)
	case open.Shell:
		spec.Args = process.LoginShell(acct.Shell)
	case len(open.Argv) > 0:
		for _, word := range open.Argv {
			spec.Args = append(spec.Args, string(word))
		}
	case open.ReportDir:
		spec.OldDir = string(open.OldDir)
		spec.Args, spec.ReportDir = process.ShellLine(acct.Shell, string(open.Command), spec.OldDir)
	default:
		spec.Args = process.ShellCommand(acct.Shell, string(open.Command))
	}
	spec.Env = setAlways(process.Environment(acct, extra...), who)
	if len(open.Argv) > 0 && !who.Grant.Forced && !who.MustChange {
		spec.Path, spec.Search = spec.Args[0], true
	}
	return spec, nil
}

// AcceptedEnv are what a client may set in a command's environment unless the settings say
// otherwise, as Debian's sshd does (AcceptEnv); and GIT_PROTOCOL, which git(1) asks admins to
// accept.
var AcceptedEnv = []string{"LANG", "LC_*", "COLORTERM", "GIT_PROTOCOL", "NO_COLOR"}

// accepts says whether a client may set a name in a command's environment.
func accepts(permits *access.Permits, name string) bool {
	patterns := permits.AcceptEnv
	if patterns == nil {
		patterns = AcceptedEnv
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return wildcard.Match(name, p) })
}

// setAlways puts what the settings set into a command's environment, instead of what others did, as
// sshd does: but what tells of the connection and of the command that was asked for is the daemon's
// own.
func setAlways(env []string, who *access.Client) []string {
	for _, pair := range who.Permits.SetEnv {
		name, _, _ := strings.Cut(pair, "=")
		if slices.Contains(ownNames, name) {
			continue
		}
		env = append(slices.DeleteFunc(env, func(other string) bool {
			return strings.HasPrefix(other, name+"=")
		}), pair)
	}
	return env
}

var ownNames = []string{"SSH_CLIENT", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND"}

// connectionEnvironment is SSH_CLIENT and SSH_CONNECTION as sshd sets them (ssh(1), ENVIRONMENT).
func connectionEnvironment(who *access.Client) []string {
	to, ok := who.LocalAddr()
	if !ok {
		return nil
	}
	return []string{
		fmt.Sprintf("SSH_CLIENT=%s %d %d", who.Addr.Addr(), who.Addr.Port(), to.Port()),
		"SSH_CONNECTION=" + Connection(who),
	}
}

// Connection is SSH_CONNECTION, "" on a Unix socket.
func Connection(who *access.Client) string {
	to, ok := who.LocalAddr()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s %d %s %d", who.Addr.Addr(), who.Addr.Port(), to.Addr(), to.Port())
}

// onTerminal starts something on the terminal that the client asked for. If it gets none, refused
// is why (TE1).
func onTerminal[P any](ctx context.Context, spec process.Spec, open *protocol.Open,
	who *access.Client, start func(context.Context, process.Spec) (P, error)) (started P, refused,
	err error) {
	refused = terminal(&spec, open, who)
	started, err = start(ctx, spec)
	if errors.Is(err, process.ErrNoPTY) {
		refused, spec.PTY = err, nil
		started, err = start(ctx, spec)
	}
	return started, refused, err
}

// terminal adds the terminal that the client asked for to what is started. The error, if any, is
// why it gets none: then the command runs without one, and the client is told (TE1).
func terminal(spec *process.Spec, open *protocol.Open, who *access.Client) error {
	if open.PTY == nil {
		return nil
	}
	if err := who.Grant.Allows(authorized.PTY); err != nil {
		return err
	}
	term := string(open.PTY.Term)
	if term == "" {
		term = "dumb"
	}
	isTerm := func(pair string) bool { return strings.HasPrefix(pair, "TERM=") }
	spec.Env = setAlways(append(slices.DeleteFunc(spec.Env, isTerm), "TERM="+term), who)
	spec.PTY = &process.PTY{Size: open.PTY.Size, Modes: open.PTY.Modes}
	return nil
}
