package process

import (
	"slices"
	"testing"
)

// A helper that confines itself begins as root, outside: so its environment has nothing that a
// program of root's would obey.
func TestConfinedHelpersEnvironment(t *testing.T) {
	plain := []string{"HOME=/h", "USER=u", "LOGNAME=u", "SHELL=/bin/sh", "PATH=/bin"}
	all := append([]string{"LD_PRELOAD=/h/x", "GODEBUG=x", "TZ=:/h/x"}, plain...)
	for root, want := range map[string][]string{"/srv": plain, "": all} {
		spec := Spec{own: true, Credential: &Credential{UID: 1, Root: root}, Env: all}
		order := spec.order(&pipeSet{}, "")
		if !slices.Equal(order.Env, want) || order.Root != root || !order.Helper {
			t.Errorf("%q: %+v", root, order)
		}
	}
}
