package web

import (
	"testing"

	"minissh/cmd/minissh-lab/web/record"
)

// The run of every preset is taken along, as a page and as a capture.
func TestEveryPresetIsTakenAlong(t *testing.T) {
	l := startLab(t)
	for _, p := range Presets() {
		if p.Live != "" {
			continue
		}
		sides, err := record.Run(t.Context(), p.Setting)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		for _, kind := range []string{"html", "pcap"} {
			status, text := l.request(t, "POST", "/api/export", jsonOf(struct {
				Kind string `json:"kind"`
				Replay
			}{kind, Replay{Mode: "lab", Lang: "en", Theme: "light", View: "lanes",
				Setting: &p.Setting, Sides: sides}}), nil)
			if status != 200 {
				t.Errorf("%s as %s: %d %.200s", p.Name, kind, status, text)
			}
		}
	}
}
