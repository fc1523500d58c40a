package tracer

import (
	"regexp"
	"strconv"
	"strings"
)

// Call is one call on a TCP socket that returned a number of bytes.
type Call struct {
	At            int64 // microseconds since 1970: when a send began, or a recv returned
	Recv          bool
	Local, Remote string // addresses of the socket
	Size          int    // what it returned
	Ask           int    // n of recv(n); 0 if it is not known
}

// maxPending is how many threads may be inside a call that strace shows in two parts.
const maxPending = 1000

// parser puts the two parts of a call together. The zero value is ready.
type parser struct {
	begun map[string]string // by thread
}

var (
	timed    = regexp.MustCompile(`^(\d{1,10}) +(\d{1,12}\.\d{6}) (.*)$`)
	resumed  = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	complete = regexp.MustCompile(`^(\w+)\(\d+<TCP(?:v6)?:\[([^<>]+)->([^<>]+)\]>, ` +
		`(?:""(?:\.\.\.)?, (\d{1,10}))?.*\) += (\d{1,10}) <(\d{1,7}\.\d{6})>$`)
)

// received says which calls receive; the others send.
var received = map[string]bool{"recvfrom": true, "recvmsg": true, "read": true, "readv": true,
	"sendto": false, "sendmsg": false, "write": false, "writev": false, "sendfile": false}

// line takes one line; false if it completes no such call.
func (p *parser) line(line string) (Call, bool) {
	m := timed.FindStringSubmatch(line)
	if m == nil {
		return Call{}, false
	}
	thread, at, rest := m[1], m[2], m[3]
	if begun, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
		if p.begun == nil {
			p.begun = map[string]string{}
		}
		if len(p.begun) < maxPending {
			p.begun[thread] = at + " " + begun
		}
		return Call{}, false
	}
	if r := resumed.FindStringSubmatch(rest); r != nil {
		begun, ok := p.begun[thread]
		delete(p.begun, thread)
		if !ok {
			return Call{}, false
		}
		at, rest, _ = strings.Cut(begun, " ")
		rest += r[1]
	}
	c := complete.FindStringSubmatch(rest)
	if c == nil {
		return Call{}, false
	}
	recv, ok := received[c[1]]
	if !ok {
		return Call{}, false
	}
	call := Call{At: micros(at), Recv: recv, Local: c[2], Remote: c[3]}
	call.Size, _ = strconv.Atoi(c[5]) // digits, as the expression says
	if recv {
		call.Ask, _ = strconv.Atoi(c[4])
		call.At += micros(c[6])
	}
	return call, true
}

// micros reads seconds with six decimals.
func micros(s string) int64 {
	n, _ := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64) // at most 18 digits
	return n
}
