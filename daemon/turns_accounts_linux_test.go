package daemon

import (
	"runtime"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
)

// Helpers of one account take turns in starting, as its commands do, whatever they are for: one
// user who starts them as fast as that goes leaves processors to others.
func TestAccountHelpersTakeTurns(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	s := l.as(acct, l.guest)
	defer s.Close(nil)
	for what, request := range map[string]protocol.Open{
		"a group":    {Service: authorized.Forward.Name},
		"a listener": {Service: authorized.Forward.Name, Listen: &protocol.Target{}},
		"an agent":   {Service: authorized.Agent.Name},
		"sftp":       {Service: authorized.Subsystem.Name, Name: "sftp"},
		"files": {Service: authorized.Files.Name, Files: &protocol.Files{
			Mode: protocol.FilesPut, Target: protocol.Bytes("x")}},
	} {
		begun := time.Now()
		for range max(1, runtime.GOMAXPROCS(0)/2) { // all turns are taken
			end, err := process.Turn(t.Context(), acct)
			if err != nil {
				t.Fatal(err)
			}
			defer end()
		}
		ch := start(t, s, request)
		select {
		case <-ch.Requests():
		case <-ch.Gone():
			t.Fatalf("%s: %+v", what, collect(t, ch).refused)
		}
		if waited := time.Since(begun); waited < 250*time.Millisecond {
			t.Errorf("%s had its turn after %v", what, waited)
		}
	}
}
