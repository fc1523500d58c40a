package protocol

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// hexBlock is what stands in one ```hex block of PROTOCOL.md: left of two or more blanks hex, right of them what it means.
type hexBlock struct {
	line  int // in PROTOCOL.md
	raw   []byte
	words []string // what stands beside the hex, line by line
	sizes []int    // bytes of hex on the line
}

var annotation = regexp.MustCompile(`^((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  +(.*))?$`)

func specBlocks(t *testing.T) []hexBlock {
	t.Helper()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []hexBlock
	inside := false
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "```hex":
			inside = true
			blocks = append(blocks, hexBlock{line: i + 1})
		case line == "```":
			inside = false
		case inside:
			parts := annotation.FindStringSubmatch(line)
			if parts == nil {
				t.Fatalf("PROTOCOL.md:%d: neither hex nor annotation: %q", i+1, line)
			}
			raw, err := hex.DecodeString(strings.ReplaceAll(parts[1], " ", ""))
			if err != nil {
				t.Fatalf("PROTOCOL.md:%d: %v", i+1, err)
			}
			b := &blocks[len(blocks)-1]
			b.raw = append(b.raw, raw...)
			b.words = append(b.words, parts[2])
			b.sizes = append(b.sizes, len(raw))
		}
	}
	return blocks
}

// The examples of PROTOCOL.md are frames, the lengths in them are right, they are written by this package just so, and each
// kind of frame has one.
func TestSpecExamples(t *testing.T) {
	shown := map[Type]bool{}
	for _, b := range specBlocks(t) {
		r := NewReader(bytes.NewReader(b.raw))
		f, err := r.Next()
		if err != nil {
			t.Errorf("PROTOCOL.md:%d: %v (%d bytes stand there)", b.line, err, len(b.raw)-HeaderSize)
			continue
		}
		shown[f.Type] = true
		decoded, err := decode(f)
		if err != nil {
			t.Errorf("PROTOCOL.md:%d: %v", b.line, err)
			continue
		}
		if again := encode(t, f, decoded); !bytes.Equal(again, b.raw) {
			t.Errorf("PROTOCOL.md:%d: written again it is\n% x %s, not\n% x %s", b.line, again[:HeaderSize], again[HeaderSize:], b.raw[:HeaderSize], b.raw[HeaderSize:])
		}
		if all := strings.Join(b.words, " "); !strings.Contains(all, f.Type.String()) {
			t.Errorf("PROTOCOL.md:%d: %v is called %q", b.line, f.Type, all)
		}
		if !f.Type.IsJSON() {
			continue
		}
		at := 0 // beside JSON stands the same JSON
		for i, n := range b.sizes {
			if at >= HeaderSize && string(b.raw[at:at+n]) != b.words[i] {
				t.Errorf("PROTOCOL.md:%d: beside %q stands %q", b.line+1+i, b.raw[at:at+n], b.words[i])
			}
			at += n
		}
		switch m := decoded.(type) {
		case *Hello:
			if err := m.Check(); err != nil {
				t.Errorf("PROTOCOL.md:%d: %v", b.line, err)
			}
		case *Welcome:
			if err := m.Check(); err != nil {
				t.Errorf("PROTOCOL.md:%d: %v", b.line, err)
			}
		case *Pair:
			if err := m.Check(); err != nil {
				t.Errorf("PROTOCOL.md:%d: %v", b.line, err)
			}
		}
	}
	for kind, name := range knownTypes() {
		if !shown[kind] {
			t.Errorf("PROTOCOL.md shows no %s", name)
		}
	}
}

func knownTypes() map[Type]string {
	known := make(map[Type]string)
	for kind, name := range typeNames {
		if name != "" {
			known[Type(kind)] = name
		}
	}
	return known
}

// The table of P3.5 and the list of P8 are what the code says, both ways.
func TestSpecTables(t *testing.T) {
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^ *\| 0x([0-9a-f]{2}) \| ([A-Z]+) \| [a-z]+ \| (?:([\d,]+) to )?([\d,]+) \|`).FindAllStringSubmatch(string(text), -1)
	if known := len(knownTypes()); len(rows) != known {
		t.Errorf("%d types in the table, %d in the code", len(rows), known)
	}
	for _, row := range rows {
		n, _ := hex.DecodeString(row[1])
		if typeNames[Type(n[0])] != row[2] {
			t.Errorf("0x%s is %s in the table, %q in the code", row[1], row[2], typeNames[Type(n[0])])
		}
		least, most := Type(n[0]).sizes()
		size := strings.ReplaceAll(fmt.Sprintf("%s %s", cmp.Or(row[3], row[4]), row[4]), ",", "")
		if size != fmt.Sprintf("%d %d", least, most) {
			t.Errorf("%s has %s bytes in the table, %d to %d in the code", row[2], size, least, most)
		}
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "## 8. Codes")
	chapter, _, _ = strings.Cut(chapter, "## 9.")
	listed := map[string]bool{}
	for _, code := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(chapter, -1) {
		listed[code[1]] = true
	}
	codes := regexp.MustCompile(`Code +Code *= "([a-z_]+)"|Code\w+ +Code = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 30 {
		t.Fatalf("only %d codes found in errors.go", len(codes))
	}
	known := map[string]bool{"message": true}
	for _, c := range codes {
		known[c[1]+c[2]] = true
		if !listed[c[1]+c[2]] {
			t.Errorf("the code %s is not in the table of P8", c[1]+c[2])
		}
	}
	for code := range listed {
		if !known[code] {
			t.Errorf("the table of P8 has %s, the code has not", code)
		}
	}
}
