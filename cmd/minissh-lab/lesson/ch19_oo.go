package lesson

import (
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
)

var objectOriented = Lesson{
	Name:  "19",
	Title: t("面向对象版：是哪一种方言", "the object-oriented version: which dialect is it"),
	Run: t("你抓到了客户端发来的两条消息。第一条有 4 字节长度，第二条没有。",
		"You have caught two messages from a client. The first has 4 bytes of length, the second "+
			"has not."),
	Code: "head_struct = self.conn.recv(4)\nhead_dic = json.loads(self.conn.recv(head_len))\n" +
		"cmd = head_dic['cmd']\nif hasattr(self, cmd):\n" +
		"    getattr(self, cmd)(head_dic)      # ← cmd 是对方说的 / the peer says what cmd is",
	Ask: Question{
		t(
			"服务端先 recv(4) 读长度，第二条 [\"get\", \"a.txt\"] 会让它读出多少？",
			"a server that does recv(4) takes [\"get\", \"a.txt\"] for a length of …"), []Option{
			right("一个 17 亿左右的数", "a number of about 1.7 thousand million"),
			wrong(
				"4",
				"4",
				"4 是收到的字节数。它们的值是 [\"ge 这 4 个字符的编码，合起来当成一个整数。",
				"4 is how many bytes came. Their value is the codes of the four characters "+
					"[\"ge, taken together as one integer."),
			wrong(
				"-1",
				"-1",
				"最高位是 1 才是负数。ASCII 字符的最高位都是 0，所以总是一个很大的正数。",
				"A negative number has its highest bit set. In ASCII that bit is 0, so it is "+
					"always a large positive number."),
		}},
	Play: playOO,
	Why: t("put 有边界，get 没有：把 4 个字符当成长度，总是 1 亿以上。两种消息要用同一种格式。用 "+
		"getattr，就是让对方来挑你的方法（__init__、run…）：只认 {'put': …, 'get': …}。",
		"put has a boundary, get has none: four text bytes read as a length are always above "+
			"10^8. Both need one format. getattr lets the peer choose among your methods "+
			"(__init__, run, …): allow {'put': …, 'get': …} only."),
	Change: t("换 cmd：服务端的类里有 put、get、run、__init__。getattr 找得到哪些？字典呢？",
		"Change cmd: the server's class has put, get, run and __init__. Which of them does "+
			"getattr find, and which the dict?"),
	Knob: Knob{t("cmd", "cmd"), []string{"get", "run", "__init__"},
		changeCmd},
	Exercise: t("两种消息都要能收：", "Take both:"),
	Check: "minissh-lab check 19 -- python3 my_server.py\n" +
		"    minissh-lab check 19 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("一条消息以 4 字节长度开头，另一条以 [ 开头。先看一个字节，够不够分辨？",
			"One message begins with 4 bytes of length, the other with [. Is one byte enough to "+
				"tell?"),
		t("够：长度的第一个字节是 [ (0x5b) 的话，报头要有 91 个字节那么长，这里没有。",
			"It is: a length that begins with [ (0x5b) would be a header of 91 bytes, which "+
				"these are not."),
		t("first = recv(1)；是 b'[' 就按 JSON 列表收；否则再收 3 个字节凑成长度。cmd 用字典查："+
			"{'put': self.put}。",
			"first = recv(1); if it is b'[', receive a JSON list; else 3 bytes more make the "+
				"length. Look cmd up in a dict: {'put': self.put}."),
	},
}

func playOO(s *Stage) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	header := dialect.EncodeFields(dialect.Field{Key: "cmd", Value: "put"},
		dialect.Field{Key: "filename", Value: "a.txt"}, dialect.Field{Key: "filesize", Value: 5})
	list := dialect.EncodeList("get", "a.txt")
	if _, err := l.client.Write(append(append(dialect.Frame(false, header), "hello"...),
		list...)); err != nil {
		return 0, err
	}
	length, err := readExactly(l.server, 4)
	if err != nil {
		return 0, err
	}
	n, err := dialect.DecodeLength(false, length, dialect.MaxHeader)
	if err != nil {
		return 0, err
	}
	json, err := readExactly(l.server, n)
	if err != nil {
		return 0, err
	}
	h, err := dialect.ParseHeader(json)
	if err != nil {
		return 0, err
	}
	data, err := readExactly(l.server, int(h.Size))
	if err != nil {
		return 0, err
	}
	s.Say(t("put：", "put:"))
	s.Fields(Field{length, fmt.Sprint(n), t("报头长度", "header length"), 0},
		Field{json, "JSON", f("报头，cmd = %s", "header, cmd = %s", h.Cmd), 1},
		Field{data, "", t("文件", "file"), 2})
	s.Say(t("get：", "get:"))
	wrong, err := readExactly(l.server, 4)
	if err != nil {
		return 0, err
	}
	rest, err := readExactly(l.server, len(list)-4)
	if err != nil {
		return 0, err
	}
	_, err = dialect.DecodeLength(false, wrong, dialect.MaxHeader)
	refused, ok := err.(*dialect.LengthError)
	if !ok {
		return 0, fmt.Errorf("%q was taken for a length", wrong)
	}
	s.Fields(Field{wrong, fmt.Sprint(refused.N),
		f("当成长度就是这个数；其实是 %s", "read as a length; it is %s", oneLine(wrong)), 5},
		Field{rest, "", t("列表的其余部分", "the rest of the list"), 3})
	if refused.N > 1_600_000_000 && refused.N < 1_800_000_000 {
		return 0, nil
	}
	return 1, nil
}

// changeCmd looks a command up in both ways, in Python where there is one.
func changeCmd(s *Stage, value string) error {
	cmd, err := text(value, 40)
	if err != nil {
		return err
	}
	header := dialect.EncodeFields(dialect.Field{Key: "cmd", Value: string(cmd)},
		dialect.Field{Key: "filename", Value: "a.txt"})
	s.Fields(Field{dialect.EncodeLength(false, int32(len(header))), fmt.Sprint(len(header)),
		t("报头长度", "header length"), 0}, Field{header, "JSON", t("报头", "header"), 1})
	out, ok := python(s.Ctx, "import sys\nclass Server:\n    def put(self, d): pass\n"+
		"    def get(self, d): pass\n    def run(self): pass\ncmd = sys.argv[1]\n"+
		"print(hasattr(Server(), cmd), cmd in {'put': 1, 'get': 1})", string(cmd))
	found, allowed, both := strings.Cut(out, " ")
	if !ok || !both {
		s.Say(t("（没有 python3，这里量不了）", "(no python3: it cannot be measured here)"))
		return nil
	}
	s.Table([]string{"hasattr(self, cmd)", found}, []string{"cmd in {'put': …, 'get': …}", allowed})
	if found != allowed {
		s.Say(t("getattr 会调用它：对方调到了你没打算开放的方法。",
			"getattr would call it: the peer has chosen a method that you did not mean to give."))
	}
	return nil
}
