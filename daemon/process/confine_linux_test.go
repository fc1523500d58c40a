package process

import (
	"slices"
	"testing"
)

// A helper that confines itself begins as root, outside: so its environment has nothing that a
// program of root's would obey.
func TestConfinedHelpersEnvironment(t *testing.T) {
	for root, want := range map[string][]string{
		"/srv": {"HOME=/h", "USER=u", "LOGNAME=u", "SHELL=/bin/sh", "PATH=/bin"},
		"":     {"HOME=/h", "LD_PRELOAD=/h/x", "USER=u", "LOGNAME=u", "GODEBUG=x", "SHELL=/bin/sh", "PATH=/bin", "TZ=:/h/x"},
	} {
		spec := Spec{own: true, Credential: &Credential{UID: 1, Root: root}, Env: []string{"HOME=/h",
			"LD_PRELOAD=/h/x", "USER=u", "LOGNAME=u", "GODEBUG=x", "SHELL=/bin/sh", "PATH=/bin",
			"TZ=:/h/x"}}
		order := spec.order(&pipeSet{}, "")
		if !slices.Equal(order.Env, want) || order.Root != root || !order.Helper {
			t.Errorf("%q: %+v", root, order)
		}
	}
}
