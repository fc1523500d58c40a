package tracer

import (
	"strings"
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

const sock = "<TCP:[127.0.0.1:33196->127.0.0.1:35647]>"

func TestLines(t *testing.T) {
	want := Call{At: 1796031710205210, Local: "127.0.0.1:33196", Remote: "127.0.0.1:35647",
		Size: 8}
	recv := want
	recv.Recv, recv.Ask, recv.At = true, 1024, want.At+51
	v6 := want
	v6.Local, v6.Remote = "[::1]:1", "[::1]:2"
	msg := recv
	msg.Ask = 0
	for _, c := range []struct {
		lines string
		want  []Call
	}{
		{`7 1796031710.205210 sendto(6` + sock + `, ""..., 8, 0, NULL, 0) = 8 <0.000051>`,
			[]Call{want}},
		{`7 1796031710.205210 write(6` + sock + `, ""..., 8) = 8 <0.000051>`, []Call{want}},
		{`7 1796031710.205210 write(6<TCPv6:[[::1]:1->[::1]:2]>, ""..., 8) = 8 <0.000051>`,
			[]Call{v6}},
		{`7 1796031710.205210 recvfrom(6` + sock + `, ""..., 1024, 0, NULL, NULL) = 8 <0.000051>`,
			[]Call{recv}},
		{`7 1796031710.205210 recvmsg(6` + sock + `, {msg_name=NULL, msg_iov=[{iov_base=""..., ` +
			`iov_len=9}], msg_iovlen=1}, 0) = 8 <0.000051>`, []Call{msg}},
		{"7 1796031710.205210 recvfrom(6" + sock + ",  <unfinished ...>\n" +
			"8 1796031710.300000 write(1<pipe:[5]>, \"\"..., 8) = 8 <0.000001>\n" +
			`7 1796031710.205255 <... recvfrom resumed>""..., 1024, 0, NULL, NULL) = 8 <0.000051>`,
			[]Call{recv}},
		// What is not such a call, or is not whole.
		{`7 1796031710.205210 recvfrom(6` + sock + `, 0x7f, 1024, 0, NULL, NULL) = -1 EAGAIN ` +
			`(Resource temporarily unavailable) <0.000051>`, nil},
		{`7 1796031710.205210 write(6</tmp/<TCP:[a->b]>>, ""..., 8) = 8 <0.000051>`, nil},
		{`7 1796031710.205210 close(6` + sock + `, ""..., 8) = 8 <0.000051>`, nil},
		{`7 1796031710.205255 <... recvfrom resumed>""..., 1024, 0, NULL, NULL) = 8 <0.000051>`, nil},
		{`7 1796031710.205210 write(6` + sock + `, ""..., 99999999999) = 99999999999 <0.000051>`, nil},
		{"", nil},
		{"7 x", nil},
	} {
		var p parser
		var got []Call
		for line := range strings.Lines(c.lines) {
			if call, ok := p.line(strings.TrimSuffix(line, "\n")); ok {
				got = append(got, call)
			}
		}
		if len(got) != len(c.want) || len(got) == 1 && got[0] != c.want[0] {
			t.Errorf("%s\n%+v\nwant\n%+v", c.lines, got, c.want)
		}
	}
}

// A line of anything does no harm.
func FuzzLine(f *testing.F) {
	f.Add(`7 1796031710.205210 sendto(6` + sock + `, ""..., 8, 0, NULL, 0) = 8 <0.000051>`)
	f.Add("7 1.000000 read(6" + sock + ", <unfinished ...>\n" +
		"7 1.000000 <... read resumed>\"\", 8) = 0 <0.000001>")
	f.Fuzz(func(t *testing.T, lines string) {
		var p parser
		for line := range strings.Lines(lines) {
			if c, ok := p.line(strings.TrimSuffix(line, "\n")); ok && (c.Size < 0 || c.Ask < 0 ||
				c.At < 0 || c.Local == "") {
				t.Errorf("%+v", c)
			}
		}
	})
}
