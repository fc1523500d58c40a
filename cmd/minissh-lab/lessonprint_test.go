package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lesson print writes pages in the languages that are asked for, and says what it does not know.
func TestLessonPrint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pages")
	for _, args := range [][]string{{"15a", "--lang", "en"}, {"cheatsheet", "--lang", "both"},
		{"--lang", "zh"}} {
		code, out, errOut := lab(t, "", append([]string{"lesson", "print", "-o", dir}, args...)...)
		if code != 0 || !strings.Contains(out, "A4") {
			t.Fatalf("%v: code %d, %s%s", args, code, out, errOut)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got !=
		"cheatsheet-en.html cheatsheet-zh.html lesson-15a-en.html lessons-zh.html" {
		t.Errorf("the files are %s", got)
	}
	for _, args := range [][]string{{"99"}, {"15a", "16"}, {"15a", "--hint"}} {
		if code, _, errOut := lab(t, "", append([]string{"lesson", "print", "-o", dir},
			args...)...); code != 2 || !strings.Contains(errOut, "hint:") {
			t.Errorf("%v: code %d, %s", args, code, errOut)
		}
	}
}
