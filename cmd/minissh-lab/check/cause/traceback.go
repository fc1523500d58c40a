package cause

import (
	"regexp"
	"strconv"
	"strings"
)

// Trace is the last error that a Python program reported, with the innermost line that is the
// student's own.
type Trace struct {
	Type, Message string // "struct.error", "unpack requires a buffer of 4 bytes"
	File          string // as Python wrote it; "": no line of the student's is in it
	Line          int
	Source        string // that line
	thread        bool   // a thread's, or a handler's: the program went on
}

var frameLine = regexp.MustCompile(`^\s*File "([^"]+)", line (\d+)`)

// Traceback reads the last traceback in a program's error output; nil if there is none. mine says
// whether a file is the student's.
func Traceback(stderr string, mine func(file string) bool) *Trace {
	lines := strings.Split(strings.ReplaceAll(stderr, "\r\n", "\n"), "\n")
	var last *Trace
	for i := 0; i < len(lines); i++ {
		m := frameLine.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		t := &Trace{}
		if before := strings.Join(lines[max(0, i-2):i], "\n"); strings.Contains(before,
			"Exception in thread") || strings.Contains(before, "Exception occurred during") ||
			strings.Contains(before, "exception was never retrieved") {
			t.thread = true
		}
		for ; i < len(lines); i++ {
			line := lines[i]
			if m := frameLine.FindStringSubmatch(line); m != nil {
				if mine(m[1]) {
					t.File = m[1]
					t.Line, _ = strconv.Atoi(m[2])
					t.Source = ""
					if i+1 < len(lines) && frameLine.FindString(lines[i+1]) == "" {
						t.Source = strings.TrimSpace(lines[i+1])
					}
				}
				continue
			}
			if line != "" && line[0] != ' ' && line[0] != '\t' {
				t.Type, t.Message, _ = strings.Cut(line, ": ")
				break
			}
		}
		if t.Type != "" {
			last = t
		}
	}
	return last
}

// Meant says whether the program ended by itself, with an error that somebody wrote down: that is
// refusing, not crashing.
func (t *Trace) Meant() bool {
	switch {
	case strings.HasPrefix(t.Source, "raise"), strings.HasPrefix(t.Source, "assert"):
		return true
	case t.Type == "KeyboardInterrupt":
		return true
	}
	return false
}

// EndNoticed says whether the error is that of a connection that has ended, which a client may well
// die of when it has.
func (t *Trace) EndNoticed() bool {
	name := t.Type[strings.LastIndexByte(t.Type, '.')+1:]
	switch name {
	case "EOFError", "IncompleteReadError", "ConnectionError", "ConnectionResetError",
		"ConnectionAbortedError", "BrokenPipeError":
		return true
	}
	return false
}

// InThread says whether the program went on.
func (t *Trace) InThread() bool { return t.thread }

// Belief is the bug that the error gives away, nil when it does not.
func (t *Trace) Belief() *Belief {
	name := t.Type[strings.LastIndexByte(t.Type, '.')+1:]
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(t.Message, w) {
				return true
			}
		}
		return false
	}
	switch name {
	case "SyntaxError", "IndentationError", "TabError":
		return SyntaxWrong
	case "ModuleNotFoundError", "ImportError":
		return ImportFails
	case "UnicodeDecodeError":
		if has("unexpected end of data", "truncated", "incomplete multibyte") {
			return CutCharacter
		}
	case "MemoryError", "OverflowError":
		return TrustedLength
	case "ValueError":
		if has("negative buffersize", "negative count", "read length must be") {
			return TrustedLength
		}
	case "TimeoutError", "timeout": // socket.timeout, before Python 3.10
		if !has("Connection timed out") {
			return TimeoutKills
		}
	case "FileNotFoundError", "IsADirectoryError":
		return MissingFile
	case "ConnectionResetError", "BrokenPipeError", "ConnectionAbortedError":
		return ResetKills
	case "OSError":
		if has("Address already in use", "Only one usage of each socket address") {
			return AddressInUse
		}
		switch {
		case has("Cannot assign requested address", "address is not valid in its context"):
			return WrongAddress
		case has("already connected"):
			return ConnectInLoop
		case has("Bad file descriptor", "not a socket") && strings.Contains(t.Source, "accept"):
			return ClosesListener
		}
	case "error":
		if strings.HasPrefix(t.Type, "struct") &&
			has("requires a buffer", "requires a bytes object") {
			return ShortRecv
		}
		if strings.HasPrefix(t.Type, "zlib") {
			return Crashed
		}
	case "TypeError":
		if has("a bytes-like object is required, not 'str'") {
			return StringForBytes
		}
		return Crashed
	case "JSONDecodeError", "NameError", "AttributeError", "UnboundLocalError", "ZeroDivisionError",
		"IndexError", "KeyError":
		return Crashed
	}
	return nil
}
