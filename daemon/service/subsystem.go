package service

import (
	"errors"
	"fmt"
	"os"
	"strings"
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

// InternalSFTP says whether a command is the SFTP server of this program, and what its options ask:
// -R lets it only read; those about a log mean nothing here. The error names one that does not
// exist here.
func InternalSFTP(command string) (readOnly, is bool, err error) {
	words := strings.Fields(command)
	if len(words) == 0 || words[0] != BuiltInSFTP {
		return false, false, nil
	}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-R":
			readOnly = true
		case "-e":
		case "-l", "-f":
			i++
		default:
			return false, true, fmt.Errorf("%s has no option %s here, but -R, -e, -f and -l",
				BuiltInSFTP, protocol.Quote(words[i]))
		}
	}
	return readOnly, true, nil
}

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
	really := runs
	if who.Grant.Forced {
		really = who.Grant.Command
	}
	_, built, _ := InternalSFTP(really)
	switch {
	case built:
		return serveSFTP(h, ch, who, really)
	case who.Grant.Folder != nil:
		return refusal(protocol.CodeServiceRefused, "this key is held to a folder, and what the "+
			"daemon's settings force it to run is not")
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
func serveSFTP(h *Host, ch *mux.Channel, who *access.Client, words string) *protocol.Reason {
	open, limit := ch.Request(), access.Folder{}
	readOnly, _, err := InternalSFTP(words)
	if err != nil {
		return refusal(protocol.CodeServiceRefused, err.Error())
	}
	if who.Grant.Folder != nil {
		limit = *who.Grant.Folder
	}
	switch {
	case readOnly && limit.Mode == authorized.FilesWrite:
		return refusal(protocol.CodeServiceRefused, "this key may only write, and the daemon's "+
			"settings let it only read")
	case readOnly:
		limit.Mode = authorized.FilesRead
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
