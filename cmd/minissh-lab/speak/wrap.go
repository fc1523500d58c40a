package speak

import "strings"

// Wrap cuts a line into parts of at most n columns: at a space, or between two
// Chinese characters, but not before a closing mark.
func Wrap(line string, n int) (parts []string) {
	for Width(line) > n {
		width, at := 0, 0 // at: where the line may be cut last
		runes := []rune(line)
		for i, r := range runes {
			if width += Width(string(r)); width > n {
				break
			}
			next := ' '
			if i+1 < len(runes) {
				next = runes[i+1]
			}
			if r == ' ' || r > 0x2e7f && !strings.ContainsRune("，。：；、）！？”", next) {
				at = i + 1
			}
		}
		if at == 0 {
			break // one long word
		}
		parts = append(parts, strings.TrimRight(string(runes[:at]), " "))
		line = strings.TrimLeft(string(runes[at:]), " ")
	}
	return append(parts, line)
}
