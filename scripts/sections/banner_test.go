//go:build linux

package sections_test

import (
	"strings"
	"testing"
)

// A banner is shown at each login as by ssh, not to those who want to hear nothing, and not raw.
func TestBannerBesideSSHD(t *testing.T) {
	w := newWorld(t)
	w.put("/etc/issue.net", "Only for those\n\n\twho may. 只给有权的人\n")
	w.put("/etc/raw", "a\x1b]0;b\x07c\xff\u202ed\n")
	w.start("Banner /etc/issue.net\nMatch User bob-of-test\nBanner none\n", "")
	ann, bob := login{user: "ann-of-test"}, login{user: "bob-of-test"}
	const text = "Only for those\n\n    who may. 只给有权的人\n"
	for _, daemon := range []string{"sshd", "minisshd"} {
		shown := w.run(daemon, ann, "echo in")
		if got := strings.ReplaceAll(shown.Err, "\t", "    "); got != text || shown.Out != "in\n" {
			t.Errorf("%s: %+v", daemon, shown)
		}
		if r := w.run(daemon, bob, "echo in"); r.Err != "" {
			t.Errorf("%s, in a section with none: %+v", daemon, r)
		}
		for _, quiet := range [][]string{{"-q"}, {"-o", "LogLevel=ERROR"}} {
			r := w.RunCmd(w.client(daemon, ann, append(quiet, "HOST", "echo in")...))
			if r.Err != "" || r.Out != "in\n" {
				t.Errorf("%s %q: %+v", daemon, quiet, r)
			}
		}
	}
	w.reload("Banner /etc/raw\n", "Changed settings hold")
	if r := w.run("minisshd", ann, "true"); r.Err != `a\x1b]0;b\x07c\u202ed`+"\n" {
		t.Errorf("raw: %q", r.Err)
	}
	w.put("/etc/raw", strings.Repeat("\x1b\"", 4096))
	if r := w.run("minisshd", ann, "echo in"); r.Out != "in\n" || len(r.Err) < 4096 {
		t.Errorf("a banner that is long as JSON: %d, %q, %d bytes", r.Code, r.Out, len(r.Err))
	}
	w.must("rm", "/etc/raw")
	if r := w.run("minisshd", ann, "echo in"); r.Out != "in\n" || r.Err != "" ||
		!strings.Contains(w.daemon.Log.String(), "banner cannot be shown") {
		t.Errorf("without the file: %+v", r)
	}
}
