package options

import (
	"strings"
	"time"

	"minissh/protocol"
)

// Options is one command line together with the configuration that applies to
// it: all values resolved, defaults filled in, ~ and % expanded. Nothing in it
// changes after [Parse].
type Options struct {
	// Alias is the host as it was named on the command line, without user, port
	// and brackets: what Host blocks match and messages show. For a Unix socket it
	// is "unix:PATH".
	Alias  string
	Reach  []string // the options -F, -i and -J with their values, as they were given
	HostAt int      // where among the arguments the host was
	// HostName is the name or address to dial, lower-cased; empty with Socket.
	HostName string
	// Port is the TCP port, 1 to 65535.
	Port int
	// Socket is the path of the Unix socket to dial; empty for TCP.
	Socket string
	// User is the account on the other side; the local user's name if none was given.
	User string
	// UserGiven says that the user was named, and is not only the local name.
	UserGiven bool
	// Tag (-P) is what Match tagged asks for; empty: none.
	Tag string
	// AddressFamily is "any", "inet" or "inet6" (-4, -6).
	AddressFamily string

	// Command holds the words after the host, as given. See CommandLine.
	Command []string
	// Exec (--exec) runs Command as an argument vector, without a shell.
	Exec bool
	// Timeout (--timeout) is the most that the command may take; 0: no limit.
	Timeout time.Duration
	// Detach (--detach) starts a job, which goes on without its client, of the name JobName
	// (--name); SpoolWait (--spool-wait) has it wait when its output has no room left.
	Detach    bool
	JobName   string
	SpoolWait bool
	// Spool is how many bytes of its output are kept (--spool); 0: as many as the daemon likes
	Spool int64
	// Outcome (--outcome) is the file that tells what became of the command; empty: none.
	Outcome string
	// SessionType says what is opened: a command or shell, nothing (-N), or a subsystem (-s), whose
	// name is then the command.
	SessionType SessionType
	// StdinNull (-n) keeps standard input from being read.
	StdinNull bool
	// ForkAfterAuthentication (-f) asks to go to the background once logged in.
	ForkAfterAuthentication bool
	// RequestTTY is the wish for a pty (-t, -tt, -T).
	RequestTTY TTY
	// RemoteCommand is run when Command is empty; "" or the whole line.
	RemoteCommand string
	// EscapeChar (-e) starts an escape on a pty; -1: nothing does. The default is '~'.
	EscapeChar int
	// StdioForward (-W) is what standard input and output go to; nil: nothing.
	StdioForward *protocol.Target
	// LocalForwards (-L) are to be listened on here.
	LocalForwards []*Forward
	// DynamicForwards (-D) are to be listened on here for SOCKS.
	DynamicForwards []*Forward
	// RemoteForwards (-R) are to be listened on there.
	RemoteForwards []*Forward
	// PermitRemoteOpen are the targets, host:port, to which SOCKS clients there may be connected
	// (ssh_config(5)); nil: all.
	PermitRemoteOpen []string
	// GatewayPorts (-g) lets other machines connect to forwards that name no address.
	GatewayPorts bool
	// ExitOnForwardFailure ends the client if a forward cannot be set up.
	ExitOnForwardFailure bool
	// StreamLocalBindMask is the umask of Unix sockets that are listened on; StreamLocalBindUnlink
	// takes the place of one that is there.
	StreamLocalBindMask   uint32
	StreamLocalBindUnlink bool
	// LocalCommand is a line of the user's shell to be run here after the login; empty: none.
	LocalCommand string
	// SendEnv holds patterns of names whose variables are sent, in order; a leading '-' removes
	// names again (ssh_config(5)).
	SendEnv []string
	// SetEnv holds NAME=value pairs to send.
	SetEnv []string

	// NoPubkey (PubkeyAuthentication no, or PreferredAuthentications without publickey) forbids the
	// only way in which minissh logs in, unless the kernel says who we are (Socket).
	NoPubkey bool
	// IdentityFiles are the private keys named by -i and IdentityFile, in the
	// order to try them.
	IdentityFiles []string
	// DefaultIdentityFiles are tried last; empty when any IdentityFile was named
	// ("none" included).
	DefaultIdentityFiles []string
	// CertificateFiles are certificates for keys in files or in the agent, in the order to try
	// them.
	CertificateFiles []string
	// IdentitiesOnly offers the agent's keys only if a file names them.
	IdentitiesOnly bool
	// IdentityAgent is the agent's socket; empty: none.
	IdentityAgent string
	// LentAgent is the socket of the agent that programs there may use (-A); empty: none.
	LentAgent    string
	forwardAgent string // as written
	// UserKnownHostsFiles are read in order; a new key is written to the first.
	// Empty with UserKnownHostsFile=none.
	UserKnownHostsFiles []string
	// GlobalKnownHostsFiles are read and never written.
	GlobalKnownHostsFiles []string
	// StrictHostKeyChecking says what happens with an unknown host.
	StrictHostKeyChecking Strictness
	// CheckHostIP looks for the host's address in known_hosts as well.
	CheckHostIP bool
	// RevokedHostKeys is a file of host keys that are refused: a list of keys, or a KRL made by
	// ssh-keygen. If it cannot be read, every host is refused. Empty: none.
	RevokedHostKeys string
	// HostKeyAlgorithms and PubkeyAlgorithms are lists in ssh's form: see AcceptsHostKey
	// and OffersKey. RequiredRSASize is the fewest bits of an RSA key on either side.
	HostKeyAlgorithms string
	PubkeyAlgorithms  string
	RequiredRSASize   int
	// KnownHostsCommand is a program and its arguments, which names more host keys
	// (KnownHostsArguments); empty: none.
	KnownHostsCommand []string
	// NoHostAuthenticationForLocalhost accepts any key of a daemon at a loopback address, unless
	// there is a HostKeyAlias.
	NoHostAuthenticationForLocalhost bool
	// FingerprintHash is the digest that host keys are shown by; VisualHostKey draws them too.
	FingerprintHash string
	VisualHostKey   bool
	// HashKnownHosts hides names in new known_hosts lines.
	HashKnownHosts bool
	// HostKeyAlias replaces the host's name in known_hosts; empty: nothing does.
	HostKeyAlias string
	// BatchMode asks nobody anything.
	BatchMode bool

	// ConnectTimeout bounds connecting up to the end of the handshake, once over all
	// addresses, for each of ConnectionAttempts; 0 is the system's own limit.
	ConnectTimeout time.Duration
	// ResumeFor is how long to try for a new link when one is lost, at most; 0: the session ends
	// with its link; ResumeDefault: as long as what runs deserves.
	ResumeFor time.Duration
	// ConnectionAttempts is how often connecting is tried, a second apart; at least 1.
	ConnectionAttempts int
	// BindAddress (-b) is the local address or name to connect from, BindInterface (-B) the
	// interface that has this address; empty is any.
	BindAddress   string
	BindInterface string
	// ServerAliveInterval and ServerAliveCountMax are ssh's liveness settings: their product is how
	// long a silent link is believed in, and how long a new one is tried for.
	ServerAliveInterval time.Duration
	ServerAliveCountMax int

	// ProxyCommand is the line of the user's shell whose standard input and output are the
	// connection, and Jumps the hosts to go through instead, in order (JumpCommand); none: it is
	// made from here.
	ProxyCommand string
	Jumps        []Jump

	// LogLevel is how much is said on standard error (-q, -v, -vv, -vvv).
	LogLevel LogLevel
	// LogFile (-E) is where messages go instead of standard error.
	LogFile string
	// Syslog (-y) sends messages to the system's log instead, as SyslogFacility says.
	Syslog         bool
	SyslogFacility string

	// KeyLog (--keylog) is the file that TLS secrets are appended to, for Wireshark; empty: none.
	KeyLog string

	// ControlPath (-S) is a socket that a process owns as long as it is connected (ControlMaster);
	// empty: none. Control (-O) is what is asked of that process; empty: nothing.
	ControlPath string
	Control     string

	// PrintConfig (-G) asks for WriteEffective and nothing else.
	PrintConfig bool
	// Answer (-Q) is a list to be printed, one a line; nil: none was asked for. It ends the parsing
	// as the next two do.
	Answer []string
	// Version (-V, --version) and Help (--help) end the parsing at once: everything else may be
	// empty.
	Version bool
	Help    bool

	// Warnings are shown to the user in any case, Notes from -v on.
	Warnings []string
	Notes    []string
	// Skipped lists what ~/.ssh/config says about sshd and does not count here, for whoever wonders
	// why a host cannot be reached.
	Skipped []string

	// What is judged when all has been read, as it was given; "" if it was not.
	methods, refusal string
	canonical        canonical
	controlMaster    string
	clearForwardings bool
	// programs as they were given, for -G, and whether LocalCommand may be run
	localAsGiven, knownHostsAsGiven string
	permitLocalCommand              bool
	AddKeys                         AddKeys // what becomes of keys that were read from files
	NoCommandLine                   bool    // ~C does nothing (EnableEscapeCommandline=no)
	// expands a word of KnownHostsCommand
	expand         func(word string, more map[byte]string) (string, error)
	proxyUseFdpass bool

	// what a hop's client is given too: -F, and -v or -q
	configFile, loudness string
	// ProxyCommand with its tokens, for -G
	proxyAsGiven string

	unsupported []*UnsupportedError
	unfit       []unfit // for a job, and given on the command line
}

