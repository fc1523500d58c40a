package conform

import (
	"fmt"
	"strings"

	"minissh/protocol"
)

// The numbers of the pages, written out here: a kit that asked the code under test for them
// would find every change right.
const (
	startWindow = 262_144   // CH5
	maxPayload  = 65_536    // FR2
	maxOpens    = 1_048_576 // CH2
	maxMessage  = 1_024     // CO3
)

// broken says which rule a frame breaks.
type broken struct {
	rule      string
	want, got Text
}

// order is what is known of a link: every frame of the daemon's is held against it.
type order struct {
	welcomed bool
	resend   int64
	received uint64 // session frames of theirs
	sent     uint64 // session frames of ours
	acked    uint64
	over     bool // ERROR or GOODBYE has come
	channels map[uint32]*channelOrder
	said     []saying // the session frames of both
}

// saying is a session frame, and whose it is.
type saying struct {
	from  string // lab or daemon
	frame protocol.Frame
}

// channelOrder is one channel that we opened (CH4).
type channelOrder struct {
	opened, exited, closed bool
	ended                  map[byte]bool // outputs whose EOF has come
	limit, used            uint64        // credit that we granted, and what they sent
	granted                uint64        // credit that they granted
	left                   bool          // we have sent CLOSE
}

func newOrder() *order { return &order{channels: map[uint32]*channelOrder{}} }

// ours takes note of a frame that we send.
func (o *order) ours(f protocol.Frame) {
	if !f.Type.IsLink() {
		o.sent++
		o.keep("lab", f)
	}
	switch c := o.channels[f.Channel]; {
	case f.Type == protocol.TypeOpen && c == nil:
		o.channels[f.Channel] = &channelOrder{ended: map[byte]bool{},
			limit: startWindow, granted: startWindow}
	case c == nil:
	case f.Type == protocol.TypeWindow:
		c.limit = f.Number()
	case f.Type == protocol.TypeClose:
		c.left = true
	}
}

// keep remembers a session frame, for a later link. Of a long conversation the rest is not needed.
func (o *order) keep(from string, f protocol.Frame) {
	if len(o.said) < 1000 {
		o.said = append(o.said, saying{from, f})
	}
}

// theirs finds what a daemon's frame breaks; nil if it breaks nothing.
func (o *order) theirs(f protocol.Frame) *broken {
	bad := func(rule string, want Text) *broken { return &broken{rule, want, same(shown(f))} }
	if o.over {
		return bad("SE5", tx("ERROR、GOODBYE 之后什么也没有", "nothing after ERROR or GOODBYE"))
	}
	if b := payloadOf(f); b != nil {
		return b
	}
	if f.Type.IsLink() {
		return o.link(f, bad)
	}
	o.received++
	o.keep("daemon", f)
	if !o.welcomed {
		return bad("SE2", tx("WELCOME 是第一帧", "WELCOME as the first frame"))
	}
	c := o.channels[f.Channel]
	if f.Type == protocol.TypeOpen {
		return bad("CH2", tx("守护进程不开通道：HELLO 的 channels 是 0",
			"no OPEN from the daemon: HELLO allows it 0 channels"))
	}
	if c == nil {
		return bad("CH8", tx("只用客户端开了的通道", "frames only for channels that were opened"))
	}
	return c.theirs(f, bad)
}

func (o *order) link(f protocol.Frame, bad func(string, Text) *broken) *broken {
	switch f.Type {
	case protocol.TypeWelcome:
		if o.welcomed {
			return bad("FR6", tx("WELCOME 只有一次", "one WELCOME on a link"))
		}
		o.welcomed = true
	case protocol.TypeError, protocol.TypeGoodbye:
		o.over = true
		if f.Type == protocol.TypeGoodbye && !o.welcomed {
			return bad("SE2",
				tx("回答 HELLO 的是 WELCOME 或 ERROR", "WELCOME or ERROR to answer HELLO"))
		}
	case protocol.TypePing:
		if f.Flags != 0 {
			return bad("RE6", tx("SUSPENDED 只有客户端能说", "SUSPENDED from a client only"))
		}
	case protocol.TypeAck:
		if n := f.Number(); o.resend == 0 || n < o.acked || n > o.sent {
			return bad("RE1", tx(
				fmt.Sprintf("ACK 在 %d 到 %d 之间，而且对端要留底", o.acked, o.sent),
				fmt.Sprintf("an ACK of %d to %d, to an end that keeps frames", o.acked, o.sent)))
		}
		o.acked = f.Number()
	case protocol.TypeHello, protocol.TypePair:
		return bad("FR6", tx("HELLO、PAIR 只有客户端能说", "HELLO and PAIR from a client only"))
	}
	if !o.welcomed && f.Type != protocol.TypeError {
		return bad("SE2", tx("WELCOME 或 ERROR 是第一帧", "WELCOME or ERROR as the first frame"))
	}
	return nil
}

