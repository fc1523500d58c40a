package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	channelWords = regexp.MustCompile(`channel (\d+)`)
	lengthWords  = regexp.MustCompile(`^(?:length: |a header of )(\d+) bytes`)
	countWords   = regexp.MustCompile(`^(one|two|three|four|five|[\d,]+) (?:session frames|bytes may)`)
	inWords      = map[string]uint64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
)

// What stands beside the hex of PROTOCOL.md says what the bytes say: channels, flags, lengths, numbers, text. (TestSpecExamples looks at JSON.)
func TestSpecWords(t *testing.T) {
	checked := 0
	for _, b := range specBlocks(t) {
		f, err := NewReader(bytes.NewReader(b.raw)).Next()
		if err != nil {
			t.Errorf("PROTOCOL.md:%d: %v", b.line, err)
			continue
		}
		at := 0
		for i, n := range b.sizes {
			if wrong := wordsWrong(f, b.raw[at:at+n], b.words[i]); wrong != "" {
				t.Errorf("PROTOCOL.md:%d: beside % x stands %q: %s", b.line+1+i, b.raw[at:at+n], b.words[i], wrong)
			}
			at += n
			checked++
		}
		all := strings.Join(b.words, " ")
		if named := channelWords.FindStringSubmatch(all); f.Type.IsLink() != (named == nil) || named != nil && named[1] != fmt.Sprint(f.Channel) {
			t.Errorf("PROTOCOL.md:%d: it is for channel %d; beside it stands %q", b.line, f.Channel, all)
		}
		if strings.Contains(all, "BLOCKED") != (f.Flags == FlagBlocked) {
			t.Errorf("PROTOCOL.md:%d: the flags are %d; beside them stands %q", b.line, f.Flags, all)
		}
		if f.Type == TypeEOF {
			if ended, err := f.Ended(); err != nil || !strings.Contains(all, ended.String()+" has ended") {
				t.Errorf("PROTOCOL.md:%d: %v, %v; beside it stands %q", b.line, ended, err, all)
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d lines of hex", checked)
	}
}

// wordsWrong says what is wrong with the words beside one line of hex, "" if nothing is.
func wordsWrong(f Frame, raw []byte, words string) string {
	if m := lengthWords.FindStringSubmatch(words); m != nil {
		if len(raw) != 4 || fmt.Sprint(binary.BigEndian.Uint32(raw)) != m[1] {
			return "another length"
		}
	}
	if m := countWords.FindStringSubmatch(words); m != nil {
		want, ok := inWords[m[1]]
		if !ok {
			want, _ = strconv.ParseUint(strings.ReplaceAll(m[1], ",", ""), 10, 64)
		}
		if len(raw) != 8 || binary.BigEndian.Uint64(raw) != want {
			return "another number"
		}
	}
	if f.Type.IsJSON() || !strings.ContainsAny(words, `"{`) {
		return ""
	}
	// Text: Go's quoted string, perhaps with a word about it, or the bytes themselves (JSON in a record of data).
	if quoted, err := strconv.QuotedPrefix(words); err == nil && string(raw) != words {
		if text, err := strconv.Unquote(quoted); err == nil && text == string(raw) {
			return ""
		}
	}
	if string(raw) != words {
		return "other text"
	}
	return ""
}
