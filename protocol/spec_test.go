package protocol

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the normative pages, in the order in which they are read.
var pages = []string{"PROTOCOL.md", "TERMINAL.md", "LINES.md", "SUBSYSTEM.md", "FILES.md",
	"FORWARDING.md", "JOBS.md", "RESUMING.md", "PAIRING.md", "LOGIN.md", "CERTIFICATES.md"}

// page is a page's text.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example is one frame that a page shows: a ```hex block, or one frame of a ```frames block.
type example struct {
	at    string // page and line
	from  string // client, daemon; "" in a ```hex block
	raw   []byte
	words []string // what is next to the bytes, line by line
	sizes []int    // bytes on the line
}

var (
	annotation = regexp.MustCompile(`^((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  +(.*))?$`)
	frameStart = regexp.MustCompile(
		`^(client|daemon)  ([0-9a-f]{8}) ([0-9a-f]{2}) ([0-9a-f]{2}) ([0-9a-f]{4}) ([0-9a-f]{8})  (.*)$`)
)

func (e *example) add(raw []byte, words string) {
	e.raw = append(e.raw, raw...)
	e.words, e.sizes = append(e.words, words), append(e.sizes, len(raw))
}

// examples are all frames that the pages show.
func examples(t *testing.T) []example {
	t.Helper()
	var all []example
	for _, name := range pages {
		kind := ""
		for i, line := range strings.Split(page(t, name), "\n") {
			at := fmt.Sprintf("%s:%d", name, i+1)
			switch {
			case strings.HasPrefix(line, "```"):
				if kind = strings.TrimPrefix(line, "```"); kind == "hex" {
					all = append(all, example{at: at})
				}
			case kind == "hex":
				raw, words, ok := hexLine(line)
				if !ok {
					t.Fatalf("%s: neither hex nor annotation: %q", at, line)
				}
				all[len(all)-1].add(raw, words)
			case kind == "frames":
				all = frameLine(t, all, at, line)
			}
		}
	}
	return all
}

// frameLine takes a line of a ```frames block: the header of a frame, or more of its payload, JSON
// as text and the rest in hex.
func frameLine(t *testing.T, all []example, at, line string) []example {
	t.Helper()
	if start := frameStart.FindStringSubmatch(line); start != nil {
		header, err := hex.DecodeString(strings.Join(start[2:7], ""))
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		e := example{at: at, from: start[1]}
		e.add(header, start[7])
		return append(all, e)
	}
	payload := strings.TrimLeft(line, " ")
	if len(all) == 0 || payload == line {
		t.Fatalf("%s: neither a frame nor its payload: %q", at, line)
	}
	raw, words, ok := hexLine(payload)
	if !ok {
		raw, words = []byte(payload), payload
	}
	all[len(all)-1].add(raw, words)
	return all
}

func hexLine(line string) (raw []byte, words string, ok bool) {
	parts := annotation.FindStringSubmatch(line)
	if parts == nil {
		return nil, "", false
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(parts[1], " ", ""))
	return raw, parts[2], err == nil
}

