package logins

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"
)

// layout is where the fields are that glibc has at different places. Everywhere, an entry of utmp
// and wtmp begins with
//
//	0 type (16 bits), 4 process id (32), 8 line (32 bytes), 40 id (4), 44 user (32),
//	76 host (256), 332 exit status (two of 16 bits), 336 session
//
// Then comes the time, as seconds and microseconds. Where 32-bit programs of the same machine are
// to understand the files, numbers have 32 bits (bits/wordsize.h: __WORDSIZE_TIME64_COMPAT32), and
// else as many as a long: on arm64 they have 64. After the time comes the address (16 bytes), and
// 20 bytes that nobody uses.
type layout struct {
	wide   bool // numbers of 64 bits
	size   int  // of an entry in utmp and wtmp
	time   int
	addr   int
	unused int
	last   int // the size of an entry in lastlog: its time, 32 bytes of line, 256 of host
}

var (
	narrow = layout{size: 384, time: 340, addr: 348, unused: 364, last: 292}
	wide   = layout{wide: true, size: 400, time: 344, addr: 360, unused: 376, last: 296}
)

// layouts are those of glibc, by GOARCH. Others are not known here, and nothing is recorded there.
var layouts = map[string]*layout{
	"amd64": &narrow, "386": &narrow, "arm": &narrow, "ppc64le": &narrow, "riscv64": &narrow,
	"s390x": &narrow, "arm64": &wide,
}

// The kinds of entries, utmp(5).
const (
	initProcess = 5
	userProcess = 7
	deadProcess = 8
)

const (
	lineSize = 32
	idSize   = 4
	userSize = 32
	hostSize = 256
)

// mark is in the unused bytes of our entries.
const mark = "minisshd"

// entry is one of utmp or wtmp.
type entry struct {
	*layout
	b []byte
}

func (l *layout) entry(b []byte) entry { return entry{l, b[:l.size]} }

func (e entry) kind() int    { return int(int16(binary.NativeEndian.Uint16(e.b))) }
func (e entry) pid() int     { return int(int32(binary.NativeEndian.Uint32(e.b[4:]))) }
func (e entry) line() string { return text(e.b[8:][:lineSize]) }
func (e entry) id() string   { return text(e.b[40:][:idSize]) }

// ours says whether a daemon of ours has written an entry.
func (e entry) ours() bool { return text(e.b[e.unused:][:len(mark)+1]) == mark }

// is says whether an entry is that of a login that has not ended.
func (e entry) is(l *Login) bool {
	return e.kind() == userProcess && e.pid() == l.PID && e.line() == l.Line
}

// begin is the entry of a login.
func (l *layout) begin(login *Login, at time.Time) []byte {
	e := entry{l, make([]byte, l.size)}
	binary.NativeEndian.PutUint16(e.b, userProcess)
	binary.NativeEndian.PutUint32(e.b[4:], uint32(login.PID))
	copy(e.b[8:][:lineSize], login.Line)
	copy(e.b[40:][:idSize], idOf(login.Line))
	copy(e.b[44:][:userSize], login.User)
	copy(e.b[76:][:hostSize], login.Host)
	l.putTime(e.b[l.time:], at)
	if login.Addr.IsValid() {
		copy(e.b[l.addr:][:16], login.Addr.Unmap().WithZone("").AsSlice())
	}
	copy(e.b[l.unused:], mark)
	return e.b
}

// end makes an entry that of an end: as glibc's logout(3) does, without user and host.
func (e entry) end(at time.Time) {
	binary.NativeEndian.PutUint16(e.b, deadProcess)
	clear(e.b[44:][:userSize+hostSize])
	e.putTime(e.b[e.time:], at)
}

// putTime writes seconds and microseconds.
func (l *layout) putTime(b []byte, at time.Time) {
	n := l.putSeconds(b, at)
	if micro := uint64(at.Nanosecond() / 1000); l.wide {
		binary.NativeEndian.PutUint64(b[n:], micro)
	} else {
		binary.NativeEndian.PutUint32(b[n:], uint32(micro))
	}
}

func (l *layout) putSeconds(b []byte, at time.Time) (n int) {
	if l.wide {
		binary.NativeEndian.PutUint64(b, uint64(at.Unix()))
		return 8
	}
	binary.NativeEndian.PutUint32(b, uint32(at.Unix()))
	return 4
}

// lastOf is the entry of lastlog for a login.
func (l *layout) lastOf(login *Login, at time.Time) []byte {
	b := make([]byte, l.last)
	n := l.putSeconds(b, at)
	copy(b[n:][:lineSize], login.Line)
	copy(b[n+lineSize:][:hostSize], login.Host)
	return b
}

// readLast reads an entry of lastlog. A time of 0 means that nobody was there.
func (l *layout) readLast(b []byte) (last Last, ok bool) {
	seconds, n := int64(binary.NativeEndian.Uint32(b)), 4
	if l.wide {
		seconds, n = int64(binary.NativeEndian.Uint64(b)), 8
	}
	return Last{time.Unix(seconds, 0), clean(text(b[n+lineSize:][:hostSize]))}, seconds != 0
}

// idOf is what sshd gives a line as its id: its last characters.
func idOf(line string) string { return line[max(0, len(line)-idSize):] }

// text is a field up to its first NUL.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// clean replaces what is not a plain character: others may have written it, and a terminal gets it.
func clean(host string) string {
	b := []byte(host)
	for i, c := range b {
		if c <= ' ' || c >= 0x7f {
			b[i] = '?'
		}
	}
	return string(b)
}

// Login is a session on a terminal.
type Login struct {
	Line string // the terminal, without /dev/
	User string
	UID  uint32
	Host string     // where the client is, in words; "": on this machine
	Addr netip.Addr // the same for programs; zero: none
	PID  int        // of the session's leader
}

// Last is when and from where an account was last logged in to.
type Last struct {
	Time time.Time
	Host string // printable; "": unknown, or this machine
}

// Words are what a user is shown of it, as by sshd.
func (l Last) Words() string {
	text := "Last login: " + l.Time.Format(time.ANSIC)
	if l.Host != "" {
		text += " from " + l.Host
	}
	return text + "\r\n"
}
