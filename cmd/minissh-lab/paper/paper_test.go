package paper

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/lesson"
)

// pages prints a file of HTML and counts the pages.
func pages(t *testing.T, html []byte) int {
	t.Helper()
	var chromium string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && chromium == "" {
			chromium = found
		}
	}
	if chromium == "" {
		t.Skip("not run: needs chromium")
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, html, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := []string{"--headless", "--disable-gpu", "--no-pdf-header-footer",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + to}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // root may not use it
	}
	cmd := exec.CommandContext(ctx, chromium, append(args, from)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %.500s", err, out)
	}
	pdf, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("MINISSH_SCREENSHOTS"); keep != "" {
		name := strings.ReplaceAll(t.Name(), "/", "-") + ".pdf"
		if err := os.WriteFile(filepath.Join(keep, name), pdf, 0o600); err != nil {
			t.Error(err)
		}
	}
	return len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(pdf, -1))
}

// Every lesson is one side of A4, and so is the cheat sheet, in both languages: one that was longer
// would make a page more.
func TestOnePageEach(t *testing.T) {
	for _, zh := range []bool{true, false} {
		name := map[bool]string{true: "zh", false: "en"}[zh]
		t.Run(name, func(t *testing.T) {
			var all bytes.Buffer
			if err := All(&all, zh); err != nil {
				t.Fatal(err)
			}
			if got, want := pages(t, all.Bytes()), len(lesson.All())+1; got != want {
				t.Errorf("%d pages, want %d", got, want)
			}
		})
	}
}

// A page asks for nothing, does not tell the answer, and shows the bytes.
func TestWhatIsOnThePage(t *testing.T) {
	l := lesson.Find("15a")
	var page bytes.Buffer
	if err := Lesson(&page, l, false); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{"Content-Security-Policy", "width=device-width",
		"A  00 00 0b b8", "C  b8 0b 00 00",
		"minissh-lab lesson 15a --change", "minissh-lab check 15a", "<b>05</b>", "as printed"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, bad := range []string{"src=", "http:", "https:", "<script", "书上",
		"Those are the four"} {
		if strings.Contains(text, bad) {
			t.Errorf("it has %q", bad)
		}
	}
}
