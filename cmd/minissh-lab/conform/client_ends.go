package conform

import (
	"minissh/protocol"
)

// clientEndProbes are of what must not look like success, and of what the daemon says.
var clientEndProbes = []Probe{
	{Rule: "SE5", Name: "lost",
		What: tx("EXIT 之前断了：不算成功",
			"a link that ends before EXIT does not count as success"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			if g.hello.Resend != 0 {
				t.unreached(tx("它会再来（resend 不是 0）", "it comes back (its resend is not 0)"))
			}
			g.send(frame(protocol.TypeStdout, g.order.channel, "half"))
			g.conn.Close()
			h.fails()
		}},
	{Rule: "SE5", Name: "goodbye",
		What: tx("命令还在跑，来了 GOODBYE：不算成功",
			"GOODBYE while a command runs does not count as success"), run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.begin()
			g.send(frame(protocol.TypeGoodbye, 0, `{"code":"ended_by_admin"}`))
			h.fails()
		}},
	{Rule: "SE2", Name: "refused",
		What: tx("HELLO 得到 ERROR：不算成功，说出原因",
			"ERROR to HELLO does not count as success, and is reported"), run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.send(frame(protocol.TypeError, 0,
				`{"code":"key_not_authorized","message":"nobody here"}`))
			h.fails()
			if _, said := h.program.output(); len(said) == 0 {
				t.fail(tx("标准错误上写着原因", "a reason on standard error"),
					tx("什么也没有", "nothing"))
			}
		}},
	{Rule: "CH3", Name: "refused-channel",
		What: tx("OPEN 得到 CLOSE：不算成功", "CLOSE to OPEN does not count as success"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.welcomes()
			g.opens()
			g.send(frame(protocol.TypeClose, g.order.channel,
				`{"code":"start_failed","message":"no such thing"}`))
			h.fails()
		}},
	{Rule: "CH4", Name: "no-exit",
		What: tx("没有 EXIT 的 CLOSE：不算成功", "a CLOSE without EXIT does not count as success"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			c := g.order.channel
			g.send(frame(protocol.TypeEOF, c, "\x11"), frame(protocol.TypeEOF, c, "\x12"),
				frame(protocol.TypeClose, c, "{}"))
			h.fails()
		}},
	{Rule: "CO2", Name: "hostile-code",
		What: tx("不合格式的 code：不能给人看", "a code of another form is never shown"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.send(frame(protocol.TypeError, 0, `{"code":"\u001b]0;owned\u0007","message":"x"}`))
			h.fails()
			h.quiet()
		}},
	{Rule: "CO3", Name: "hostile-message",
		What: tx("message 里的转义序列：不能原样打印",
			"escape sequences in a message are not printed as they are"), run: func(t *trial) {
			for _, kind := range []protocol.Type{protocol.TypeError, protocol.TypeGoodbye,
				protocol.TypeClose} {
				h := t.client()
				g := h.accept()
				channel := uint32(0)
				if kind == protocol.TypeClose {
					g.welcomes()
					g.opens()
					channel = g.order.channel
				} else if kind == protocol.TypeGoodbye {
					g.begin()
				}
				g.send(frame(kind, channel,
					`{"code":"internal","message":"\u001b[31mred\u0007 \u009b2J \u202etxt"}`))
				h.fails()
				h.quiet()
			}
		}},
	{Rule: "EX5", Name: "unknown-notice",
		What: tx("不认识的 NOTICE：忽略", "an unknown NOTICE is ignored"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			g.send(frame(protocol.TypeNotice, g.order.channel,
				`{"notice":"of_next_year","later":[1]}`))
			g.ends(`{"how":"exited","code":5,"later":{}}`)
			h.exits(5, "")
		}},
	{Rule: "JS2", Name: "unknown-keys",
		What: tx("不认识的键：忽略", "unknown keys are ignored"), run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.send(frame(protocol.TypeWelcome, 0,
				`{"received":0,"resend":0,"channels":16,"later_9":[{"a":null}]}`))
			g.opens()
			g.send(frame(protocol.TypeOpened, g.order.channel, `{"pid":1,"new":true}`))
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, "")
		}},
}
