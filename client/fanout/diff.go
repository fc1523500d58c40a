package fanout

import "strings"

// diff tells b as a difference from a, line by line: what is the same after a blank, what is in a
// alone after a minus, what is in b alone after a plus. It is a longest common subsequence, whose
// table has a bound: what is longer differs as a whole.
func diff(a, b []string) string {
	var all strings.Builder
	const most = 4 << 20 // cells
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		begin++
	}
	end := 0
	for end < len(a)-begin && end < len(b)-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	put := func(mark string, lines []string) {
		for _, line := range lines {
			all.WriteString(mark + line + "\n")
		}
	}
	put(" ", a[:begin])
	x, y := a[begin:len(a)-end], b[begin:len(b)-end]
	if len(x)*len(y) > most {
		put("-", x)
		put("+", y)
	} else {
		common := longest(x, y)
		for i, j := 0, 0; i < len(x) || j < len(y); {
			switch {
			case i < len(x) && j < len(y) && x[i] == y[j]:
				put(" ", x[i:i+1])
				i, j = i+1, j+1
			case i < len(x) && (j == len(y) || common[i+1][j] >= common[i][j+1]):
				put("-", x[i:i+1])
				i++
			default:
				put("+", y[j:j+1])
				j++
			}
		}
	}
	put(" ", a[len(a)-end:])
	return all.String()
}

// longest tells how many lines the rests of a from i and of b from j have in common.
func longest(a, b []string) [][]int32 {
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
