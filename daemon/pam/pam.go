package pam

import (
	"net"
	"strings"

	"minissh/daemon/process/stage"
)

// Name is the service that PAM is asked for: its rules are in /etc/pam.d/minisshd.
const Name = "minisshd"

// Login is who wants to log in, and from where.
type Login struct {
	User       string
	Groups     []uint32 // supplementary ones, as the system has them; modules may add some
	Remote     string   // the client's address; "": a Unix socket
	Connection string   // SSH_CONNECTION; "": a Unix socket
	Client     net.Conn `json:"-"` // nobody asks any more when it ends
	// Again asks only whether the account may still log in. No session is opened.
	Again bool `json:",omitempty"`
}

// answer is what a PAM process says of a Login.
type answer struct {
	// Failed is what PAM was asked when it refused, "" if it has not; Why is PAM's word for it.
	Failed string `json:",omitempty"`
	Why    string `json:",omitempty"`
	// Broken says that PAM itself does not work.
	Broken bool `json:",omitempty"`
	// Passes says that the refusal is about a time, and not about the account.
	Passes bool `json:",omitempty"`
	// MustChange says that the account's password has expired.
	MustChange  bool          `json:",omitempty"`
	Messages    []string      `json:",omitempty"` // from modules, for the user
	Environment [][]byte      `json:",omitempty"`
	Limits      []stage.Limit `json:",omitempty"`
	Groups      []uint32      `json:",omitempty"`
	Placed      bool          `json:",omitempty"`
}

// Refused is PAM's no.
type Refused struct {
	Step     string   // that failed: "the account", …
	Why      string   // PAM's word for it
	Messages []string // from modules, for the user
	Passes   bool     // it is about a time, and not about the account
}

func (r *Refused) Error() string {
	text := "PAM refuses " + r.Step + ": " + r.Why
	if len(r.Messages) > 0 {
		text += " (" + strings.Join(r.Messages, " ") + ")"
	}
	return text
}
