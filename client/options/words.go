package options

import "strings"

const blanks = " \t\r\n\f"

// splitKey cuts a configuration line, or the argument of -o, into the key and the rest. Blanks
// separate them, with at most one '=' (readconf.c's strdelim). key is empty for blank lines and
// comments; ok is false when a quote is open.
func splitKey(line string) (key, rest string, ok bool) {
	line = strings.Trim(line, blanks)
	if line == "" || line[0] == '#' {
		return "", "", true
	}
	if line[0] == '"' {
		end := strings.IndexByte(line[1:], '"')
		if end < 0 {
			return "", "", false
		}
		key, rest = line[1:1+end], line[2+end:]
	} else if i := strings.IndexAny(line, blanks+"="); i >= 0 {
		key, rest = line[:i], line[i:]
	} else {
		key = line
	}
	rest = strings.TrimLeft(rest, blanks)
	if strings.HasPrefix(rest, "=") {
		rest = strings.TrimLeft(rest[1:], blanks)
	}
	return key, rest, true
}

// splitWords splits the rest of a line into words as ssh does (misc.c's argv_split): both kinds of
// quotes, a backslash before a quote, a backslash or a blank, and '#' at the start of a word ends
// the line. ok is false when a quote is open.
func splitWords(s string) (words []string, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == '\t' {
			continue
		}
		if s[i] == '#' {
			break
		}
		var word strings.Builder
		var quote byte
		for ; i < len(s); i++ {
			c := s[i]
			switch {
			case c == '\\' && i+1 < len(s) &&
				(strings.IndexByte(`'"\`, s[i+1]) >= 0 || quote == 0 && s[i+1] == ' '):
				i++
				word.WriteByte(s[i])
				continue
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
				continue
			case quote != 0 && c == quote:
				quote = 0
				continue
			case quote == 0 && (c == ' ' || c == '\t'):
			default:
				word.WriteByte(c)
				continue
			}
			break
		}
		if quote != 0 {
			return nil, false
		}
		words = append(words, word.String())
	}
	return words, true
}
