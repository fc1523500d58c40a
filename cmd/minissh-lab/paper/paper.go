package paper

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"minissh/cmd/minissh-lab/lesson"
)

//go:embed page.css
var style string

//go:embed page.html
var text string

// page is the template of all pages.
var page = template.Must(template.New("page").Parse(text))

// sheet is one side of paper.
type sheet struct {
	zh     bool
	Lesson *shown // or
	Cheat  *cheat
}

// shown is a lesson in one language.
type shown struct {
	Name, Title, Run, Code, Ask   string
	Options                       []string
	Quiz, Change, Exercise, Check string
	Knobs                         []string
	Picture                       []field
	Words                         map[string]string
}

// Lesson writes the page of a lesson, in Chinese or else in English.
func Lesson(w io.Writer, l *lesson.Lesson, zh bool) error {
	return write(w, zh, sheet{zh: zh, Lesson: show(l, zh)})
}

// Cheatsheet writes the cheat sheet.
func Cheatsheet(w io.Writer, zh bool) error {
	return write(w, zh, sheet{zh: zh, Cheat: cheatsheet(zh)})
}

// All writes every lesson's page and the cheat sheet into one file, each on its own side.
func All(w io.Writer, zh bool) error {
	var sheets []sheet
	for _, l := range lesson.All() {
		sheets = append(sheets, sheet{zh: zh, Lesson: show(l, zh)})
	}
	return write(w, zh, append(sheets, sheet{zh: zh, Cheat: cheatsheet(zh)})...)
}

func write(w io.Writer, zh bool, sheets ...sheet) error {
	lang, title := "en", "minissh-lab"
	if zh {
		lang, title = "zh-CN", "粘包实验室"
	}
	if first := sheets[0]; len(sheets) == 1 && first.Lesson != nil {
		title += " " + first.Lesson.Name
	}
	sum := sha256.Sum256([]byte(style))
	return page.Execute(w, map[string]any{
		"Lang": lang, "Title": title, "Sheets": sheets, "Style": template.CSS(style),
		"Hash": template.HTMLAttr("content=\"default-src 'none'; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(sum[:]) + "'\""),
	})
}

// in is a text in the page's language.
func in(zh bool, t lesson.Text) string {
	if zh {
		return t.Zh
	}
	return t.En
}

func show(l *lesson.Lesson, zh bool) *shown {
	s := &shown{Name: l.Name, Title: in(zh, l.Title), Run: in(zh, l.Run), Code: code(l.Code, zh),
		Ask: in(zh, l.Ask.Text), Change: in(zh, l.Change), Exercise: in(zh, l.Exercise),
		Check: outdent(l.Check), Picture: picture(l.Name), Words: words(zh)}
	for i, o := range l.Ask.Options {
		s.Options = append(s.Options, string(rune('A'+i))+"  "+in(zh, o.Text))
	}
	if l.Quiz != nil {
		s.Quiz = in(zh, l.Quiz.Text)
	}
	for _, v := range l.Knob.Values {
		if strings.ContainsAny(v, "\\ ") {
			v = "'" + v + "'"
		}
		s.Knobs = append(s.Knobs, "minissh-lab lesson "+l.Name+" --change "+v)
	}
	return s
}

// code leaves the comments of one language: `# 中文 / English`.
func code(text string, zh bool) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		before, comment, ok := strings.Cut(line, "# ")
		chinese, english, both := strings.Cut(comment, " / ")
		if ok && both {
			if zh {
				english = chinese
			}
			line = before + "# " + english
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// outdent takes away what sets off the second line of a check on a terminal.
func outdent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// words are the page's own.
func words(zh bool) map[string]string {
	out := map[string]string{}
	for name, w := range map[string]lesson.Text{
		"lesson":  {Zh: "课", En: "Lesson"},
		"who":     {Zh: "姓名", En: "Name"},
		"day":     {Zh: "日期", En: "Date"},
		"run":     {Zh: "运行什么", En: "What runs"},
		"predict": {Zh: "先预测，再运行", En: "Predict, then run"},
		"mine":    {Zh: "我的预测", En: "My prediction"},
		"seen":    {Zh: "实际看到", En: "What I saw"},
		"why":     {Zh: "为什么？", En: "Why?"},
		"wire":    {Zh: "线上的字节", En: "Bytes on the wire"},
		"more":    {Zh: "再来一题", En: "One more"},
		"change":  {Zh: "改一改", En: "Change something"},
		"task":    {Zh: "练习", En: "Exercise"},
		"check":   {Zh: "检查", En: "Check"},
		"draw": {Zh: "画出来：哪次 send、哪个段、缓冲里有什么、哪次 recv；同一个字节画在同一列",
			En: "Draw it: which send, which segment, what waits, which recv; the same byte in " +
				"one column"},
		"segment": {Zh: "TCP 段", En: "segments"},
		"buffer":  {Zh: "接收缓冲", En: "buffer"},
		"motto": {Zh: "包没有粘，是流没有边界。",
			En: "No packet stuck: the stream has no boundaries."},
	} {
		out[name] = in(zh, w)
	}
	return out
}
