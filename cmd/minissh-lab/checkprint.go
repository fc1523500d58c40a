package main

import (
	"errors"
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/check"
	"minissh/cmd/minissh-lab/speak"
)

// checkPrinter shows the results of a check.
type checkPrinter struct {
	*speak.Printer
	color bool
}

func (p *checkPrinter) paint(text, code string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// result shows one case as it ends.
func (p *checkPrinter) result(r check.Result) {
	mark, color := "✓", "32"
	skipped, skip := errors.AsType[*check.Skipped](r.Err)
	switch {
	case skip:
		mark, color = "-", "90"
	case r.Err != nil && r.Case.Bonus:
		mark, color = "!", "33"
	case r.Err != nil:
		mark, color = "✗", "31"
	}
	name := r.Case.Name + strings.Repeat(" ", max(0, 15-len(r.Case.Name)))
	p.Raw("  " + p.paint(mark, color) + " " + name + p.line(r.Case.What) + "\n")
	if skip {
		p.field("", "", skipped.Why)
	}
	f := r.Failed()
	if f == nil {
		return
	}
	p.field("发出", "sent", f.Sent)
	p.field("期望", "expected", f.Want)
	p.field("实际", "came", f.Got)
	if f.Said != "" {
		p.field("程序说", "it said", check.Text{Zh: f.Said, En: f.Said})
	}
	if f.Where != "" {
		p.field("在哪一行", "where", check.Text{Zh: f.Where, En: f.Where})
	}
	switch b := f.Belief; {
	case f.Follows != "" && !f.Proven:
		p.field("原因", "because", check.Text{Zh: "可能还是那个错：先改好 " + f.Follows + "，再看",
			En: "perhaps the same bug: mend " + f.Follows + " first, and look again"})
	case f.Follows != "":
		p.field("原因", "because", check.Text{Zh: "同一个错：先改好 " + f.Follows,
			En: "the same bug: mend " + f.Follows + " first"})
	case b == nil:
		p.field("原因", "because", check.Text{Zh: "不知道：上面就是看到的全部",
			En: "I do not know: the above is all that was seen"})
	default:
		p.field("误以为", "believed", b.Believed)
		p.field("其实", "in truth", b.Truth)
		p.field("改法", "mend", b.Remedy)
	}
}

// line is a text on one line.
func (p *checkPrinter) line(t check.Text) string {
	return strings.ReplaceAll(p.Lang.Text(t.Zh, t.En), "\n", "  /  ")
}

// field prints one labelled text, both languages below each other.
func (p *checkPrinter) field(zh, en string, t check.Text) {
	if t.Zh == "" && t.En == "" {
		return
	}
	label := func(s string) string {
		return "      " + s + strings.Repeat(" ", max(1, 10-speak.Width(s)))
	}
	same := t.Zh == t.En
	if p.Lang == speak.Both && same {
		p.Raw(label(zh) + t.Zh + "\n")
		return
	}
	if p.Lang != speak.English {
		p.Raw(label(zh) + t.Zh + "\n")
	}
	if p.Lang != speak.Chinese {
		p.Raw(label(en) + t.En + "\n")
	}
}

// summary is the last line.
func (p *checkPrinter) summary(s check.Summary) {
	zh, en := fmt.Sprintf("通过 %d，没通过 %d", s.Passed, s.Failed),
		fmt.Sprintf("%d passed, %d failed", s.Passed, s.Failed)
	if s.Remarks > 0 {
		zh, en = zh+fmt.Sprintf("，有改进余地 %d", s.Remarks),
			en+fmt.Sprintf(", %d could be better", s.Remarks)
	}
	if s.Skipped > 0 {
		zh, en = zh+fmt.Sprintf("，跳过 %d", s.Skipped), en+fmt.Sprintf(", %d skipped", s.Skipped)
	}
	p.Say(zh, en)
}
