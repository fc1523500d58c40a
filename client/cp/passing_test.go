package cp

import (
	"testing"

	"minissh/protocol"
	"minissh/protocol/files"
)

// Between two machines too, what one sends goes to the other only if it was asked for.
func TestPassingAsksToo(t *testing.T) {
	plan, err := Parse([]string{"h:a", "g:b"})
	if err != nil {
		t.Fatal(err)
	}
	p := &passing{view: &View{}, asked: plan.Asked(plan.Sources), names: map[int64]passed{}}
	for name, taken := range map[string]bool{"a": true, ".bashrc": false, "a/b": false} {
		for _, kind := range []files.Kind{files.KindFile, files.KindOffer} {
			err := p.record(&files.Record{Kind: kind, ID: 1, Name: protocol.Bytes(name)})
			if (err == nil) != taken {
				t.Errorf("%s %s: %v", kind, name, err)
			}
		}
	}
}
