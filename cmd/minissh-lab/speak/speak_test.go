package speak

import (
	"strings"
	"testing"
)

func TestTextChoosesLanguages(t *testing.T) {
	for _, c := range []struct {
		lang   Lang
		zh, en string
		want   string
	}{
		{Both, "你好", "hello", "你好  /  hello"},
		{Chinese, "你好", "hello", "你好"},
		{English, "你好", "hello", "hello"},
		{Both, "same", "same", "same"},
		{Both, "", "only", "only"},
		{English, "只有", "", "只有"},
		{Both, "两\n行", "two", "两\n行\ntwo"},
		{Both, strings.Repeat("中", 40), "long enough to go below", strings.Repeat("中", 40) + "\nlong enough to go below"},
	} {
		if got := c.lang.Text(c.zh, c.en); got != c.want {
			t.Errorf("Text(%v, %q, %q) = %q, want %q", c.lang, c.zh, c.en, got, c.want)
		}
	}
}

func TestCleanLeavesNoEscapeSequence(t *testing.T) {
	in := "中文\tok\r\n\x1b[31mred\x07\xff\u202eflip\u0085"
	want := "中文\tok\n\\x1b[31mred\\x07\\xff\\u202eflip\\x85"
	if got := Clean(in); got != want {
		t.Errorf("Clean = %q, want %q", got, want)
	}
	if got := Quote([]byte("a\x1b\n中\xff")); got != `"a\x1b\n中\xff"` {
		t.Errorf("Quote = %s", got)
	}
	for in, want := range map[string]string{`{"a": 1}` + "\x00": `'{"a": 1}\x00'`,
		`"it's"`: `"\"it's\""`, `it's`: `"it's"`, `\"`: `'\\"'`} {
		if got := Quote([]byte(in)); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
	if got := QuoteShort([]byte("abcdef"), 2); got != `"ab"…(+4)` {
		t.Errorf("QuoteShort = %s", got)
	}
}

func TestWidthCountsColumns(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "中文": 4, "，": 2, "": 0} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestLanguageOfTheLocale(t *testing.T) {
	for _, c := range []struct {
		all, messages, lang string
		want                Lang
	}{
		{"", "", "", Both},
		{"", "", "C", Both},
		{"", "", "POSIX", Both},
		{"", "", "C.UTF-8", Both},
		{"", "", "zh_CN.UTF-8", Chinese},
		{"", "", "zh_TW", Chinese},
		{"", "", "en_US.UTF-8", English},
		{"", "", "de_DE@euro", English},
		{"", "en_GB.UTF-8", "zh_CN.UTF-8", English},
		{"zh_CN.GB18030", "en_GB.UTF-8", "en_US", Chinese},
		{"C", "zh_CN", "zh_CN", Both},
	} {
		env := map[string]string{"LC_ALL": c.all, "LC_MESSAGES": c.messages, "LANG": c.lang}
		if got := FromLocale(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%v: language %v, want %v", env, got, c.want)
		}
	}
}

func TestParseLang(t *testing.T) {
	for s, want := range map[string]Lang{"": Both, "both": Both, "zh": Chinese, "en": English} {
		if got, err := ParseLang(s); err != nil || got != want {
			t.Errorf("ParseLang(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseLang("fr"); err == nil {
		t.Error("ParseLang accepted fr")
	}
}
