package knownhosts

import (
	"fmt"
	"strings"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// Policy is ssh_config(5)'s StrictHostKeyChecking: what happens to an unknown host.
type Policy string

// The policies. Each of them refuses a changed or a revoked key. Anything else counts as Strict.
const (
	Ask       Policy = "ask"        // ask the user
	Strict    Policy = "yes"        // refuse
	AcceptNew Policy = "accept-new" // accept and remember
	Off       Policy = "no"         // accept and remember, the same as accept-new here
)

// Decision is what to do about a host's key.
type Decision struct {
	Accept   bool
	Add      bool     // the key is to be written to the user's file: see Append
	Messages []string // lines for standard error, in ssh's words; present with a refusal too
}

// Refusal ends the connection. Its text is ssh's last line on the matter; what came before is in
// Decision.Messages.
type Refusal struct {
	Status Status
	Advice string
	Err    error // why the question could not be asked
}

func (*Refusal) Error() string { return "Host key verification failed." }

// FailureClass says what kind of failure it is, for programs.
func (*Refusal) FailureClass() string { return "host_key" }

// Hint is what the user can type; it may be empty.
func (r *Refusal) Hint() string  { return r.Advice }
func (r *Refusal) Unwrap() error { return r.Err }

// Decide says what to do after a verdict. ask puts a question to the user and returns the answer,
// one line. It is called only for an unknown host under the policy Ask, and not in batch mode; it
// may be called again after an invalid answer. Its error counts as no. Decide's own error is a
// *Refusal.
func Decide(policy Policy, v Verdict, batch bool, ask func(question string) (string, error)) (
	Decision, error) {
	switch v.Status {
	case Known:
		return Decision{Accept: true, Messages: v.picture()}, nil
	case KnownUnderPlainName:
		return Decision{Accept: true, Add: policy == Ask || policy == AcceptNew || policy == Off,
			Messages: v.picture()}, nil
	case Changed:
		advice := "only if you know why it has changed: ssh-keygen -f " + quoted(v.File) + " -R " +
			quoted(v.Name)
		if policy == Off {
			advice = "StrictHostKeyChecking=no does not accept a changed key here; " + advice
		}
		return Decision{Messages: ChangedWarning(v)}, &Refusal{Status: v.Status, Advice: advice}
	case Revoked:
		return Decision{Messages: RevokedWarning(v)}, &Refusal{Status: v.Status}
	}
	switch policy {
	case AcceptNew, Off:
		return Decision{Accept: true, Add: true}, nil
	case Ask:
		return askUser(v, batch, ask)
	}
	return Decision{
			Messages: []string{fmt.Sprintf("No %s host key is known for %s and you have "+
				"requested strict checking.", keys.TypeName(v.Key), v.Name)}},
		&Refusal{Status: Unknown, Advice: "-o StrictHostKeyChecking=ask asks you about it"}
}

// picture is what ssh shows of a known key with VisualHostKey.
func (v *Verdict) picture() []string {
	if !v.Shown.Visual {
		return nil
	}
	return append([]string{"Host key fingerprint is " + v.Shown.Fingerprint(v.Key)},
		v.Shown.Art(v.Key)...)
}

func askUser(v Verdict, batch bool, ask func(string) (string, error)) (Decision, error) {
	refusal := &Refusal{Status: Unknown}
	if batch || ask == nil {
		return Decision{}, refusal
	}
	for question := Question(v); ; question = AskAgain {
		answer, err := ask(question)
		if err != nil {
			refusal.Err = err
			return Decision{}, refusal
		}
		switch answer = strings.TrimSpace(answer); {
		case answer == keys.Fingerprint(v.Key), answer == v.Shown.Fingerprint(v.Key),
			strings.EqualFold(answer, "yes"):
			return Decision{Accept: true, Add: true}, nil
		case answer == "", strings.EqualFold(answer, "no"):
			return Decision{}, refusal
		}
	}
}

// AskAgain is ssh's second question, after an answer that is neither yes nor no nor the
// fingerprint.
const AskAgain = "Please type 'yes', 'no' or the fingerprint: "

// maxOthers is how many other names of the same key are shown (ssh's limit).
const maxOthers = 8

// Question is ssh's question about an unknown host: several lines, without a newline at its end.
func Question(v Verdict) string {
	var b strings.Builder
	addr := v.Addr
	if addr == "" {
		addr = "<no hostip for proxy command>" // ssh's words where it has no address
	}
	fmt.Fprintf(&b, "The authenticity of host '%s (%s)' can't be established.\n", v.Name, addr)
	fmt.Fprintf(&b, "%s key fingerprint is %s.\n", keys.TypeName(v.Key),
		v.Shown.Fingerprint(v.Key))
	if v.Shown.Visual {
		b.WriteString(strings.Join(v.Shown.Art(v.Key), "\n") + "\n")
	}
	if len(v.Others) == 0 {
		b.WriteString("This key is not known by any other names.\n")
	} else {
		b.WriteString("This host key is known by the following other names/addresses:\n")
		for _, place := range v.Others[:min(len(v.Others), maxOthers)] {
			names := shown(place.Names)
			if names == "" {
				names = "[hashed name]"
			}
			fmt.Fprintf(&b, "    %s:%d: %s\n", shown(place.File), place.Line, names)
		}
		if more := len(v.Others) - maxOthers; more > 0 {
			fmt.Fprintf(&b, "    (%d additional names omitted)\n", more)
		}
	}
	b.WriteString("Are you sure you want to continue connecting (yes/no/[fingerprint])? ")
	return b.String()
}

const frame = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"

// ChangedWarning is ssh's warning about a changed key, line by line.
func ChangedWarning(v Verdict) []string {
	file := shown(v.File)
	return []string{
		frame,
		"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
		frame,
		"IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
		"Someone could be eavesdropping on you right now (man-in-the-middle attack)!",
		"It is also possible that a host key has just been changed.",
		"The fingerprint for the " + keys.TypeName(v.Key) + " key sent by the remote host is",
		v.Shown.Fingerprint(v.Key) + ".",
		"Please contact your system administrator.",
		"Add correct host key in " + shown(firstOf(v.Files, v.File)) +
			" to get rid of this message.",
		fmt.Sprintf("Offending %s key in %s:%d", keys.TypeName(v.EntryKey), file, v.Line),
		"  remove with:",
		"  ssh-keygen -f " + quoted(v.File) + " -R " + quoted(v.Name),
		"Host key for " + v.Name + " has changed and you have requested strict checking.",
	}
}

// RevokedWarning is ssh's warning about a revoked key, line by line.
func RevokedWarning(v Verdict) []string {
	kind := keys.TypeName(v.Key)
	return []string{
		frame,
		"@       WARNING: REVOKED HOST KEY DETECTED!               @",
		frame,
		"The " + kind + " host key for " + v.Name + " is marked as revoked.",
		"This could mean that a stolen key is being used to",
		"impersonate this host.",
		kind + " host key for " + v.Name + " was revoked and you have requested strict checking.",
	}
}

// Added is what ssh says after it has written a key.
func Added(v Verdict) string {
	return fmt.Sprintf("Warning: Permanently added '%s' (%s) to the list of known hosts.", v.Name,
		keys.TypeName(v.Key))
}

// AddFailed is what ssh says when it could not write a key; the connection goes on.
func AddFailed(file string) string {
	return fmt.Sprintf("Failed to add the host to the list of known hosts (%s).", shown(file))
}

func firstOf(list []string, otherwise string) string {
	if len(list) > 0 {
		return list[0]
	}
	return otherwise
}

// shown is text of a file as it is where it can be shown, else quoted: a line of known_hosts may
// come from anywhere.
func shown(s string) string {
	if q := protocol.Quote(s); q[1:len(q)-1] != s {
		return q
	}
	return s
}

// quoted is an argument in a command that the user is told to type.
func quoted(s string) string {
	if shown(s) != s {
		return shown(s)
	}
	return `"` + s + `"`
}
