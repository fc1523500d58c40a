package options

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	environ := []string{"LANG=zh_CN.UTF-8", "LC_ALL=C", "LC_TIME=", "HOME=/home/me",
		"GIT_PROTOCOL=version=2", "=odd", "NOVALUE"}
	for _, c := range []struct{ args, want string }{
		{"h", ""},
		{"-o SendEnv=GIT_PROTOCOL h", "GIT_PROTOCOL=version=2"},
		{"⟨-oSendEnv LANG LC_*⟩ h", "LANG=zh_CN.UTF-8 LC_ALL=C LC_TIME="},
		{"⟨-oSendEnv LANG LC_*⟩ -oSendEnv=-LC_* h", "LANG=zh_CN.UTF-8"},
		{"-oSendEnv=-LANG -oSendEnv=LANG h", "LANG=zh_CN.UTF-8"},
		{"-oSendEnv=L?NG -oSendEnv=LANG -oSetEnv=LANG=C h", "LANG=zh_CN.UTF-8 LANG=C"},
		{"⟨-oSetEnv A=1 B=x=y⟩ h", "A=1 B=x=y"},
		{"-oSendEnv=NOVALUE h", ""},
	} {
		o := mustParse(t, testEnv(t), words(c.args)...)
		var got []string
		for _, pair := range o.Environment(environ) {
			got = append(got, pair[0]+"="+pair[1])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s sends %q, not %q", c.args, got, c.want)
		}
		if len(o.Notes) > 0 {
			t.Errorf("%s: %q", c.args, o.Notes)
		}
	}
	o := mustParse(t, testEnv(t), "-oSendEnv=*", "h")
	big := []string{"A=1", "BIG=" + strings.Repeat("x", mostSent), "B=2"}
	if got := o.Environment(big); !reflect.DeepEqual(got, [][2]string{{"A", "1"}, {"B", "2"}}) {
		t.Errorf("a huge variable: %d pairs", len(got))
	}
	var many []string
	for i := range 10000 {
		many = append(many, fmt.Sprintf("N%d=12345678", i))
	}
	if n := len(o.Environment(many)); n < 500 || n > mostSent/10 {
		t.Errorf("%d of many variables are sent", n)
	}

	for args, want := range map[string]string{
		"h": "", "⟨-oSendEnv LANG LC_* GIT_PROTOCOL⟩ h": "", "-oSetEnv=LC_X=1 h": "",
		"-oSendEnv=PSSH_* h": "",
		"-oSendEnv=HOME h": "these variables do not reach the command: HOME (a daemon " +
			"accepts LANG, LC_*, COLORTERM, NO_COLOR, GIT_PROTOCOL)",
		"⟨-oSetEnv A=1 B=2 LANG=C⟩ h": "these variables do not reach the command: A, B (a daemon " +
			"accepts LANG, LC_*, COLORTERM, NO_COLOR, GIT_PROTOCOL)",
	} {
		if got := mustParse(t, testEnv(t), words(args)...).EnvironmentLeftOut(
			append(environ, "PSSH_NODENUM=3")); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	o = mustParse(t, testEnv(t), "-oSendEnv=LC_*", "h")
	if got := o.EnvironmentLeftOut([]string{"LC_A=" + strings.Repeat("x", 16384),
		"LC_B=1"}); got != "these variables do not reach the command: LC_A (more than 16 KiB in "+
		"all)" {
		t.Errorf("a huge variable: %q", got)
	}
}
