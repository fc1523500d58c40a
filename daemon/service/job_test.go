//go:build unix

package service

import (
	"testing"

	"minissh/daemon/process"
)

// An account has at most 256 keepers of one daemon, whatever became of their files; others have
// their own. What has ended, in whatever way, makes room once.
func TestKeepersAreCounted(t *testing.T) {
	mine := process.Account{Credential: &process.Credential{UID: 65531}}
	other := process.Account{Credential: &process.Credential{UID: 65532}}
	var leave []func()
	for i := range 256 {
		end, ok := enterKeeper(mine)
		if !ok {
			t.Fatalf("the keeper %d is one too many", i+1)
		}
		leave = append(leave, end)
	}
	if _, ok := enterKeeper(mine); ok {
		t.Error("there are 257 keepers")
	}
	end, ok := enterKeeper(other)
	if !ok {
		t.Fatal("another account has no room")
	}
	end()
	leave[0]()
	again, ok := enterKeeper(mine)
	if !ok {
		t.Fatal("one has ended, and there is no room")
	}
	leave[0] = again
	for _, end := range leave {
		end()
	}
	keepers.Lock()
	defer keepers.Unlock()
	if len(keepers.of) != 0 {
		t.Errorf("%v are left", keepers.of)
	}
}
