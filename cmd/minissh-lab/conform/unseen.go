package conform

// unseen are the rules that the kit does not try, and why: what a link does not show, and what
// needs more than the program under test. A test compares it with the probes.
var unseen = map[string][]struct {
	rules []string
	why   Text
}{
	"daemon": {
		{[]string{"FR1", "CO3", "CO4"}, tx("每来一帧都对照着看，没有单独的一项",
			"every frame that comes is held against it: no probe of its own")},
		{[]string{"FI13"}, tx("违规的记录在 FI3 的测试向量里",
			"the vectors of FI3 have records that break it")},
		{[]string{"EX9", "SU4", "SU5", "FI12", "FO6", "JO9"},
			tx("要有 authorized_keys 里受限制的密钥，而这里只有一个密钥",
				"it needs keys that authorized_keys restricts, and there is one key here")},
		{[]string{"LO5"}, tx("要有硬件密钥，还要有人去碰一下",
			"it needs a hardware key, and somebody who touches it")},
		{[]string{"ID2", "ID3"}, tx("要有各种密钥，而这里只有一个",
			"it needs keys of all types, and there is one here")},
		{[]string{"PA1", "PA2", "PA5"}, tx("要有守护进程发的配对码，那要从别处拿到",
			"it needs a pairing code, which a daemon gives out elsewhere")},
		{[]string{"SE8"}, tx("要传 256 GiB", "it needs 256 GiB over one link")},
		{[]string{"RE9"}, tx("要把守护进程换成新的，而怎么换，规范没有说",
			"it needs a daemon that is replaced, and how that is done no page says")},
		{[]string{"SE9", "SE10", "CA4"}, tx("多少、多久，由守护进程自己定，外面看不出",
			"how many and how long is the daemon's choice, which does not show")},
		{[]string{"FO5"}, tx("用的是谁的权限，只有那台机器的内核知道",
			"with whose rights it acts only its own kernel knows")},
		{[]string{"ID7"}, tx("说的是为什么，没有要做的事", "it says why, and asks for nothing")},
		{[]string{"FR8"}, tx("先读了什么，只有那一端自己知道",
			"what an end has read first only itself knows")},
		{[]string{"RE5", "RE7", "RE8", "PA6", "CE7"},
			tx("这是客户端的规则", "it is a rule for clients")},
	},
	"client": {
		{[]string{"FR1", "SE3", "SE4", "CO1", "CO4"}, tx("每来一帧都对照着看，没有单独的一项",
			"every frame that comes is held against it: no probe of its own")},
		{[]string{"CH9", "EX2", "EX7", "EX8", "EX9", "ID5", "ID6", "ID8", "CA4", "SE9", "SE10",
			"SE11", "SU4", "SU5", "FI12", "JO8", "JO9", "RE4"},
			tx("这是守护进程的规则", "it is a rule for daemons")},
		{[]string{"ID1", "ID2", "ID3", "ID4", "CA1", "CA2", "PA1", "PA2", "PA3", "PA4", "PA5",
			"PA6", "RE9",
			"LO1", "LO2", "LO3", "LO4", "LO5", "LO6", "CE1", "CE2", "CE3", "CE4", "CE5",
			"CE6", "CE7"}, tx("这里用 Unix 套接字和客户端说话，没有 TLS",
			"the kit meets a client on a Unix socket, where there is no TLS")},
		{[]string{"CA3"}, tx("要有别的账户来听这个套接字",
			"it needs another account to listen on the socket")},
		{[]string{"ID7"}, tx("说的是为什么，没有要做的事", "it says why, and asks for nothing")},
		{[]string{"EX3", "TE1", "TE2", "TE3"}, tx("要有人在终端前面按键",
			"it needs somebody at a terminal")},
		{[]string{"LI1", "LI2", "LI3", "LI4", "LI5", "LI6", "SU1", "SU2", "SU3", "FO1", "FO2",
			"FO3", "FO4", "FO5", "FO6", "FO7", "FO8", "FO9", "JO1", "JO2", "JO3", "JO4", "JO5",
			"JO6", "JO7", "JO10", "JO11"},
			tx("这里只叫客户端跑一条命令、复制文件；别的服务怎么叫，规范没有说",
				"the kit asks for a command and for copies alone: how a client is asked for other "+
					"services, no page says")},
		{[]string{"FI10"}, tx("要不要续传，由客户端自己定",
			"whether to go on with a file is the client's choice")},
		{[]string{"SE8"}, tx("要传 256 GiB", "it needs 256 GiB over one link")},
		{[]string{"FR8"}, tx("先读了什么，只有那一端自己知道",
			"what an end has read first only itself knows")},
		{[]string{"RE7"}, tx("多久算可疑，是 SHOULD，由客户端自己定",
			"when a link is in doubt is a SHOULD, and the client's choice")},
	},
}

// Unseen is why the kit does not try a rule, or a group's first one, of a role ("daemon" or
// "client"); the zero Text where it does.
func Unseen(role, rule string) Text {
	for _, some := range unseen[role] {
		for _, r := range some.rules {
			if r == rule || group(r) == rule {
				return some.why
			}
		}
	}
	return Text{}
}
