package record

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"minissh/cmd/minissh-lab/playshell"
)

// Limits of a Setting.
const (
	MaxMessages = 12
	MaxMessage  = 4096 // bytes
	MaxRecv     = 65536
	MaxGap      = 200  // milliseconds
	MaxDelay    = 1000 // milliseconds
	MaxLatency  = 300  // milliseconds
	MinBuffers  = 2048 // bytes; below, systems take more than they are told
	MaxBuffers  = 65536
	MaxRecvs    = 200 // that a run may need
	MaxWait     = 4 * time.Second
)

// Framings are the ways to mark where a message ends. put is the course's: a command, and then a
// file with its header; mended, the command has a length, too.
var Framings = []string{"none", "fixed", "delimiter", "ack", "simple", "ultimate", "minissh", "put"}

// NaivePut is put as the course sends it, with no boundary after the command.
const NaivePut = "put_naive"

// PutCommand is the first message of put.
const PutCommand = "put a.txt"

// Texts are what messages are made of: one letter each; letters with line ends
// between them; Chinese characters of three bytes; what commands print: big, then pwd.
var Texts = []string{"letters", "lines", "chinese", "output"}

// Setting is what is run. Times are in milliseconds.
type Setting struct {
	Messages []int `json:"messages"` // bytes of each
	Recv     int   `json:"recv"`     // n of recv(n)
	Gap      int   `json:"gap"`      // between two sends: simulated
	Delay    int   `json:"delay"`    // before the first recv, and before each ack: simulated
	Latency  int   `json:"latency"`  // one way between the two ends: simulated
	Buffers  int   `json:"buffers"`  // SO_SNDBUF of the sender, SO_RCVBUF of its peer; 0: as it is
	NoDelay  bool  `json:"nodelay"`  // TCP_NODELAY of the sender
	// of the mended program; none: the same program with the other TCP_NODELAY
	Framing string `json:"framing"`
	Text    string `json:"text"`
}

// Check says what in a Setting is beyond the limits.
func (s Setting) Check() error {
	for _, n := range s.Messages {
		if n < 0 || n > MaxMessage {
			return fmt.Errorf("a message has 0 to %d bytes", MaxMessage)
		}
		if n == 0 && s.Framing == "minissh" {
			return fmt.Errorf("a STDIN frame has at least 1 byte")
		}
	}
	switch {
	case len(s.Messages) < 1 || len(s.Messages) > MaxMessages:
		return fmt.Errorf("1 to %d messages", MaxMessages)
	case s.Recv < 1 || s.Recv > MaxRecv:
		return fmt.Errorf("recv(1) to recv(%d)", MaxRecv)
	case s.Gap < 0 || s.Gap > MaxGap:
		return fmt.Errorf("a gap of 0 to %d ms", MaxGap)
	case s.Delay < 0 || s.Delay > MaxDelay:
		return fmt.Errorf("a delay of 0 to %d ms", MaxDelay)
	case s.Latency < 0 || s.Latency > MaxLatency:
		return fmt.Errorf("a latency of 0 to %d ms", MaxLatency)
	case s.Buffers != 0 && (s.Buffers < MinBuffers || s.Buffers > MaxBuffers):
		return fmt.Errorf("buffers of %d to %d bytes, or 0", MinBuffers, MaxBuffers)
	case s.Buffers != 0 && s.Latency != 0:
		return fmt.Errorf("small buffers or a latency: what simulates the latency takes all bytes")
	case !slices.Contains(Framings, s.Framing):
		return fmt.Errorf("framing is one of %s", strings.Join(Framings, " "))
	case !slices.Contains(Texts, s.Text):
		return fmt.Errorf("text is one of %s", strings.Join(Texts, " "))
	}
	if s.Framing == "put" && (len(s.Messages) != 2 || s.Messages[0] != len(PutCommand)) {
		return fmt.Errorf("put wants two messages: %q, which has %d bytes, and the file",
			PutCommand, len(PutCommand))
	}
	if s.recvs(s.Framing) > MaxRecvs || s.recvs("none") > MaxRecvs {
		return fmt.Errorf("recv(%d) would be called more than %d times", s.Recv, MaxRecvs)
	}
	if wait := s.waits(); wait > MaxWait {
		return fmt.Errorf("it would wait for %v, more than %v", wait, MaxWait)
	}
	return nil
}

// recvs is about how often recv is called at least.
func (s Setting) recvs(framing string) int {
	n := 0
	for _, m := range encode(framing, s.Contents()) {
		for _, part := range m.sends {
			n += len(part)/s.Recv + 1
		}
	}
	return n
}

// waits is how long the simulated waits of a run may take.
func (s Setting) waits() time.Duration {
	ms := s.Delay + s.Gap*(3*len(s.Messages)) + 2*s.Latency // of the last bytes, of the FIN
	if s.Framing == "ack" {
		ms += (s.Delay + 2*s.Latency) * len(s.Messages)
	}
	return time.Duration(ms) * time.Millisecond
}

// Contents are the messages' bytes. Messages of five bytes begin with the course's
// hello and world.
func (s Setting) Contents() [][]byte {
	var all [][]byte
	for i, n := range s.Messages {
		switch letter := string(rune('a' + i)); {
		case s.Framing == "put" && i == 0:
			all = append(all, []byte(PutCommand))
		case s.Framing == "put" && s.Text == "letters":
			all = append(all, repeat("hello world", n))
		case s.Text == "output" && i == 0:
			all = append(all, []byte(playshell.Big(n)))
		case s.Text == "output":
			out, _ := playshell.Run("pwd")
			all = append(all, repeat(string(out), n))
		case s.Text == "chinese":
			all = append(all, repeat(string([]rune("包没有粘是流没有边界")[i%10]), n))
		case s.Text == "lines":
			all = append(all, repeat(letter+"\n"+letter, n))
		case n == 5 && i == 0:
			all = append(all, []byte("hello"))
		case n == 5 && i == 1:
			all = append(all, []byte("world"))
		default:
			all = append(all, repeat(letter, n))
		}
	}
	return all
}

// repeat fills n bytes with word; what is left over by whole characters is filled
// with full stops, so that every message is valid UTF-8.
func repeat(word string, n int) []byte {
	b := strings.Repeat(word, n/len(word)+1)[:n]
	for !utf8.ValidString(b) {
		b = b[:len(b)-1]
	}
	return []byte(b + strings.Repeat(".", n-len(b)))
}
