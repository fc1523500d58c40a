// Package stage is a process between fork and exec, when a daemon starts another account's command.
//
// A thread of a Go program that forks is suspended, with its processor, until the child has changed
// its directory and executed its program (syscall.ForkExec). Both name paths that the account may
// choose, and a path can hang: a FUSE file system that never answers, a lease on the program, a
// file server that is gone. Two of them stop a daemon on two processors for everybody (RULES D1).
// So a daemon of root starts its own program as the command's process, in the root directory, which
// becomes the account, enters the directory, finds the program and executes it. What hangs there
// hangs alone. Its process id, session and parent are the command's from the beginning.
//
// A stage's descriptor 3 is a socket: the daemon writes an Order, with whose first bytes come the
// command's descriptors (SCM_RIGHTS: 0, 1, 2, and 3 to 7 if there are any). The stage answers with
// a Status before it executes, and with another one if that failed. The end of the stream after a
// Status without an errno says that the program runs. Without an order, no stage is wanted.
//
// At a login (Arrival) a text may be shown first, and a script of the account's run. Then that is
// the last that the daemon is told: the command counts as started, and what is written is read.
//
// The package is built for a quick start, since each command pays for it. It runs while the program
// initializes its packages, and those are initialized in the order of their import paths as soon as
// all that they import is. Importing next to nothing (a test has the list) puts this one before
// nearly all others, so that a stage never initializes the rest of its daemon.
package stage

// Mark is the one argument of the daemon's own program that makes it a stage. Typed by hand it does
// nothing: descriptor 3 is not a socket with an order.
const Mark = "--minissh-stage"

// mostFiles is how many descriptors a command gets at most.
const mostFiles = 8

// Order is what a stage does. Strings are bytes without NUL.
type Order struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups
	Keyring  bool     // begin a session keyring of its own: the daemon's is not the account's
	Unspare  bool     // give up the daemon's protection from the kernel's out-of-memory killer
	Terminal uint32   // 1 + the descriptor that becomes the controlling terminal; 0: none
	PWD      bool     // PWD is set to the directory where the command starts
	Search   bool     // Path is looked up in PATH of Env, if it has no slash
	Limits   []Limit  // that the program gets
	// Root is the directory that the account is confined to; "": none. A Helper, which is the
	// daemon's own program, is executed outside, as root, and confines itself (BeConfined).
	Root     string
	Helper   bool
	Cgroup   string   // the file cgroup.procs of the cgroup to enter; "": none
	Dir      string   // where to start; "" is the root directory
	DirElse  string   // where to start if Dir cannot be entered; "" is nowhere
	Path     string   // the program
	Args     []string // its argument vector
	Env      []string // its environment
	LoginUID bool     // UID becomes the audit system's login uid
	Arrival  Arrival
}

// Arrival is what an account finds at a login, before its program. Files that are not there count
// for nothing.
type Arrival struct {
	Home     string   // where the account's files are
	Greets   bool     // Greeting and Motd are shown, unless Home has .hushlogin
	Greeting string   // text for standard output
	Motd     string   // a file with more; "": none
	UserRC   bool     // .ssh/rc in Home is run
	Shell    string   // by this shell
	RC       string   // this file is run if that was not; "": none
	EnvFile  bool     // .ssh/environment in Home sets more of Env
	EnvAfter []string // but for these pairs
}

// Limit is a resource limit (getrlimit(2)): its number in Linux, and its two values.
type Limit struct {
	Resource uint32
	Cur, Max uint64
}

// OfMemory says whether a limit is about the memory that a program may map. Go maps much of it.
func (l Limit) OfMemory() bool { return l.Resource == limitData || l.Resource == limitAS }

const (
	limitData = 2
	limitAS   = 9
)

// Step is what a stage was doing when it failed.
type Step uint8

const (
	StepBecome Step = iota // taking on the account's ids, and whatever comes first
	StepChdir
	StepExec
	StepRoot   // confining
	StepArrive // the last word: what is done for the account may take long, then the program comes
)

// Status is a stage's report on how far it got.
type Status struct {
	Step   Step
	Errno  uint32 // 0: the program is executed next
	PeakKB uint32 // the stage's largest resident set
	CPU    [2]int64
}

// SizeOfStatus is a Status on the wire, in bytes: step, three zeros, errno, peak, and the
// nanoseconds of processor time in user and in system mode. Integers are little-endian.
const SizeOfStatus = 4 + 4 + 4 + 8 + 8

