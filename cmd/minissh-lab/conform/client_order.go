package conform

import (
	"fmt"
	"slices"

	"minissh/protocol"
)

// clientOrder is what is known of a client's session: every frame of its is held against it.
type clientOrder struct {
	greeted bool  // HELLO has come on this link
	over    bool  // ERROR or GOODBYE has come
	resend  int64 // its
	ours_   int64 // ours, as WELCOME said it
	channel uint32
	open    protocol.Open
	ended   bool // EOF of STDIN
	closed  bool // CLOSE
	// credit is what it granted, used what we sent; granted what we granted, stdin what it sent
	credit, used, granted, stdin uint64
	received, sent,
	acked uint64 // session frames: of its, of ours, and those that it acknowledged
	frames [][]byte // its session frames
	resent int      // of them come again first, after a resume
}

// link begins a new link.
func (o *clientOrder) link() { o.greeted, o.over = false, false }

func (o *clientOrder) ours(f protocol.Frame) {
	if !f.Type.IsLink() {
		o.sent++
	}
	switch {
	case f.Type.IsData():
		o.used += uint64(f.Length)
	case f.Type == protocol.TypeWindow:
		o.granted = f.Number()
	case f.Type == protocol.TypeWelcome:
		var w protocol.Welcome
		f.Decode(&w) // our own
		o.ours_ = w.Resend
	}
}

// signals are the names of EX3.
var signals = []string{"HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "TSTP",
	"WINCH"}

// theirs finds what a client's frame breaks; nil if it breaks nothing.
func (o *clientOrder) theirs(f protocol.Frame) *broken {
	bad := func(rule string, want Text) *broken { return &broken{rule, want, same(shown(f))} }
	if o.over {
		return bad("SE5", tx("ERROR、GOODBYE 之后什么也没有", "nothing after ERROR or GOODBYE"))
	}
	if b := payloadOf(f); b != nil {
		return b
	}
	if !o.greeted && f.Type != protocol.TypeHello {
		return bad("SE1", tx("HELLO 是第一帧", "HELLO as the first frame"))
	}
	switch f.Type {
	case protocol.TypeHello:
		if o.greeted {
			return bad("SE1", tx("一条链路一个 HELLO", "one HELLO on a link"))
		}
		o.greeted = true
		return nil
	case protocol.TypeError, protocol.TypeGoodbye:
		o.over = true
		return nil
	case protocol.TypePing, protocol.TypePong:
		return nil
	case protocol.TypeAck:
		if n := f.Number(); o.ours_ == 0 || n < o.acked || n > o.sent {
			return bad("RE1",
				tx(fmt.Sprintf("ACK 在 %d 到 %d 之间，而且我们要留底", o.acked, o.sent),
					fmt.Sprintf("an ACK of %d to %d, to an end that keeps frames", o.acked,
						o.sent)))
		}
		o.acked = f.Number()
		return nil
	case protocol.TypeWelcome, protocol.TypePair:
		return bad("FR6", tx("客户端能发的帧", "frames that a client may send"))
	}
	if o.resent < len(o.frames) { // what we said was not received comes again, identically (RE3)
		want := o.frames[o.resent]
		o.resent++
		if got := encode(f); !slices.Equal(got, want) {
			return bad("RE3", same(hexOf(want)))
		}
		return nil
	}
	o.received++
	if len(o.frames) < 10_000 { // of a long conversation the rest is not needed
		o.frames = append(o.frames, encode(f))
	}
	o.resent = len(o.frames)
	return o.session(f, bad)
}

func (o *clientOrder) session(f protocol.Frame, bad func(string, Text) *broken) *broken {
	switch {
	case f.Type == protocol.TypeOpen:
		if f.Channel%2 == 0 || f.Channel <= o.channel {
			return bad("CH1", tx("通道号是奇数，越来越大", "an odd number above the last one"))
		}
		if o.channel != 0 {
			return nil // a second command: not what was asked for, and allowed
		}
		o.channel = f.Channel
		f.Decode(&o.open) // payloadOf has looked at it
		if o.open.Service == "exec" {
			if err := o.open.CheckExec(); err != nil {
				return bad("EX1", same(err.Error()))
			}
		}
		return nil
	case f.Channel != o.channel:
		return bad("CH8", tx("自己开了的通道", "frames for a channel that was opened"))
	case o.closed:
		return bad("CH4", tx("CLOSE 之后什么也没有", "nothing after CLOSE"))
	}
	switch f.Type {
	case protocol.TypeStdin:
		if o.ended {
			return bad("CH4", tx("EOF 之后没有 STDIN", "no STDIN after its EOF"))
		}
		if o.stdin += uint64(f.Length); o.stdin > o.granted {
			return bad("CH5", tx(fmt.Sprintf("最多 %d 字节的 STDIN", o.granted),
				fmt.Sprintf("at most %d bytes of STDIN, ever", o.granted)))
		}
	case protocol.TypeEOF:
		if o.ended || f.Payload[0] != byte(protocol.TypeStdin) {
			return bad("CH4", tx("STDIN 的 EOF，一次", "one EOF, of STDIN"))
		}
		o.ended = true
	case protocol.TypeClose:
		o.closed = true
	case protocol.TypeWindow:
		if f.Number() <= o.credit {
			return bad("CH5", tx(fmt.Sprintf("WINDOW 比 %d 大：它是总数，只会变大", o.credit),
				fmt.Sprintf("a WINDOW above %d: it is a total, and only grows", o.credit)))
		}
		if f.Number() > o.used+64<<20 {
			return bad("CH7", tx("额度最多 64 MiB", "a window of at most 64 MiB"))
		}
		o.credit = f.Number()
	case protocol.TypeSignal:
		var s protocol.Signal
		f.Decode(&s) // payloadOf has looked at it
		if !slices.Contains(signals, s.Signal) {
			return bad("EX3", tx("EX3 的信号", "a signal of EX3"))
		}
	case protocol.TypeResize:
	default:
		return bad("FR6", tx("客户端能发的帧", "frames that a client may send"))
	}
	return nil
}
