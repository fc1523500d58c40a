package main

import (
	"strings"
	"testing"

	"minissh/daemon/control"
)

// The table is aligned, and nothing in it that a client chose reaches the terminal as it is.
func TestWriteSessions(t *testing.T) {
	var b strings.Builder
	writeSessions(&b, []control.SessionInfo{
		{ID: 3, User: "alice", From: "192.0.2.7:51234",
			Key: "ED25519 SHA256:3vV0x1Yz9QabcdefghijklmnopqrstuvwxyzABCDEFG", Age: 7300, Idle: 3,
			In: 1300, Out: 3 << 20, Commands: []control.ActivityInfo{
				{Service: "exec", Command: "printf '\x1b]0;x\a'; 你好", Age: 61}, {Service: "exec", Age: 5}, {Service: "files", Age: 1}}},
		{ID: 12, User: "root\x1b[2J", From: "unix socket", Key: "uid 0", Age: 3, Idle: 3, In: 88, Out: 171, Ending: true},
		{ID: 13, User: "bob", From: "[2001:db8::1]:40000", Key: "uid 7", Away: true, Lost: 61, Held: 7200},
	})
	want := `ID  USER           FROM                 KEY                  AGE  IDLE  IN      OUT   RUNNING
3   alice          192.0.2.7:51234      ED25519 3vV0x1Yz9Q…  2h   3s    1.27KB  3MB   "printf '\x1b]0;x\a'; 你好" for 61s
                                                                                      (login shell) for 5s
                                                                                      (files) for 1s
12  "root\x1b[2J"  unix socket          uid 0                3s   3s    88B     171B  (ending) -
13  bob            [2001:db8::1]:40000  uid 7                0s   0s    0B      0B    (connection lost 61s ago, held for 2h) -
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	writeSessions(&b, nil)
	if b.String() != "nobody is logged in\n" {
		t.Errorf("%q", b.String())
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1KB", 1300: "1.27KB",
		999 << 10: "999KB", 1<<20 - 1: "1MB", 5 << 30: "5GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0s", 119: "119s", 120: "2m", 7199: "119m", 7200: "2h",
		86400: "24h", 3 * 86400: "3d"} {
		if got := durationText(n); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
}