// Bytes is the Status on the wire.
func (s Status) Bytes() []byte {
	b := append32([]byte{byte(s.Step), 0, 0, 0}, s.Errno)
	b = append32(b, s.PeakKB)
	for _, ns := range s.CPU {
		b = append64(b, uint64(ns))
	}
	return b
}

// ParseStatus reads a Status, of which b has SizeOfStatus bytes.
func ParseStatus(b []byte) Status {
	s := Status{Step: Step(b[0]), Errno: get32(b[4:]), PeakKB: get32(b[8:])}
	for i := range s.CPU {
		s.CPU[i] = int64(uint64(get32(b[12+8*i:])) | uint64(get32(b[16+8*i:]))<<32)
	}
	return s
}

// Bytes is the Order on the wire: the length of what follows, then each field in turn. A list
// begins with its length, a string with the number of its bytes.
func (o *Order) Bytes() []byte {
	b := append32(append32(make([]byte, 4, 4096), o.UID), o.GID)
	b = append32(b, uint32(len(o.Groups)))
	for _, g := range o.Groups {
		b = append32(b, g)
	}
	for _, flag := range []bool{o.Keyring, o.Unspare, o.PWD, o.Search, o.Helper} {
		b = appendFlag(b, flag)
	}
	b = append32(append32(b, o.Terminal), uint32(len(o.Limits)))
	for _, l := range o.Limits {
		b = append32(b, l.Resource)
		b = append64(append64(b, l.Cur), l.Max)
	}
	for _, s := range []string{o.Root, o.Cgroup, o.Dir, o.DirElse, o.Path} {
		b = appendString(b, s)
	}
	a := &o.Arrival
	for _, flag := range []bool{o.LoginUID, a.Greets, a.UserRC, a.EnvFile} {
		b = appendFlag(b, flag)
	}
	for _, s := range []string{a.Home, a.Greeting, a.Motd, a.Shell, a.RC} {
		b = appendString(b, s)
	}
	for _, list := range [][]string{o.Args, o.Env, a.EnvAfter} {
		b = append32(b, uint32(len(list)))
		for _, s := range list {
			b = appendString(b, s)
		}
	}
	n := uint32(len(b) - 4)
	b[0], b[1], b[2], b[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return b
}

// ParseOrder reads what follows the length of an Order. It is false if that is not one.
func ParseOrder(b []byte) (*Order, bool) {
	r := &reader{b: b}
	o := &Order{UID: r.number(), GID: r.number()}
	for range r.count() {
		o.Groups = append(o.Groups, r.number())
	}
	for _, flag := range []*bool{&o.Keyring, &o.Unspare, &o.PWD, &o.Search, &o.Helper} {
		*flag = r.number() == 1
	}
	o.Terminal = r.number()
	for range r.count() {
		o.Limits = append(o.Limits, Limit{r.number(), r.long(), r.long()})
	}
	for _, s := range []*string{&o.Root, &o.Cgroup, &o.Dir, &o.DirElse, &o.Path} {
		*s = r.text()
	}
	a := &o.Arrival
	for _, flag := range []*bool{&o.LoginUID, &a.Greets, &a.UserRC, &a.EnvFile} {
		*flag = r.number() == 1
	}
	for _, s := range []*string{&a.Home, &a.Greeting, &a.Motd, &a.Shell, &a.RC} {
		*s = r.text()
	}
	for _, list := range []*[]string{&o.Args, &o.Env, &a.EnvAfter} {
		for range r.count() {
			*list = append(*list, r.text())
		}
	}
	return o, !r.bad && len(r.b) == 0
}

// reader takes an Order apart. Once it is bad, it returns zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint32 {
	if len(r.b) < 4 {
		r.b, r.bad = nil, true
		return 0
	}
	n := get32(r.b)
	r.b = r.b[4:]
	return n
}

func (r *reader) long() uint64 { return uint64(r.number()) | uint64(r.number())<<32 }

// count is the length of a list, each of whose elements takes at least four bytes.
func (r *reader) count() int {
	n := r.number()
	if uint64(n)*4 > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.number()
	if uint64(n) > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func append32(b []byte, n uint32) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append32(b, 1)
	}
	return append32(b, 0)
}

func append64(b []byte, n uint64) []byte { return append32(append32(b, uint32(n)), uint32(n>>32)) }

func appendString(b []byte, s string) []byte { return append(append32(b, uint32(len(s))), s...) }

func get32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
