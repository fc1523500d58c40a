package nodeset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Fold is the set in few words, which Parse reads. Where several numbers differ, shorter ones may
// be possible.
func (s *Set) Fold() string {
	alike := map[string][]row{} // by what is between the numbers
	for name := range s.has {
		key, r := "", row(nil)
		for _, piece := range pieces(name) {
			if isNumber(piece) {
				key, r = key+"\x00", append(r, []string{piece})
			} else {
				key += piece
			}
		}
		alike[key] = append(alike[key], r)
	}
	var all []string
	for _, key := range slices.SortedFunc(maps.Keys(alike), strings.Compare) {
		rows := alike[key]
		if len(rows[0]) > 0 {
			rows = merged(rows)
		}
		for _, r := range rows {
			all = append(all, r.written(key))
		}
	}
	slices.SortFunc(all, Compare)
	return strings.Join(all, ",")
}

// row are names that differ in their numbers alone: which there are at each place.
type row [][]string

// merged joins rows that differ at one place, until there are none.
func merged(rows []row) []row {
	for {
		before := len(rows)
		for place := len(rows[0]) - 1; place >= 0; place-- {
			rows = mergedAt(rows, place)
		}
		if len(rows) == before {
			return rows
		}
	}
}

func mergedAt(rows []row, place int) []row {
	at := map[string]int{}
	var fewer []row
	for _, r := range rows {
		key := ""
		for i, numbers := range r {
			if i != place {
				key += strings.Join(numbers, ",")
			}
			key += ";"
		}
		if i, known := at[key]; known {
			fewer[i][place] = append(fewer[i][place], r[place]...)
			continue
		}
		at[key] = len(fewer)
		fewer = append(fewer, slices.Clone(r))
	}
	for _, r := range fewer {
		slices.SortFunc(r[place], Compare)
	}
	return fewer
}

// written is a row in words.
func (r row) written(key string) string {
	var b strings.Builder
	place := 0
	for _, c := range []byte(key) {
		if c != 0 {
			b.WriteByte(c)
			continue
		}
		if text := ranges(r[place]); len(r[place]) == 1 {
			b.WriteString(text)
		} else {
			b.WriteString("[" + text + "]")
		}
		place++
	}
	return b.String()
}

// ranges are sorted numbers in few words: 1-3,07-09.
func ranges(numbers []string) string {
	type run struct{ first, last string }
	var runs []run
	awaited := map[string]int{} // the run that goes on with a number
	for _, n := range numbers {
		i, goesOn := awaited[n]
		if !goesOn {
			i, runs = len(runs), append(runs, run{first: n})
		}
		delete(awaited, n)
		runs[i].last = n
		if next := after(n, len(runs[i].first)); next != "" {
			awaited[next] = i
		}
	}
	var all []string
	for _, r := range runs {
		switch {
		case r.first == r.last:
			all = append(all, r.first)
		default:
			all = append(all, r.first+"-"+r.last)
		}
	}
	return strings.Join(all, ",")
}

// after is the next number, filled up to a width; "" after one that is too large to count on.
func after(n string, width int) string {
	value, err := strconv.ParseUint(n, 10, 63)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%0*d", width, value+1)
}
