package conform

import (
	"fmt"
	"strings"

	"minissh/protocol"
)

// programProbes are of programs by their names, and of pairing: what both answer to whom.
var programProbes = []Probe{
	{Rule: "SU1", Name: "no-name", What: tx("subsystem 没有 name：bad_request",
		"a subsystem without a name: bad_request"),
		run: func(t *trial) {
			k := t.login(nil)
			k.subsystem("") // or not reached
		}},
	{Rule: "SU1", Name: "other-name", What: tx("没有的名字：service_refused",
		"a name that it does not offer: service_refused"),
		run: func(t *trial) {
			k := t.login(nil)
			k.subsystem("")
			k.refused(&protocol.Open{Service: "subsystem", Name: "no-such-subsystem-here"},
				protocol.CodeServiceRefused)
		}},
	{Rule: "SU2", Name: "nothing-else",
		What: tx("sftp：STDOUT 上第一个字节起就是它自己的协议；EOF 以后它结束",
			"sftp: STDOUT is its own protocol from the first byte on; after EOF it ends"),
		run: func(t *trial) {
			k := t.login(nil)
			channel := k.sftp()
			k.send(frame(protocol.TypeEOF, channel, "\x10"))
			e := k.finish(channel)
			if e.exit == nil || e.exit.How != protocol.HowExited ||
				!strings.HasPrefix(string(e.out), "\x00") {
				t.fail(tx("长度开头的回答，然后 EXIT exited",
					"an answer that begins with its length, then EXIT exited"),
					same(fmt.Sprintf("%.40q, %s", e.out, exitOr(e))))
			}
		}},
	{Rule: "SU3", Name: "version", What: tx("SFTP 第 3 版", "version 3 of SFTP"),
		run: func(t *trial) {
			k := t.login(nil)
			channel := k.sftp()
			k.send(frame(protocol.TypeEOF, channel, "\x10"))
			e := k.finish(channel)
			if len(e.out) < 9 || string(e.out[4:9]) != "\x02\x00\x00\x00\x03" {
				t.fail(same("SSH_FXP_VERSION 3"), same(fmt.Sprintf("%.40q", e.out)))
			}
		}},
	{Rule: "PA3", Name: "unix", What: tx("Unix 套接字上没有 PAIR：unexpected_frame",
		"no PAIR over a Unix socket: unexpected_frame"),
		run: func(t *trial) {
			if t.unix == "" && !strings.HasPrefix(t.o.Address, "unix:") {
				t.unreached(tx("这不是 Unix 套接字", "this is not a Unix socket"))
			}
			k := t.dial()
			k.send(pair(t.o.User))
			k.expectError(protocol.CodeUnexpectedFrame)
		}},
	{Rule: "PA4", Name: "wrong-proof", What: tx("没有这个配对码：pairing_refused，什么也不多说",
		"a proof of no code: pairing_refused"),
		run: func(t *trial) {
			if t.unix != "" || strings.HasPrefix(t.o.Address, "unix:") {
				t.unreached(tx("配对要 TLS：--address HOST:PORT",
					"pairing needs TLS: --address HOST:PORT"))
			}
			k := t.dial()
			k.send(pair(t.o.User))
			k.expectError(protocol.CodePairingRefused)
		}},
}

// pair is a PAIR whose proof is right for no code.
func pair(user string) []byte {
	return message(protocol.TypePair, 0, &protocol.Pair{Protocol: "minissh/1", User: user,
		Proof: strings.Repeat("0", 64)})
}

// subsystem opens one that must be refused by bad_request; a daemon without the service cannot be
// tried.
func (k *talk) subsystem(name string) {
	channel := k.open(&protocol.Open{Service: "subsystem", Name: name})
	f := k.answered(channel)
	var reason protocol.Reason
	f.Decode(&reason)
	switch {
	case f.Type == protocol.TypeClose && reason.Code == protocol.CodeUnknownService:
		k.t.unreached(tx("这个守护进程没有服务 subsystem", "this daemon has no service subsystem"))
	case f.Type != protocol.TypeClose || reason.Code != protocol.CodeBadRequest:
		k.t.fail(same("CLOSE bad_request"), same(shown(f)))
	}
	k.send(frame(protocol.TypeClose, channel, "{}"))
}

// sftp opens the subsystem of that name, and says SSH_FXP_INIT of version 3.
func (k *talk) sftp() (channel uint32) {
	channel = k.open(&protocol.Open{Service: "subsystem", Name: "sftp"})
	f := k.answered(channel)
	if f.Type == protocol.TypeClose { // it may refuse sftp (SU3)
		k.t.unreached(tx("这个守护进程没有 sftp", "this daemon has no sftp"))
	}
	k.send(frame(protocol.TypeStdin, channel, "\x00\x00\x00\x05\x01\x00\x00\x00\x03"))
	return channel
}

// answered takes the answer to an OPEN.
func (k *talk) answered(channel uint32) protocol.Frame {
	return k.until(same("OPENED, CLOSE"), func(f protocol.Frame) bool {
		return f.Channel == channel &&
			(f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose)
	})
}