// LikeSSH is the ssh whose options these are, as Match version and -V name it.
const LikeSSH = "OpenSSH_9.2p1"

// CommandLine is the line for the remote shell: the words joined with single spaces, nothing quoted
// (SSH_CONTRACT rule 4), else RemoteCommand. It is empty when a shell is asked for.
func (o *Options) CommandLine() string {
	if len(o.Command) == 0 {
		return o.RemoteCommand
	}
	return strings.Join(o.Command, " ")
}

// Refuse reports the first option on the command line (or in minissh's own files) that asks for
// what this version does not have, as an [*UnsupportedError]; nil if there is none.
func (o *Options) Refuse() error {
	if len(o.unsupported) == 0 {
		return nil
	}
	return o.unsupported[0]
}

// SessionType is ssh_config(5)'s SessionType.
type SessionType string

// The session types.
const (
	SessionDefault   SessionType = "default"
	SessionNone      SessionType = "none"
	SessionSubsystem SessionType = "subsystem"
)

// TTY is ssh_config(5)'s RequestTTY.
type TTY string

// The wishes for a pty. auto: a pty for a login shell when standard input is a terminal; yes: one
// for commands too; force: one in any case; no: never.
const (
	TTYAuto  TTY = "auto"
	TTYNo    TTY = "no"
	TTYYes   TTY = "yes"
	TTYForce TTY = "force"
)

// ResumeDefault is a ResumeFor that was not given.
const ResumeDefault time.Duration = -1

// Strictness is ssh_config(5)'s StrictHostKeyChecking. A changed key is always refused.
type Strictness string

// The answers to an unknown host: ask the user, refuse, accept and remember
// (accept-new), accept and remember without strictness (no).
const (
	StrictAsk       Strictness = "ask"
	StrictYes       Strictness = "yes"
	StrictAcceptNew Strictness = "accept-new"
	StrictNo        Strictness = "no"
)

// LogLevel is ssh_config(5)'s LogLevel; higher tells more.
type LogLevel int

// The levels. Warnings are shown from LevelInfo on, notes from LevelDebug1 on.
const (
	LevelQuiet LogLevel = iota
	LevelFatal
	LevelError
	LevelInfo
	LevelVerbose
	LevelDebug1
	LevelDebug2
	LevelDebug3
)

var levelNames = [...]string{"QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG2",
	"DEBUG3"}

// String is the level's name in ssh_config(5).
func (l LogLevel) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return "INFO"
	}
	return levelNames[l]
}