func (c *channelOrder) theirs(f protocol.Frame, bad func(string, Text) *broken) *broken {
	inOrder := tx("CH4 的顺序：OPENED、数据、两个 EOF、EXIT、CLOSE",
		"the order of CH4: OPENED, data, both EOFs, EXIT, CLOSE")
	if c.closed {
		return bad("CH4", tx("CLOSE 之后什么也没有", "nothing after CLOSE"))
	}
	switch f.Type {
	case protocol.TypeOpened:
		if c.opened {
			return bad("CH4", inOrder)
		}
		c.opened = true
	case protocol.TypeStdout, protocol.TypeStderr:
		if !c.opened || c.ended[byte(f.Type)] || c.exited {
			return bad("CH4", inOrder)
		}
		if c.used += uint64(f.Length); c.used > c.limit {
			return bad("CH5", tx(fmt.Sprintf("最多 %d 字节的输出", c.limit),
				fmt.Sprintf("at most %d bytes of output, ever", c.limit)))
		}
	case protocol.TypeEOF:
		which := f.Payload[0]
		output := which == byte(protocol.TypeStdout) || which == byte(protocol.TypeStderr)
		if !c.opened || !output || c.ended[which] || c.exited {
			return bad("CH4", inOrder)
		}
		c.ended[which] = true
	case protocol.TypeExit:
		if !c.opened || len(c.ended) != 2 || c.exited {
			return bad("CH4", inOrder)
		}
		c.exited = true
		var exit protocol.Exit
		if f.Decode(&exit) == nil && exit.Check() != nil {
			return bad("EX6", tx("EXIT 说清楚结果", "an EXIT with an outcome"))
		}
	case protocol.TypeClose:
		c.closed = true
		var reason protocol.Reason
		if f.Decode(&reason) == nil && !c.exited && reason.Code == "" {
			return bad("CH4", tx("没有 EXIT 的 CLOSE 要带 code", "a code in a CLOSE without EXIT"))
		}
	case protocol.TypeNotice:
		if !c.opened || c.exited {
			return bad("CH4", inOrder)
		}
	case protocol.TypeWindow:
		if f.Number() <= c.granted {
			return bad("CH5", tx(fmt.Sprintf("WINDOW 比 %d 大：它是总数，只会变大", c.granted),
				fmt.Sprintf("a WINDOW above %d: it is a total, and only grows", c.granted)))
		}
		c.granted = f.Number()
	default:
		return bad("FR6", tx("只有客户端能发这种帧", "frames of this type from a client only"))
	}
	return nil
}

// payloadOf finds what is wrong in a frame's JSON, whatever its time is.
func payloadOf(f protocol.Frame) *broken {
	var into any
	switch f.Type {
	case protocol.TypeOpen:
		into = &protocol.Open{}
	case protocol.TypeOpened:
		into = &protocol.Opened{}
	case protocol.TypeNotice:
		into = &protocol.Notice{}
	case protocol.TypeExit:
		into = &protocol.Exit{}
	case protocol.TypeSignal:
		into = &protocol.Signal{}
	case protocol.TypeClose, protocol.TypeError, protocol.TypeGoodbye:
		into = &protocol.Reason{}
	default:
		return nil
	}
	if err := f.Decode(into); err != nil {
		return &broken{"JS2", tx("严格的 JSON", "strict JSON"), same(shown(f) + ": " + err.Error())}
	}
	var said string
	switch m := into.(type) {
	case *protocol.Notice:
		said = m.Message
	case *protocol.Reason:
		said = m.Message
		if code := string(m.Code); code != "" &&
			(len(code) > 64 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "") {
			return &broken{"CO2", tx("code 是 1 到 64 个小写字母、数字、下划线",
				"a code of 1 to 64 small letters, digits and underscores"), same(shown(f))}
		}
	}
	if len(said) > maxMessage {
		return &broken{"CO3", tx("message 最多 1024 字节", "a message of at most 1,024 bytes"),
			same(fmt.Sprintf("%d bytes", len(said)))}
	}
	return nil
}
