package report

// Slip says whether two words differ in one character, that is wrong, missing or too much, or in
// two neighbours that are exchanged.
func Slip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	switch {
	case len(a) < len(b):
		return b[1:] == a
	case len(a) > 1 && a[0] == b[1] && a[1] == b[0]:
		return a[2:] == b[2:]
	}
	return len(a) > 0 && a[1:] == b[1:]
}
