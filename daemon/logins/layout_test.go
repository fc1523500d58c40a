package logins

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The layout is the C compiler's. arm64 differs in glibc's bits/wordsize.h, which here has what it
// has there: so ut_session is a long, and ut_tv a struct timeval.
func TestLayout(t *testing.T) {
	cc, err := exec.LookPath("gcc")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("not run: needs gcc on amd64")
	}
	const wordsize = `#define __WORDSIZE 64
#define __WORDSIZE_TIME64_COMPAT32 0
#define __SYSCALL_WORDSIZE 64
`
	const program = `#include <stddef.h>
#include <stdio.h>
#include <utmp.h>
int main(void) {
	printf("%zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu\n", sizeof(struct utmp),
		offsetof(struct utmp, ut_type), offsetof(struct utmp, ut_pid),
		offsetof(struct utmp, ut_line), offsetof(struct utmp, ut_id),
		offsetof(struct utmp, ut_user), offsetof(struct utmp, ut_host),
		offsetof(struct utmp, ut_tv), sizeof(((struct utmp *)0)->ut_tv.tv_sec),
		offsetof(struct utmp, ut_addr_v6), offsetof(struct utmp, ut_addr_v6) + 16,
		sizeof(struct lastlog), offsetof(struct lastlog, ll_line),
		offsetof(struct lastlog, ll_host));
	printf("%d %d %d\n", INIT_PROCESS, USER_PROCESS, DEAD_PROCESS);
}
`
	dir := t.TempDir()
	file, bin := filepath.Join(dir, "layout.c"), filepath.Join(dir, "layout")
	if err := errors.Join(os.WriteFile(file, []byte(program), 0o600),
		os.MkdirAll(filepath.Join(dir, "arm64/bits"), 0o700),
		os.WriteFile(filepath.Join(dir, "arm64/bits/wordsize.h"), []byte(wordsize),
			0o600)); err != nil {
		t.Fatal(err)
	}
	for arch, l := range map[string]*layout{"amd64": layouts["amd64"], "arm64": layouts["arm64"]} {
		if out, err := exec.CommandContext(t.Context(), cc, "-I"+filepath.Join(dir, arch), "-o",
			bin, file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got, err := exec.CommandContext(t.Context(), bin).Output()
		if err != nil {
			t.Fatal(err)
		}
		seconds := 4
		if l.wide {
			seconds = 8
		}
		want := fmt.Sprintln(l.size, 0, 4, 8, 40, 44, 76, l.time, seconds, l.addr, l.unused, l.last,
			seconds, seconds+lineSize) + fmt.Sprintln(initProcess, userProcess, deadProcess)
		if string(got) != want {
			t.Errorf("%s:\n%swant\n%s", arch, got, want)
		}
	}
	// the numbers themselves, for where there is no compiler
	if narrow.size != 384 || wide.size != 400 || narrow.last != 292 || wide.last != 296 {
		t.Error("sizes")
	}
}

// What is too long is cut, and an entry reads as it was written, on each layout.
func TestEntry(t *testing.T) {
	at := time.Unix(1_800_000_000, 123_456_000)
	for name, l := range map[string]*layout{"narrow": &narrow, "wide": &wide} {
		login := &Login{Line: "pts/123", User: strings.Repeat("u", 40),
			Host: strings.Repeat("h", 300), PID: 4711,
			Addr: netip.MustParseAddr("::ffff:192.0.2.7")}
		e := l.entry(l.begin(login, at))
		if !e.is(login) || !e.ours() || e.id() != "/123" || e.kind() != userProcess ||
			text(e.b[76:]) != strings.Repeat("h", 256) ||
			text(e.b[44:][:userSize]) != strings.Repeat("u", 32) ||
			netip.AddrFrom4([4]byte(e.b[l.addr:])).String() != "192.0.2.7" {
			t.Errorf("%s: %q", name, e.b)
		}
		if e.end(at); e.is(login) || e.pid() != 4711 || e.line() != "pts/123" ||
			text(e.b[44:]) != "" || text(e.b[76:]) != "" {
			t.Errorf("%s, ended: %q", name, e.b)
		}
		last, ok := l.readLast(l.lastOf(&Login{Line: "pts/1", Host: "a\x1b[2Jb \xff"}, at))
		if !ok || last.Time.Unix() != at.Unix() || last.Host != "a?[2Jb??" {
			t.Errorf("%s: %+v, %v", name, last, ok)
		}
		if _, ok := l.readLast(make([]byte, l.last)); ok {
			t.Errorf("%s: nobody was here", name)
		}
	}
}

func TestWords(t *testing.T) {
	at := time.Date(2026, 12, 1, 4, 5, 6, 0, time.Local)
	if got := (Last{at, "192.0.2.7"}).Words(); got !=
		"Last login: Tue Dec  1 04:05:06 2026 from 192.0.2.7\r\n" {
		t.Errorf("%q", got)
	}
	if got := (Last{at, ""}).Words(); got != "Last login: Tue Dec  1 04:05:06 2026\r\n" {
		t.Errorf("%q", got)
	}
}
