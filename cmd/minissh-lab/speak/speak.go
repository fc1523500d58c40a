package speak

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Lang says which of the two languages are printed.
type Lang int

const (
	Both    Lang = iota // 中文 first, English beside it
	Chinese             // 中文 only
	English             // English only
)

// ParseLang reads the value of --lang: zh, en or both.
func ParseLang(s string) (Lang, error) {
	switch s {
	case "", "both":
		return Both, nil
	case "zh":
		return Chinese, nil
	case "en":
		return English, nil
	}
	return Both, fmt.Errorf("--lang %s: want zh, en or both", Quote([]byte(s)))
}

// FromLocale is the language that the environment asks for: Chinese or English, and both
// where it says nothing (unset, C, POSIX). As in locale(7), the first of LC_ALL,
// LC_MESSAGES and LANG that is not empty counts.
func FromLocale(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		switch value := getenv(name); {
		case value == "":
			continue
		case value == "C" || value == "POSIX" || strings.HasPrefix(value, "C."):
			return Both
		case strings.HasPrefix(strings.ToLower(value), "zh"):
			return Chinese
		default:
			return English
		}
	}
	return Both
}

// beside is the widest pair, in terminal columns, that is put on one line.
const beside = 96

// Text joins the two languages as l wants them: one of them, or both on one
// line while that fits, else 中文 above English.
func (l Lang) Text(zh, en string) string {
	switch {
	case l == Chinese || en == "":
		return zh
	case l == English || zh == "":
		return en
	case zh == en:
		return zh
	case !strings.Contains(zh+en, "\n") && Width(zh)+Width(en)+5 <= beside:
		return zh + "  /  " + en
	}
	return zh + "\n" + en
}

// Printer writes lines in one or both languages. Its methods may be called from
// several goroutines: a line is never torn.
type Printer struct {
	Lang Lang

	mu sync.Mutex
	w  io.Writer // owned by mu
}

// New returns a printer on w.
func New(w io.Writer, l Lang) *Printer { return &Printer{Lang: l, w: w} }

// Say prints one line (or two, see Text). Text from the peer must have gone
// through Clean or Quote.
func (p *Printer) Say(zh, en string) { p.Raw(p.Lang.Text(zh, en) + "\n") }

// Sayf is Say with the same arguments for both languages.
func (p *Printer) Sayf(zh, en string, args ...any) {
	p.Say(fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...))
}

// Raw writes s as it is.
func (p *Printer) Raw(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	io.WriteString(p.w, s) // a terminal that is gone has nobody to tell
}
