package report

import (
	"strings"
	"testing"
)

func TestSlips(t *testing.T) {
	for pair, want := range map[string]bool{"hlep help": true, "hep help": true, "exti exit": true,
		"helpp help": true, "xhelp help": true, "hell help": true, "elp help": true,
		"ehlp help": true, "help help": false, "hpel help": false, "h help": false,
		"helpme help": false, "get put": false, "ab a": true, "a b": true, "ab ba": true,
		"abc cab": false, "histroy history": true} {
		a, b, _ := strings.Cut(pair, " ")
		if Slip(a, b) != want || Slip(b, a) != want {
			t.Errorf("%s: %v, %v", pair, Slip(a, b), Slip(b, a))
		}
	}
}
