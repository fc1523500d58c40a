package service

import (
	"errors"
	"fmt"
	"os"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/daemon/sftp"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// BuiltInSFTP is, in place of a subsystem's command, the SFTP server of this program, as in
// sshd_config(5).
const BuiltInSFTP = "internal-sftp"

// DefaultSubsystems are what a daemon offers unless it is told otherwise: each by its name, with
// its command.
func DefaultSubsystems() map[string]string { return map[string]string{"sftp": BuiltInSFTP} }

// subsystem runs programs that the daemon knows by a name (protocol/SUBSYSTEM.md).
type subsystem struct{ agents *listeners }

func (subsystem) Key() authorized.Service { return authorized.Subsystem }

func (s subsystem) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckSubsystem()); ok {
		return refusal(broken.Code, broken.Message)
	}
	runs := who.Permits.Subsystems[open.Name]
	if runs != "" && who.Grant.Folder != nil { // a command cannot be held in the folder
		runs = DefaultSubsystems()[open.Name]
	}
	if runs == "" {
		return refusal(protocol.CodeServiceRefused,
			"there is no subsystem "+protocol.Quote(open.Name)+" for this key here")
	}
	if runs == BuiltInSFTP && (!who.Grant.Forced || who.Grant.Command == BuiltInSFTP) {
		return serveSFTP(h, ch, who)
	}
	return run(h, ch, who, &protocol.Open{Command: protocol.Bytes(runs), PTY: open.PTY,
		Env: open.Env, Timeout: open.Timeout}, s.agents, nil)
}

// sftpHelper is this program as the SFTP server of an account. Its arguments are the home, the
// folder that the key is limited to ("": none), and what may be done there (access.Folder's Mode).
const sftpHelper = "sftp"

func init() { process.Helper(sftpHelper, beSFTPHelper) }

func beSFTPHelper(args []string) int {
	if len(args) != 3 {
		return 2
	}
	err := sftp.Serve(os.Stdin, os.Stdout, sftp.Options{Home: args[0], Folder: args[1],
		NoReads: args[2] == authorized.FilesWrite, NoWrites: args[2] == authorized.FilesRead})
	if err != nil {
		fmt.Fprintln(os.Stderr, "sftp:", err)
		return 1
	}
	return 0
}

// serveSFTP runs the server as exec runs a command: it is one, and has the same owner.
func serveSFTP(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	open, limit := ch.Request(), access.Folder{}
	if who.Grant.Folder != nil {
		limit = *who.Grant.Folder
	}
	turn, err := process.Turn(wanted(ch), who.Account)
	if err != nil {
		return cancelled
	}
	defer turn()
	p, err := process.StartSelf(who.Account, sftpHelper, who.Account.Home, limit.Path, limit.Mode)
	if err != nil {
		return refusal(protocol.CodeStartFailed, err.Error())
	}
	c := newCommand(h, ch, p, who)
	c.answers = turn
	c.timeout = time.Duration(open.Timeout) * time.Millisecond
	if open.PTY != nil {
		c.noPTY = errNoScreen
	}
	h.noted(who, "Starting subsystem", "pid", p.PID, "channel", ch.ID(), "name", open.Name)
	c.run()
	return nil
}

var errNoScreen = errors.New("the built-in SFTP server does not run on a terminal")
