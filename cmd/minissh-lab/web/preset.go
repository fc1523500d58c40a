package web

import (
	"net/url"
	"strings"

	"minissh/cmd/minissh-lab/web/record"
)

// Preset is a setting that a lesson shows, or one about time.
type Preset struct {
	Name string `json:"name"` // the lesson's, or a word
	Zh   string `json:"zh"`
	En   string `json:"en"`
	// a command of package live; then Setting means nothing
	Live    string         `json:"live,omitempty"`
	Setting record.Setting `json:"setting"`
	View    string         `json:"view,omitempty"` // ladder: what the page shows it as
	Ask     []Question     `json:"ask,omitempty"`  // none: what fits any setting
}

// setting is one with what most of them have.
func setting(framing string, messages ...int) record.Setting {
	return record.Setting{Messages: messages, Recv: 1024, NoDelay: true, Framing: framing,
		Text: "letters"}
}

// Presets are the settings of the lessons that have a picture.
func Presets() []Preset {
	empty, late, paper, ack := setting("simple", 0, 5), setting("none", 5, 5),
		setting("delimiter", 5, 6), setting("ack", 5, 5, 5)
	late.Gap, late.Delay = 10, 50
	paper.Text = "lines"
	ack.Delay = 100
	nagle := setting("none", 5, 5, 5, 5, 5, 5, 5, 5, 5, 5)
	cut := setting("ultimate", 24, 12)
	cut.Recv, cut.Text = 10, "chinese"
	together, far, full := setting("none", 5, 5), setting("ack", 5, 5),
		setting("simple", 4096, 4096, 4096, 4096)
	far.Latency = 100
	full.Buffers, full.Delay, full.Recv = 4096, 200, 4096
	part := full
	part.Recv = 1024
	commands := setting("simple", 3000, len("/home/student\n"))
	commands.Text = "output"
	put := setting("put", len(record.PutCommand), len("hello world"))
	put.Recv = 8096 // as the course has it
	all := []Preset{
		{Name: "6", Zh: "一次 send，一次 recv？", En: "one send, one recv?", Setting: setting("none", 5)},
		{Name: "8", Zh: "send(b'') 发了什么？", En: "what does send(b'') send?", Setting: empty},
		{Name: "12", Zh: "pwd 打印了什么？剩下的。", En: "pwd prints the leftover", Setting: commands},
		{Name: "13a", Zh: "谁让它们粘在一起？", En: "who stuck them together?", Setting: late},
		{Name: "13b", Zh: "十次 send，Nagle 开和关", En: "ten sends and Nagle", Setting: nagle},
		{Name: "14a", Zh: "消息里有分隔符", En: "the delimiter inside", Setting: paper},
		{Name: "14b", Zh: "ack 版：每条消息多等一趟", En: "ack: one more trip each", Setting: ack},
		{Name: "15a", Zh: "先发 4 字节的长度", En: "four bytes of length first", Setting: setting("simple", 5, 5)},
		{Name: "15b", Zh: "b8 0b 00 00：字节序", En: "b8 0b 00 00: byte order", Setting: setting("simple", 3000)},
		{Name: "16", Zh: "报头：汉字切成两半也不怕", En: "no character is cut in half", Setting: cut},
		{Name: "17-18", Zh: "put：一次 recv 收到全部", En: "put: one recv holds it all", Setting: put},
		{Name: "21", Zh: "send 没有全发出去", En: "send takes only a part", View: "ladder", Setting: part},
		{Name: "own", Zh: "ls 变成了哪些帧？", En: "the frames of ls", Live: "ls", Setting: setting("minissh", 5, 5)},
		{Name: "40ms", Zh: "Nagle 等 ack，ack 拖着", En: "Nagle and delayed acks", View: "ladder", Setting: together},
		{Name: "far", Zh: "ack 版，对方在远处", En: "the ack version, far away", View: "ladder", Setting: far},
		{Name: "full", Zh: "窗口满了，send 也要等", En: "a full window: send waits", View: "ladder", Setting: full},
	}
	for i, p := range all {
		all[i].Ask = questions(p.Name)
	}
	return all
}

// Find returns the preset of a lesson; false when it has no picture.
func Find(lesson string) (Preset, bool) {
	for _, p := range Presets() {
		if p.Name == lesson {
			return p, true
		}
	}
	return Preset{}, false
}

// Link is the page's address on everybody's own machine, at a lesson's setting: no
// token is in it.
func Link(lesson string) string { return "http://" + DefaultAddress + "/#" + fragment(lesson) }

// At takes what comes after --at: a lesson's name, a setting, or a whole link from
// somebody else, of which only the setting counts.
func At(s string) (at string, ok bool) {
	s = strings.TrimSpace(s)
	if _, behind, found := strings.Cut(s, "#"); found {
		s = behind
	} else if strings.Contains(s, "/") {
		return "", true // a link to the page and no setting
	}
	if _, found := Find(s); found || s == "" {
		return s, true
	}
	values, err := url.ParseQuery(s)
	if err != nil {
		return "", false
	}
	values.Del("token")
	for key, v := range values {
		if !strings.Contains(" at m r g d l b n f t live ", " "+key+" ") || len(v) != 1 ||
			len(v[0]) > 100 {
			return "", false
		}
	}
	if name := values.Get("at"); name != "" {
		if _, found := Find(name); !found || len(values) > 1 {
			return "", false
		}
		return name, true
	}
	return strings.ReplaceAll(values.Encode(), "%2C", ","), true
}

// fragment is a setting as it comes after #.
func fragment(at string) string {
	if strings.Contains(at, "=") {
		return at
	}
	return "at=" + url.QueryEscape(at)
}
