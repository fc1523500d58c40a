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
	countWords   = regexp.MustCompile(`^([a-z]+|[\d,]+) (?:session frames|bytes may)`)
	inWords      = map[string]uint64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
)

// The words next to the bytes of the pages' examples are right: channels, flags, lengths, numbers,
// text. (TestSpecExamples checks JSON.)
func TestSpecWords(t *testing.T) {
	lines := 0
	for _, e := range examples(t) {
		f, err := NewReader(bytes.NewReader(e.raw)).Next()
		if err != nil {
			t.Errorf("%s: %v", e.at, err)
			continue
		}
		at := 0
		for i, n := range e.sizes {
			if wrong := wordsWrong(f, e.raw[at:at+n], e.words[i]); wrong != "" {
				t.Errorf("%s: next to % x is %q: %s", e.at, e.raw[at:at+n], e.words[i], wrong)
			}
			at += n
			lines++
		}
		all := strings.Join(e.words, " ")
		if named := channelWords.FindStringSubmatch(all); f.Type.IsLink() != (named == nil) ||
			named != nil && named[1] != fmt.Sprint(f.Channel) {
			t.Errorf("%s: it is for channel %d; next to it is %q", e.at, f.Channel, all)
		}
		if strings.Contains(all, "BLOCKED") != (f.Flags == FlagBlocked) {
			t.Errorf("%s: the flags are %d; next to them is %q", e.at, f.Flags, all)
		}
		if f.Type == TypeEOF {
			if ended, err := f.Ended(); err != nil || !strings.Contains(all,
				ended.String()+" has ended") {
				t.Errorf("%s: %v, %v; next to it is %q", e.at, ended, err, all)
			}
		}
	}
	if lines < 60 {
		t.Errorf("only %d lines of examples", lines)
	}
}

// wordsWrong says what is wrong with the words next to one line of hex, "" if nothing is.
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
	// Text: Go's quoted string, perhaps with a word about it, or the bytes themselves (JSON in a
	// record of data).
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
