package class

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// decoded is what a scanner reads.
func decoded(t *testing.T, at func(x, y int) bool, size int) string {
	t.Helper()
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("not run: needs zbarimg")
	}
	const pixels = 6
	img := image.NewGray(image.Rect(0, 0, size*pixels, size*pixels))
	for y := range size * pixels {
		for x := range size * pixels {
			if !at(x/pixels, y/pixels) {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	path := filepath.Join(t.TempDir(), "qr.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	f.Close()
	out, err := exec.CommandContext(t.Context(), zbar, "--quiet", "--raw", path).Output()
	if err != nil {
		t.Fatalf("it is not read: %v", err)
	}
	return strings.TrimSpace(string(out))
}

const link = "http://192.168.255.255:65535/"

// A phone reads the code on the page and the one in a terminal.
func TestQRIsRead(t *testing.T) {
	svg := string(qrPicture(link, `"><script>`))
	if strings.Contains(svg, "<script") || strings.Contains(svg, `""`) {
		t.Errorf("the label is markup: %s", svg)
	}
	size, err := strconv.Atoi(regexp.MustCompile(`viewBox="0 0 (\d+)`).FindStringSubmatch(svg)[1])
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1]) // digits alone
		y, _ := strconv.Atoi(m[2])
		dark[[2]int{x, y}] = true
	}
	if got := decoded(t, func(x, y int) bool { return dark[[2]int{x, y}] }, size); got != link {
		t.Errorf("the page's is read as %q", got)
	}
	blocks := regexp.MustCompile("\x1b[^m]*m").ReplaceAllString(QRBlocks(link), "")
	rows := strings.Split(strings.TrimSuffix(blocks, "\n"), "\n")
	at := func(x, y int) bool {
		if y/2 >= len(rows) {
			return false
		}
		switch []rune(rows[y/2])[x] {
		case '█':
			return true
		case '▀':
			return y%2 == 0
		case '▄':
			return y%2 == 1
		}
		return false
	}
	if got := decoded(t, at, len([]rune(rows[0]))); got != link {
		t.Errorf("the terminal's is read as %q", got)
	}
	if QRBlocks(strings.Repeat("x", 5000)) != "" || qrPicture(strings.Repeat("x", 5000), "") != "" {
		t.Error("a text that is too long has a code")
	}
}
