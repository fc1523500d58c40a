package conform

import (
	"bytes"
	"encoding/json"
	"slices"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// waits is a command that reads nothing, says nothing and does not end.
const waits = "exec sleep 1000"

// fromClient are the types that a client may send once WELCOME has come.
var fromClient = []protocol.Type{protocol.TypeOpen, protocol.TypeWindow, protocol.TypeEOF,
	protocol.TypeSignal, protocol.TypeResize, protocol.TypeClose, protocol.TypeStdin,
	protocol.TypeAck, protocol.TypePing, protocol.TypePong, protocol.TypeGoodbye,
	protocol.TypeError}

// daemonVectors are the probes of a daemon that the test vectors give.
func daemonVectors() []Probe {
	var all []Probe
	for _, v := range vectors.Read("frames.txt") {
		if f := v.Bytes("hex"); v.Has("error") && len(f) >= protocol.HeaderSize {
			kind, long := protocol.Type(f[4]), f[0] != 0 || f[1] > 1
			if isKnown(kind) && !long && !slices.Contains(fromClient, kind) {
				continue // it is for a client to judge
			}
			all = append(all, vectorProbe("frames", v, func(t *trial) {
				k := t.login(nil)
				k.open(command(waits))
				k.t.note("lab     " + hexOf(f))
				k.raw(f)
				k.expectError(protocol.Code(v.Text("error")))
			}))
		}
	}
	for _, v := range vectors.Read("json.txt") {
		switch {
		case v.Has("hello"):
			all = append(all, vectorProbe("json", v, func(t *trial) { helloVector(t, v) }))
		case !v.Has("welcome"):
			all = append(all, vectorProbe("json", v, func(t *trial) { jsonVector(t, v) }))
		}
	}
	for _, v := range vectors.Read("opens.txt") {
		all = append(all, vectorProbe("opens", v, func(t *trial) { openVector(t, v) }))
	}
	for _, v := range vectors.Read("sessions.txt") {
		if v.Text("role") == "daemon" && len(v.All("hex")) < 16 &&
			v.Text("error") != "window_exceeded" {
			all = append(all, vectorProbe("sessions", v, func(t *trial) { sessionVector(t, v) }))
		}
	}
	return all
}

func vectorProbe(file string, v vectors.Vector, run func(*trial)) Probe {
	return Probe{Rule: v.Text("rule"), Name: file + ": " + v.Name,
		What: tx("测试向量 "+file+".txt："+v.Name, "vector of "+file+".txt: "+v.Name), run: run}
}

func hexOf(b []byte) string {
	const most = 40
	text := ""
	for _, c := range b[:min(len(b), most)] {
		text += string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
	}
	if len(b) > most {
		text += "…"
	}
	return text
}

// payload is a vector's JSON.
func payload(v vectors.Vector, key string) []byte {
	if v.Has(key) {
		return []byte(v.Text(key))
	}
	return v.Bytes("hex")
}

// helloVector says HELLO with a payload: what is valid is welcomed, or is nobody's key.
func helloVector(t *trial, v vectors.Vector) {
	k := t.dial()
	body := payload(v, "hello")
	k.send(frame(protocol.TypeHello, 0, string(body)))
	if v.Has("error") {
		k.expectError(protocol.Code(v.Text("error")))
		return
	}
	var h protocol.Hello
	json.Unmarshal(body, &h) // for what it keeps; it is valid
	k.order.resend = h.Resend
	want := tx("WELCOME，或者 key_not_authorized", "WELCOME, or key_not_authorized")
	f := k.until(want, func(f protocol.Frame) bool {
		return f.Type == protocol.TypeWelcome || f.Type == protocol.TypeError
	})
	var reason protocol.Reason
	f.Decode(&reason)
	answers := []protocol.Code{protocol.CodeKeyNotAuthorized, protocol.CodeSessionUnknown,
		protocol.CodeSessionExpired} // where the account is that of the vectors
	if f.Type == protocol.TypeError && !slices.Contains(answers, reason.Code) {
		t.fail(want, same(shown(f)))
	}
}

// jsonVector is the payload of an OPEN: what is strict JSON breaks no rule of the wire.
func jsonVector(t *trial, v vectors.Vector) {
	k := t.login(nil)
	k.channel = 1
	k.send(frame(protocol.TypeOpen, 1, string(payload(v, "json"))))
	if v.Has("error") {
		k.expectError(protocol.Code(v.Text("error")))
		return
	}
	k.sync(nil)
}

// openVector opens a channel: of a service that the daemon does not have any refusal will do.
func openVector(t *trial, v vectors.Vector) {
	k := t.login(nil)
	k.channel = 1
	k.send(frame(protocol.TypeOpen, 1, v.Text("open")))
	if v.Text("error") == string(protocol.CodeBadJSON) {
		k.expectError(protocol.CodeBadJSON)
		return
	}
	if v.Text("error") == "" {
		k.sync(nil)
		return
	}
	var o protocol.Open
	json.Unmarshal([]byte(v.Text("open")), &o) // what is wrong in it is the daemon's to say
	want := same("CLOSE " + v.Text("error"))
	f := k.until(want, func(f protocol.Frame) bool {
		return f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose
	})
	var reason protocol.Reason
	f.Decode(&reason)
	lacks := reason.Code == protocol.CodeUnknownService ||
		reason.Code == protocol.CodeServiceRefused
	switch {
	case f.Type == protocol.TypeClose && string(reason.Code) == v.Text("error"):
	case f.Type == protocol.TypeClose && lacks && o.Service != "exec":
		t.unreached(tx("守护进程没有服务 "+o.Service, "the daemon has no service "+o.Service))
	default:
		t.fail(want, same(shown(f)))
	}
}

// sessionVector is a conversation. Its OPENs are of a service that nobody has: a command that
// waits takes their place.
func sessionVector(t *trial, v vectors.Vector) {
	k := t.login(nil)
	if v.Text("error") == "bad_ack" && k.welcome.Resend != 0 {
		t.unreached(tx("向量里的守护进程不留底，这个留",
			"the vector's daemon keeps nothing, and this one does"))
	}
	test := []byte(`{"service":"test"}`)
	var all [][]byte // at once: what the daemon says to one must not come ahead of the next (CH8)
	for _, f := range v.Lines("hex") {
		if h, err := protocol.ParseHeader(f); err == nil && h.Type == protocol.TypeOpen &&
			bytes.Equal(f[protocol.HeaderSize:], test) {
			f = message(protocol.TypeOpen, h.Channel, command(waits))
		}
		all = append(all, f)
	}
	k.send(all...)
	if code := v.Text("error"); code != "none" {
		k.expectError(protocol.Code(code))
		return
	}
	k.sync(nil)
}

// fromDaemon are the types that a daemon may send once WELCOME has come.
var fromDaemon = []protocol.Type{protocol.TypeOpened, protocol.TypeWindow, protocol.TypeEOF,
	protocol.TypeNotice, protocol.TypeExit, protocol.TypeClose, protocol.TypeStdout,
	protocol.TypeStderr, protocol.TypeAck, protocol.TypePing, protocol.TypePong,
	protocol.TypeGoodbye, protocol.TypeError}

// clientVectors are the probes of a client that the test vectors give.
func clientVectors() []Probe {
	var all []Probe
	for _, v := range vectors.Read("frames.txt") {
		if f := v.Bytes("hex"); v.Has("error") && len(f) >= protocol.HeaderSize {
			kind, long := protocol.Type(f[4]), f[0] != 0 || f[1] > 1
			if kind == protocol.TypeStdin { // the same header, from the other side
				f[4], kind = byte(protocol.TypeStdout), protocol.TypeStdout
			}
			if isKnown(kind) && !long && !slices.Contains(fromDaemon, kind) {
				continue // it is for a daemon to judge
			}
			all = append(all, vectorProbe("frames", v, func(t *trial) {
				h := t.client()
				g := h.accept()
				g.begin()
				g.t.note("lab     " + hexOf(f))
				g.raw(f)
				g.expectError(protocol.Code(v.Text("error")))
				h.fails()
			}))
		}
	}
	for _, v := range vectors.Read("json.txt") {
		switch {
		case v.Has("welcome"):
			all = append(all, vectorProbe("json", v, func(t *trial) { welcomeVector(t, v) }))
		case !v.Has("hello"):
			all = append(all, vectorProbe("json", v, func(t *trial) { noticeVector(t, v) }))
		}
	}
	for _, v := range vectors.Read("sessions.txt") {
		if v.Text("role") == "client" && v.Text("error") != "window_exceeded" {
			all = append(all, vectorProbe("sessions", v, func(t *trial) { clientVector(t, v) }))
		}
	}
	return all
}

// isKnown says whether the pages have a type.
func isKnown(kind protocol.Type) bool {
	return slices.Contains(fromClient, kind) || slices.Contains(fromDaemon, kind) ||
		slices.Contains([]protocol.Type{protocol.TypeOpen, protocol.TypeSignal, protocol.TypeResize,
			protocol.TypeStdin, protocol.TypeHello, protocol.TypeWelcome, protocol.TypePair}, kind)
}

// welcomeVector answers HELLO with a payload.
func welcomeVector(t *trial, v vectors.Vector) {
	h := t.client()
	g := h.accept()
	g.send(frame(protocol.TypeWelcome, 0, string(payload(v, "welcome"))))
	if v.Has("error") {
		g.expectError(protocol.Code(v.Text("error")))
		h.fails()
		return
	}
	g.sync()
}

// noticeVector is the payload of a NOTICE: what is strict JSON breaks no rule of the wire.
func noticeVector(t *trial, v vectors.Vector) {
	body := payload(v, "json")
	if len(body) > 8192 {
		t.unreached(tx("比 NOTICE 能装的长", "longer than a NOTICE may be"))
	}
	h := t.client()
	g := h.accept()
	g.begin()
	g.send(frame(protocol.TypeNotice, g.order.channel, string(body)))
	if v.Has("error") {
		g.expectError(protocol.Code(v.Text("error")))
		h.fails()
		return
	}
	g.sync()
}

// clientVector is a conversation on channel 1.
func clientVector(t *trial, v vectors.Vector) {
	h := t.client()
	g := h.accept()
	if v.Text("error") == "bad_ack" && g.hello.Resend != 0 {
		t.unreached(tx("向量里的客户端不留底，这个留",
			"the vector's client keeps nothing, and this one does"))
	}
	g.welcomes()
	g.opens()
	if g.order.channel != 1 {
		t.unreached(tx("向量用的是通道 1", "the vector is for channel 1"))
	}
	for _, f := range v.Lines("hex") {
		g.send(f)
	}
	if code := v.Text("error"); code != "none" {
		g.expectError(protocol.Code(code))
		h.fails()
		return
	}
	g.vectorEnds(v)
}

// vectorEnds shows that no ERROR comes: the client answers a PING, or has left in peace, where the
// vector has ended its channel.
func (g *guest) vectorEnds(v vectors.Vector) {
	over := false
	for _, f := range v.Lines("hex") {
		over = over || len(f) > 4 && protocol.Type(f[4]) == protocol.TypeClose
	}
	if !over {
		g.sync()
		return
	}
	g.until(same("GOODBYE"), func(f protocol.Frame) bool { return f.Type == protocol.TypeGoodbye })
}
