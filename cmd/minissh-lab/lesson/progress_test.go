package lesson

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgressIsKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	p, err := LoadProgress()
	if err != nil {
		t.Fatal(err)
	}
	p.Lessons["12"] = Done{Day: "2026-01-02", Predicted: true}
	p.Checks["16 client"] = Done{Day: "2026-01-03", Passed: true}
	p.Last = "12"
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	q, err := LoadProgress()
	if err != nil || !q.Lessons["12"].Predicted || !q.Checks["16 client"].Passed || q.Last != "12" {
		t.Errorf("%+v, %v", q, err)
	}
	file := filepath.Join(dir, "minissh-lab", "progress.json")
	if err := os.WriteFile(file, []byte(`{"lessons": [`), 0o600); err != nil {
		t.Fatal(err)
	}
	if q, err := LoadProgress(); err != nil || len(q.Lessons) != 0 {
		t.Errorf("half a file: %+v, %v", q, err)
	}
	entries, _ := os.ReadDir(filepath.Dir(file))
	if len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

// The next lesson follows the one done last; only a newcomer is sent to 12.
func TestNextLessonFollowsTheProgress(t *testing.T) {
	done := func(last string, names ...string) *Progress {
		p := &Progress{Lessons: map[string]Done{}, Last: last}
		for _, name := range names {
			p.Lessons[name] = Done{Day: "2026-01-02"}
		}
		return p
	}
	var all []string
	for _, l := range All() {
		all = append(all, l.Name)
	}
	for _, c := range []struct {
		p    *Progress
		want string
	}{
		{done(""), "12"},
		{done("12", "12"), "13a"},
		{done("6", "1-5", "6", "12"), "7"},
		{done("11", "11", "12"), "13a"},
		{done("own", "own"), "1-5"},
		{done("", "1-5", "12"), "6"}, // a file without the last one
		{done("12", all...), "own"},
	} {
		if got := c.p.Next().Name; got != c.want {
			t.Errorf("after %v, last %q: %s, want %s", c.p.Lessons, c.p.Last, got, c.want)
		}
	}
}