// The examples on the pages are frames with correct lengths, this package writes exactly them, and
// each kind of frame has one.
func TestSpecExamples(t *testing.T) {
	shown := map[Type]bool{}
	for _, e := range examples(t) {
		r := NewReader(bytes.NewReader(e.raw))
		f, err := r.Next()
		if err != nil {
			t.Errorf("%s: %v (there are %d bytes)", e.at, err, len(e.raw)-HeaderSize)
			continue
		}
		shown[f.Type] = true
		decoded, err := decode(f)
		if err != nil {
			t.Errorf("%s: %v", e.at, err)
			continue
		}
		if again := encode(t, f, decoded); !bytes.Equal(again, e.raw) {
			t.Errorf("%s: written again it is\n% x %s, not\n% x %s", e.at, again[:HeaderSize],
				again[HeaderSize:], e.raw[:HeaderSize], e.raw[HeaderSize:])
		}
		if all := strings.Join(e.words, " "); !strings.Contains(all, f.Type.String()) {
			t.Errorf("%s: %v is called %q", e.at, f.Type, all)
		}
		if !f.Type.IsJSON() {
			continue
		}
		at := 0 // next to JSON is the same JSON
		for i, n := range e.sizes {
			if at >= HeaderSize && string(e.raw[at:at+n]) != e.words[i] {
				t.Errorf("%s: next to %q is %q", e.at, e.raw[at:at+n], e.words[i])
			}
			at += n
		}
		if m, ok := decoded.(checked); ok {
			if err := m.Check(); err != nil {
				t.Errorf("%s: %v", e.at, err)
			}
		}
	}
	for kind, name := range knownTypes() {
		if !shown[kind] {
			t.Errorf("the pages show no %s", name)
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

// Both ends may hold the conversation that PROTOCOL.md shows: each frame comes from a side that may
// send it, and its channel exists.
func TestSpecConversation(t *testing.T) {
	rows := typeRows(t)
	for _, e := range examples(t) {
		if e.from == "" {
			continue
		}
		may := rows[Type(e.raw[4])].from
		// all channels shown belong to the client
		opener := map[string]string{"client": "opener", "daemon": "acceptor"}[e.from]
		if may != "either" && may != e.from && may != opener {
			t.Errorf("%s: a %s comes from the %s; FR5 says %s", e.at, typeNames[Type(e.raw[4])],
				e.from, may)
		}
	}
}

type typeRow struct{ name, from, size string }

// typeRows is the table of FR5.
func typeRows(t *testing.T) map[Type]typeRow {
	t.Helper()
	rows := map[Type]typeRow{}
	for _, row := range regexp.MustCompile(
		`(?m)^\| 0x([0-9a-f]{2}) \| ([A-Z]+) \| ([a-z]+) \| (?:([\d,]+) to )?([\d,]+) \|`).FindAllStringSubmatch(page(t, "PROTOCOL.md"), -1) {
		n, _ := hex.DecodeString(row[1])
		rows[Type(n[0])] = typeRow{row[2], row[3], strings.ReplaceAll(cmp.Or(row[4],
			row[5])+" "+row[5], ",", "")}
	}
	return rows
}

// The tables of FR5 and CO4 list what the code has, and the reverse.
func TestSpecTables(t *testing.T) {
	rows := typeRows(t)
	if known := len(knownTypes()); len(rows) != known {
		t.Errorf("%d types in the table, %d in the code", len(rows), known)
	}
	for kind, row := range rows {
		if typeNames[kind] != row.name {
			t.Errorf("0x%02x is %s in the table, %q in the code", uint8(kind), row.name,
				typeNames[kind])
		}
		least, most := kind.sizes()
		if row.size != fmt.Sprintf("%d %d", least, most) {
			t.Errorf("%s has %s bytes in the table, %d to %d in the code", row.name, row.size,
				least, most)
		}
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, c := range regexp.MustCompile(
		`Code +Code *= "([a-z_]+)"|Code\w+ +Code = "([a-z_]+)"`).FindAllStringSubmatch(
		string(source), -1) {
		codes = append(codes, c[1]+c[2])
	}
	if len(codes) < 30 {
		t.Fatalf("only %d codes found in errors.go", len(codes))
	}
	sameNames(t, "CO4", tableOf(t, "PROTOCOL.md", "CO4"), codes)
}

// tableOf is the first column of the first table after a rule's name: what it has in backticks.
func tableOf(t *testing.T, name, rule string) (names []string) {
	t.Helper()
	_, after, ok := strings.Cut(page(t, name), "**"+rule+".**")
	if !ok {
		t.Fatalf("%s has no rule %s", name, rule)
	}
	_, table, _ := strings.Cut(after, "|---")
	_, table, _ = strings.Cut(table, "\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(strings.TrimSpace(table), "\n") {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), " | ")
		for _, word := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(first, -1) {
			names = append(names, word[1])
		}
	}
	return names
}

func sameNames(t *testing.T, rule string, listed, known []string) {
	t.Helper()
	slices.Sort(listed)
	slices.Sort(known)
	if !slices.Equal(listed, known) {
		t.Errorf("%s lists\n%q, the code has\n%q", rule, listed, known)
	}
}

// fieldsOf are the JSON names of a struct's fields, except some.
func fieldsOf(message any, but ...string) (names []string) {
	kind := reflect.TypeOf(message)
	for i := range kind.NumField() {
		field := kind.Field(i)
		if field.Anonymous {
			names = append(names, fieldsOf(reflect.Zero(field.Type).Interface())...)
			continue
		}
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); !slices.Contains(but, name) {
			names = append(names, name)
		}
	}
	return names
}

// The tables of fields list what the structs have, and the reverse. (protocol/files checks its
// own.)
func TestSpecFields(t *testing.T) {
	for rule, fields := range map[string][]string{
		"SE1": fieldsOf(Hello{}), "SE2": fieldsOf(Welcome{}), "EX6": fieldsOf(Exit{}),
		"EX1": fieldsOf(Open{}, "service", "files", "in", "complete", "name",
			"connect", "listen", "accept", "job"),
	} {
		sameNames(t, rule, tableOf(t, "PROTOCOL.md", rule), fields)
	}
	sameNames(t, "EX5", tableOf(t, "PROTOCOL.md", "EX5"),
		[]string{NoticeOutputHeld, NoticeSignalRefused, NoticePTYRefused, NoticeShuttingDown,
			NoticeWantsTerminal, NoticeOutputDropped})
	sameNames(t, "TE1", tableOf(t, "TERMINAL.md", "TE1"), fieldsOf(PTY{}))
	sameNames(t, "LI3", append(tableOf(t, "LINES.md", "LI3"), "service", "argv", "shell", "env",
		"dir", "old_dir", "report_dir", "timeout_ms", "files", "name",
		"connect", "listen", "accept", "agent", "job"), fieldsOf(Open{}))
	sameNames(t, "FO1", tableOf(t, "FORWARDING.md", "FO1"),
		[]string{"connect", "listen", "accept", "in"})
	sameNames(t, "JO1", tableOf(t, "JOBS.md", "JO1"), fieldsOf(Job{}))
	sameNames(t, "JO3", tableOf(t, "JOBS.md", "JO3"), fieldsOf(JobRecord{}))
	sameNames(t, "FI1", tableOf(t, "FILES.md", "FI1"), fieldsOf(Files{}))
	sameNames(t, "PA3", tableOf(t, "PAIRING.md", "PA3"), fieldsOf(Pair{}))
}
